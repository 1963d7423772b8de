"""Values that are written as one tag with a payload and hold no other values.

Each kind has a `dump` to its payload and a `load` back. A payload is read only if it is exactly what `dump`
writes for the value it gave, so there is one way to write each value.
"""

from base64 import b64decode, b64encode
from collections.abc import Callable
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from math import inf, isfinite, isnan, nan
from os.path import isdir, isfile, join
from pathlib import PosixPath, PurePosixPath, PureWindowsPath, WindowsPath
from typing import Any, Final, NamedTuple, TypeVar
from uuid import UUID
from zoneinfo import TZPATH, ZoneInfo

from serilux import _payloads
from serilux._json import MAX_INT, MIN_INT, is_text, shown
from serilux._settings import SETTINGS
from serilux.errors import DocumentError, LimitError, UnsupportedValueError

_Clock = TypeVar("_Clock", datetime, time)


class Leaf(NamedTuple):
    """How one kind of value is written; `payload` is the JSON Schema of what `dump` gives."""

    tag: str
    dump: Callable[[Any], Any]
    load: Callable[[Any], Any]
    payload: dict[str, Any]


def load_leaf(leaf: Leaf, payload: Any) -> Any:
    """Return the value of a payload. Raises DocumentError unless it is exactly what `dump` gives."""
    try:
        value = leaf.load(payload)
        written = leaf.dump(value)
    except LimitError:
        raise
    except _LOAD_ERRORS as error:
        raise DocumentError(f"{shown(payload)} is no payload of {leaf.tag!r}: {error}") from error
    if repr(written) != repr(payload):
        raise DocumentError(f"the payload of {leaf.tag!r} is not in its one proper form, {written!r:.80}")
    return value


_LOAD_ERRORS: Final = (ValueError, TypeError, LookupError, ArithmeticError, NotImplementedError, OSError)


def _exact(kind: type[Any], payload: Any) -> Any:
    if type(payload) is not kind:
        raise TypeError(f"expected a {kind.__name__}")
    return payload


# numbers


def dump_int(value: int) -> str:
    """Write an integer in hexadecimal, which costs no more than its length. Raises LimitError."""
    if value.bit_length() > 4 * SETTINGS.limits.max_digits:
        raise LimitError("an integer of too many digits; see Limits.max_digits")
    return hex(value)


def load_int(payload: Any) -> int:
    """Read what `dump_int` wrote."""
    if len(_exact(str, payload)) > SETTINGS.limits.max_digits + 3:
        raise LimitError("an integer of too many digits; see Limits.max_digits")
    value = int(payload, 16)
    if MIN_INT <= value <= MAX_INT:
        raise ValueError("an integer of 64 bits needs no tag")
    return value


_NOT_FINITE: Final = {"nan": nan, "inf": inf, "-inf": -inf}


def dump_float(value: float) -> str:
    """Write a number that is not finite."""
    return repr(value)


def load_float(payload: Any) -> float:
    """Read what `dump_float` wrote."""
    return _NOT_FINITE[_exact(str, payload)]


def _dump_complex(value: complex) -> list[Any]:
    parts = (value.real, value.imag)
    return [part if isfinite(part) else {"$float": dump_float(part)} for part in parts]


def _load_complex(payload: Any) -> complex:
    real, imag = (_load_part(part) for part in _exact(list, payload))
    return complex(real, imag)


def _load_part(part: Any) -> float:
    if type(part) is dict:
        return load_float(part["$float"])
    return float(_exact(float, part))


def _dump_decimal(value: Decimal) -> str:
    text = str(value).replace("e", "E")  # the context can ask for a small e
    if len(text) > SETTINGS.limits.max_digits:
        raise LimitError("a Decimal of too many digits; see Limits.max_digits")
    return text


def _load_decimal(payload: Any) -> Decimal:
    if len(_exact(str, payload)) > SETTINGS.limits.max_digits:
        raise LimitError("a Decimal of too many digits; see Limits.max_digits")
    return Decimal(payload)


def has_nan(value: object) -> bool:
    """Tell whether a number does not equal itself, and so cannot be found again in a set or dict."""
    if type(value) is float:
        return isnan(value)
    if type(value) is complex:
        return isnan(value.real) or isnan(value.imag)
    return type(value) is Decimal and value.is_nan()


# dates and times: "iso", or [iso, fold, zone] where zone is null, a zoneinfo key or [name of the offset]


def _dump_clock(value: datetime | time) -> Any:
    zone = _dump_zone(value.tzinfo)
    plain = value.replace(tzinfo=None) if isinstance(zone, str) else value
    return plain.isoformat() if zone is None and value.fold == 0 else [plain.isoformat(), value.fold, zone]


def _dump_zone(zone: tzinfo | None) -> Any:
    if zone is None:
        return None
    if type(zone) is timezone:
        if timedelta(0) < abs(zone.utcoffset(None)) < timedelta(seconds=1):
            raise UnsupportedValueError("an offset of less than a second would be read as none; use whole seconds")
        name = zone.tzname(None)
        return None if name == timezone(zone.utcoffset(None)).tzname(None) else [_proper_text(name)]
    if type(zone) is ZoneInfo and is_zone_key(zone.key):
        return zone.key
    raise UnsupportedValueError(
        f"tzinfo {type(zone).__name__} cannot be written; use a fixed offset or ZoneInfo('Area/City')"
    )


_SYSTEM_ZONES: Final = tuple(root for root in TZPATH if isdir(root))
"""Where the zones of this system are, if it has any: for a name that is not there, `zoneinfo` would import modules of
the package `tzdata` that are called so (design law 8)."""


def is_zone_key(key: object) -> bool:
    """Tell whether a zone's key is a plain name, with nothing in it that leads out of the zone files."""
    if not isinstance(key, str) or len(key) > 100 or not key.isascii():
        return False
    return all(part.replace("_", "").replace("-", "").replace("+", "").isalnum() for part in key.split("/"))


def _proper_text(text: str) -> str:
    if not is_text(text):
        raise UnsupportedValueError("the timezone's name has a lone surrogate and cannot be written; remove it")
    return text


def _load_clock(kind: type[_Clock], payload: Any) -> _Clock:
    if type(payload) is str:
        return kind.fromisoformat(payload)
    iso, fold, zone = _exact(list, payload)
    value = kind.fromisoformat(_exact(str, iso)).replace(fold=_exact(int, fold))
    return value if zone is None else value.replace(tzinfo=_load_zone(zone, value))


def _load_zone(zone: Any, value: datetime | time) -> tzinfo:
    if type(zone) is list:
        (name,) = zone
        offset = value.utcoffset()
        return timezone(_exact(timedelta, offset), _exact(str, name))
    if not is_zone_key(zone):
        raise ValueError("no name of a time zone")
    if _SYSTEM_ZONES and not any(isfile(join(root, zone)) for root in _SYSTEM_ZONES):
        raise ValueError("no time zone of this system")
    return ZoneInfo(zone)


def _dump_timedelta(value: timedelta) -> list[int]:
    return [value.days, value.seconds, value.microseconds]


def _load_timedelta(payload: Any) -> timedelta:
    days, seconds, microseconds = (_exact(int, part) for part in _exact(list, payload))
    return timedelta(days, seconds, microseconds)


# the rest


def _dump_path(value: PurePosixPath | PureWindowsPath) -> list[str]:
    text = str(value)
    if not is_text(text) or type(value)(text) != value:
        raise UnsupportedValueError("a path that is no proper text cannot be written; rename the file")
    return [type(value).__name__, text]


_PATHS: Final = {kind.__name__: kind for kind in (PosixPath, PurePosixPath, PureWindowsPath, WindowsPath)}


def _load_path(payload: Any) -> Any:
    kind, text = (_exact(str, part) for part in _exact(list, payload))
    return _PATHS[kind](text)


BIG_INT: Final = Leaf("$int", dump_int, load_int, _payloads.BIG_INT)
ODD_FLOAT: Final = Leaf("$float", dump_float, load_float, _payloads.ODD_FLOAT)
_PATH: Final = Leaf("$path", _dump_path, _load_path, _payloads.row({"enum": list(_PATHS)}, {"type": "string"}))

LEAF_OF_TYPE: Final[dict[type[Any], Leaf]] = {
    bytes: Leaf(
        "$bytes",
        lambda value: b64encode(value).decode(),
        lambda payload: b64decode(_exact(str, payload), validate=True),
        _payloads.BYTES,
    ),
    datetime: Leaf("$datetime", _dump_clock, lambda payload: _load_clock(datetime, payload), _payloads.DATETIME),
    time: Leaf("$time", _dump_clock, lambda payload: _load_clock(time, payload), _payloads.TIME),
    date: Leaf("$date", date.isoformat, lambda payload: date.fromisoformat(_exact(str, payload)), _payloads.DATE),
    timedelta: Leaf("$timedelta", _dump_timedelta, _load_timedelta, _payloads.TIMEDELTA),
    Decimal: Leaf("$decimal", _dump_decimal, _load_decimal, _payloads.DECIMAL),
    UUID: Leaf("$uuid", str, lambda payload: UUID(_exact(str, payload)), _payloads.UUID),
    complex: Leaf("$complex", _dump_complex, _load_complex, _payloads.COMPLEX),
    **dict.fromkeys(_PATHS.values(), _PATH),
}

_ALL: Final = (*LEAF_OF_TYPE.values(), BIG_INT, ODD_FLOAT)
LEAF_OF_TAG: Final = {leaf.tag: leaf for leaf in _ALL}
