"""The JSON Schema of values in documents, made of the tables by which they are read."""

from typing import Any, Final

from serilux._decode import TAGS
from serilux._leaves import LEAF_OF_TAG
from serilux._payloads import LIKE_A_TAG, REFERENCE, Schema, escaped

_ONLY_IN_FIELDS: Final = "$callable"
_SIMPLE: Final = ["null", "boolean", "number", "string"]


def value_schemas(prefix: str = "#/$defs/") -> dict[str, Any]:
    """JSON Schemas (2020-12) to be put where `prefix` leads to: `value`, `data`, `field` and `reference`.

    `value` is what `encode` writes; `data` is a dict with str keys; `field` is the value of a registered field, which
    may be, or hold, a callable; `reference` is the name of a callable. What they cannot say: that numbers are within 64
    bits, the limits of depth and size, what may be in a set or a key, what the fields of an object of some class are.
    """
    value, field = {"$ref": f"{prefix}value"}, {"$ref": f"{prefix}field"}
    return {
        "value": _value(value, _tags(value, callables=False)),
        "data": _object(value, {"$dict": escaped(value)}),
        "field": _value(field, _tags(field, callables=True)),
        "reference": REFERENCE,
    }


def _tags(inner: Schema, *, callables: bool) -> dict[str, Schema]:
    tags = {tag: leaf.payload for tag, leaf in LEAF_OF_TAG.items()}
    tags |= {tag: composed.payload(inner) for tag, composed in TAGS.items()}
    return {tag: payload for tag, payload in sorted(tags.items()) if callables or tag != _ONLY_IN_FIELDS}


def _value(inner: Schema, tags: dict[str, Schema]) -> Schema:
    return {
        "type": [*_SIMPLE, "array", "object"],
        "items": inner,
        "if": {"type": "object", **LIKE_A_TAG},
        "then": {"properties": tags, "additionalProperties": False},
        "else": {"additionalProperties": inner},
    }


def _object(inner: Schema, tags: dict[str, Schema]) -> Schema:
    return {**_value(inner, tags), "type": "object"}
