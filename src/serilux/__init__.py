"""Objects to JSON documents and back, safely."""

from serilux._callables import referable, reference_to, resolve_reference
from serilux._codec import clone, clone_fields, copy_fields, decode, decode_fields, encode, encode_fields, is_fixed
from serilux._fields import check_constructible, read_object
from serilux._identical import identical
from serilux._json import check_document
from serilux._plain import all_plain, count_plain
from serilux._reading import collected, construct, raise_together, read_part, rooted
from serilux._registry import (
    current_name,
    exception_names,
    is_registered,
    lookup_class,
    name_in,
    real_module,
    registered_name,
    renamed_classes,
    trust,
)
from serilux._schema import value_schemas
from serilux._serializable import Serializable
from serilux._settings import Limits, get_limits, set_limits
from serilux._validation import check_serializable, register_serializable
from serilux.errors import (
    CallableReferenceError,
    CombinedError,
    ConstructorError,
    CycleError,
    DocumentError,
    ForeignMethodError,
    LimitError,
    NameConflictError,
    SeriluxError,
    UnknownClassError,
    UnsupportedValueError,
    UntrustedReferenceError,
)

__all__ = [
    "CallableReferenceError",
    "CombinedError",
    "ConstructorError",
    "CycleError",
    "DocumentError",
    "ForeignMethodError",
    "LimitError",
    "Limits",
    "NameConflictError",
    "Serializable",
    "SeriluxError",
    "UnknownClassError",
    "UnsupportedValueError",
    "UntrustedReferenceError",
    "all_plain",
    "check_constructible",
    "check_document",
    "check_serializable",
    "clone",
    "clone_fields",
    "collected",
    "construct",
    "copy_fields",
    "count_plain",
    "current_name",
    "decode",
    "decode_fields",
    "encode",
    "encode_fields",
    "exception_names",
    "get_limits",
    "identical",
    "is_fixed",
    "is_registered",
    "lookup_class",
    "name_in",
    "raise_together",
    "read_object",
    "read_part",
    "real_module",
    "referable",
    "reference_to",
    "register_serializable",
    "registered_name",
    "renamed_classes",
    "resolve_reference",
    "rooted",
    "set_limits",
    "trust",
    "value_schemas",
]
