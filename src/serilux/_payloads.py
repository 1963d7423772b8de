"""What may stand behind a tag, as JSON Schema: the forms that `dump` gives."""

from typing import Any, Final

Schema = dict[str, Any]


def text(pattern: str, **more: Any) -> Schema:
    """A text of a form."""
    return {"type": "string", "pattern": f"^({pattern})$", **more}


def row(*items: Schema) -> Schema:
    """A list of just these."""
    return {"type": "array", "prefixItems": list(items), "items": False, "minItems": len(items)}


def either(*schemas: Schema) -> Schema:
    """One of these."""
    return {"anyOf": list(schemas)}


_DAY: Final = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_HOUR: Final = r"[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{6})?"
_OFFSET: Final = r"([+-][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{6})?)?)?"


def _clock(pattern: str) -> Schema:
    iso = text(pattern + _OFFSET)
    zone = either({"type": "null"}, {"type": "string", "minLength": 1, "maxLength": 100}, row({"type": "string"}))
    return either(iso, row(iso, {"enum": [0, 1]}, zone))


BIG_INT: Final = text("-?0x([89a-f][0-9a-f]{15}|[1-9a-f][0-9a-f]{16,})")
ODD_FLOAT: Final[Schema] = {"enum": ["nan", "inf", "-inf"]}
_PART: Final[Schema] = {"type": "object", "properties": {"$float": ODD_FLOAT}, "required": ["$float"]}
COMPLEX: Final = row(*[either({"type": "number"}, _PART | {"additionalProperties": False})] * 2)
DECIMAL: Final = text(r"-?([0-9]+(\.[0-9]+)?(E[+-][0-9]+)?|Infinity|s?NaN[0-9]*)")
BYTES: Final = text("([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?", contentEncoding="base64")
DATETIME: Final = _clock(f"{_DAY}T{_HOUR}")
TIME: Final = _clock(_HOUR)
DATE: Final = text(_DAY)
TIMEDELTA: Final = row(
    {"type": "integer", "minimum": -999999999, "maximum": 999999999},
    {"type": "integer", "minimum": 0, "maximum": 86399},
    {"type": "integer", "minimum": 0, "maximum": 999999},
)
UUID: Final = text("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
REFERENCE: Final = text(r"self\.[^\s.:]+|[^\s:]+:[^\s:.]+")
"""How a callable is named: a method of the object itself, a function of a module, a builtin."""


LIKE_A_TAG: Final[Schema] = {"minProperties": 1, "maxProperties": 1, "propertyNames": {"pattern": r"^\$"}}
"""Of an object: it has one name, which begins with `$`."""
_KEY: Final[Schema] = {
    "not": {"type": "array"},
    "if": {"type": "object"},
    "then": LIKE_A_TAG | {"propertyNames": {"pattern": r"^\$(?!(set|map|dict)$)"}},
}
"""Of a value: it may be a key, or a member of a set, unless its class says otherwise."""


def list_of(value: Schema) -> Schema:
    """A list of values."""
    return {"type": "array", "items": value}


def set_of(value: Schema) -> Schema:
    """Members, each there but once."""
    return {"type": "array", "items": value | _KEY, "uniqueItems": True}


def map_of(value: Schema) -> Schema:
    """Pairs of key and value; one of the keys at least is no text."""
    odd = row({"not": {"type": "string"}}, {})
    return {"type": "array", "items": row(value | _KEY, value), "contains": odd}


def escaped(value: Schema) -> Schema:
    """An object that looks like a tag."""
    return {"type": "object", "additionalProperties": value, **LIKE_A_TAG}


def named_parts(**part: Schema) -> Schema:
    """The name of a class, and one part more."""
    properties = {"class": {"type": "string"}, **part}
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}
