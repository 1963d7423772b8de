"""What the package offers, and what it needs."""

import subprocess
import sys

import serilux
from serilux import errors

PUBLIC = """
CallableReferenceError CombinedError ConstructorError CycleError DocumentError ForeignMethodError LimitError Limits
NameConflictError Serializable SeriluxError UnknownClassError UnsupportedValueError UntrustedReferenceError
all_plain check_constructible check_document check_serializable clone clone_fields collected construct copy_fields
count_plain decode decode_fields encode encode_fields get_limits identical is_fixed is_registered lookup_class
raise_together read_object read_part real_module referable reference_to register_serializable registered_name
resolve_reference rooted set_limits trust value_schemas
current_name exception_names name_in renamed_classes
"""


def test_the_public_names_are_these() -> None:
    assert sorted(serilux.__all__) == sorted(PUBLIC.split())
    assert all(hasattr(serilux, name) for name in serilux.__all__)


def test_every_public_name_is_explained() -> None:
    unexplained = [name for name in serilux.__all__ if not getattr(serilux, name).__doc__]
    assert unexplained == []


def test_each_error_is_a_value_error_or_type_error_and_drawn_at_the_top() -> None:
    tree = errors.__doc__ or ""
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    assert [kind.__name__ for kind in kinds if kind.__name__ not in tree] == []
    plain = [kind for kind in kinds if not issubclass(kind, (ValueError, TypeError))]
    assert plain == [errors.SeriluxError]


def test_importing_it_imports_neither_the_workflows_nor_the_model_libraries() -> None:
    program = "import sys, serilux; print([m for m in ('routilux', 'msgspec', 'pydantic') if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
