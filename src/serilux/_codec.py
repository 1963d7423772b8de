"""Values to JSON documents and back, and copies of values."""

from collections.abc import Callable
from typing import Any, Final, TypeVar

from serilux._clone import Cloner
from serilux._decode import Decoder
from serilux._encode import Encoder
from serilux._fields import FieldOwner
from serilux._json import MAX_INT, MIN_INT, is_flat, step_to
from serilux._settings import SETTINGS, SPARE
from serilux.errors import LimitError, SeriluxError, UnsupportedValueError

_Value = TypeVar("_Value")
_SHARED: Final = frozenset({type(None), bool, float})


def encode(value: Any, path: str = "value", *, owner: object = None) -> Any:
    """Return the plain JSON that `decode` turns back into an equal value of equal type (design law 9).

    With an `owner`, callables are written as references, by `reference_to`. The same value gives the same
    JSON in every process. Raises UnsupportedValueError, CycleError or LimitError with the culprit's path.

    >>> from decimal import Decimal
    >>> from serilux import decode, encode
    >>> encode({"price": Decimal("9.90"), "tags": ("new", "red")})
    {'price': {'$decimal': '9.90'}, 'tags': {'$tuple': ['new', 'red']}}
    >>> decode(encode({"price": Decimal("9.90"), "tags": ("new", "red")}))
    {'price': Decimal('9.90'), 'tags': ('new', 'red')}
    >>> encode({"items": [1, object()]})
    Traceback (most recent call last):
    serilux.errors.UnsupportedValueError: value.items[1]: ...
    """
    if type(value) is dict and is_flat(value) and len(value) <= SETTINGS.max_nodes:
        return value.copy()
    return _walked(Encoder(owner).visit, value, path)


def decode(document: Any, path: str = "value", *, owner: object = None, spare: int = 0) -> Any:
    """Return the value that `encode` wrote; the document is not changed, and nothing imported (design law 8).

    With an `owner`, references to callables are resolved, by `resolve_reference`. The value may be as deep as
    `encode` takes it, but for `spare` levels that are kept free for what will be put around it. Raises DocumentError,
    or another SeriluxError, with the path of what is wrong.
    """
    if type(document) is dict and is_flat(document) and len(document) <= SETTINGS.max_nodes:
        return document.copy()
    return _walked(Decoder(owner, spare).visit, document, path)


def clone(value: _Value, path: str = "value") -> _Value:
    """Return an equal, independent copy of a value; what cannot change is shared.

    Refuses what `encode` refuses, with the same errors.
    """
    copy: _Value = _walked(Cloner().visit, value, path)
    return copy


def is_fixed(data: dict[str, Any]) -> bool:
    """Tell whether the data of a message needs no copy: documents can carry it, and nothing in it can change.

    A quick yes for the common case; a no only means that `clone_fields` has to look.
    """
    if len(data) > SETTINGS.max_nodes:
        return False
    for name in data:  # noqa: PLC0206  # twice as fast as items() for a single field
        value = data[name]
        kind = type(value)
        if kind is int:
            # The narrow bounds are constants with which the interpreter compares at once.
            if not (-1073741823 <= value <= 1073741823 or MIN_INT <= value <= MAX_INT):
                return False
        elif kind is str:
            if not value.isascii():
                return False
        elif kind not in _SHARED:
            return False
        if type(name) is not str or not name.isascii():
            return False
    return True


def clone_fields(data: dict[str, Any], path: str = "value") -> dict[str, Any]:
    """Return what `clone` returns for a dict with str keys: the data of one message, where it enters.

    Other keys are refused, and what is deeper than `Limits.max_depth`: what is put around the pieces later, such as the
    list of a slot that appends, makes them deeper than they were.
    """
    if type(data) is dict and is_fixed(data):
        return data.copy()
    if type(data) is not dict:
        raise UnsupportedValueError(f"fields are a plain dict, not {type(data).__name__}", path)
    for key in data:
        if type(key) is not str:
            raise UnsupportedValueError("the name of a field must be a str", path + step_to(key))
    copy: dict[str, Any] = _walked(Cloner(spare=SPARE).visit, data, path)
    return copy


def copy_fields(data: dict[str, Any], path: str = "value") -> dict[str, Any]:
    """Return what `clone` returns for data that `clone_fields` has accepted, sooner where nothing is inside of it."""
    if is_flat(data) and len(data) <= SETTINGS.max_nodes:
        return data.copy()
    return clone(data, path)


def encode_fields(owner: FieldOwner, path: str) -> dict[str, Any]:
    """Return the registered fields of an object as plain JSON."""
    walk = Encoder(owner)
    fields: dict[str, Any] = _walked(walk.owned_fields, owner, path)
    return fields


def decode_fields(owner: FieldOwner, fields: dict[Any, Any], path: str) -> dict[str, Any]:
    """Return the values for an object's registered fields from its document."""
    walk = Decoder(owner)
    values: dict[str, Any] = _walked(lambda node: walk.fields_of(owner, node), fields, path)
    return values


def _walked(walk: Callable[[Any], Any], node: Any, path: str) -> Any:
    try:
        return walk(node)
    except SeriluxError as error:
        error.under(path)
        raise
    except RecursionError as error:
        raise LimitError("nested too deeply for the stack; make it flatter", path) from error
