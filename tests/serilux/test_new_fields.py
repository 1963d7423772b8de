"""A class that has got new fields, with defaults, since a document was written: they are by default."""

from dataclasses import dataclass, field

import msgspec
import pydantic
import pytest

from serilux import DocumentError, decode, encode, register_serializable


@register_serializable(name="NewFieldsPoint")
@dataclass
class Point:
    x: int
    note: str = "none"
    tags: list[str] = field(default_factory=list)
    total: int = field(init=False, default=7)


@register_serializable(name="NewFieldsStamp")
class Stamp(msgspec.Struct):
    x: int
    note: str = "none"
    tags: list[str] = msgspec.field(default_factory=list)


@register_serializable(name="NewFieldsPage")
class Page(pydantic.BaseModel):
    x: int
    note: str = "none"
    tags: list[str] = pydantic.Field(default_factory=list)


CLASSES = {"NewFieldsPoint": Point, "NewFieldsStamp": Stamp, "NewFieldsPage": Page}


def of(name: str, **fields: object) -> dict[str, object]:
    return {"$object": {"class": name, "fields": fields}}


@pytest.mark.parametrize("name", CLASSES)
def test_what_is_missing_is_by_default(name: str) -> None:
    first, second = [decode(of(name, x=1)) for _ in range(2)]
    assert (first.x, first.note, first.tags) == (1, "none", [])
    assert first.tags is not second.tags
    assert first == CLASSES[name](x=1)
    assert decode(of(name, x=1, tags=["a"])).tags == ["a"]


@pytest.mark.parametrize("name", CLASSES)
def test_what_has_no_default_is_required(name: str) -> None:
    with pytest.raises(DocumentError, match=r"^value: x is missing; the fields are: 'x', 'note', 'tags'"):
        decode(of(name, note="here"))


@pytest.mark.parametrize("name", CLASSES)
def test_what_is_no_field_is_refused_as_before(name: str) -> None:
    with pytest.raises(DocumentError, match=r"nota is unknown \(did you mean 'note'\?\)"):
        decode(of(name, x=1, nota="here"))


@pytest.mark.parametrize("name", CLASSES)
def test_all_fields_are_written(name: str) -> None:
    document = encode(CLASSES[name](x=1))
    assert set(document["$object"]["fields"]) >= {"x", "note", "tags"}
    assert decode(document) == CLASSES[name](x=1)
