"""Objects that are wholes of their own may be fields of an object, and are nobody's data."""

from typing import Any, ClassVar

import pytest

from serilux import DocumentError, Serializable, UnsupportedValueError, clone, decode, encode, register_serializable
from tests.serilux.samples import Box, Pair, Point
from tests.serilux.strategies import box_of


@register_serializable
class Whole(Serializable):
    _may_be_data: ClassVar[bool] = False

    def __init__(self) -> None:
        self.name = "whole"
        self.add_serializable_fields(["name"])


@pytest.mark.parametrize("way", [encode, clone])
@pytest.mark.parametrize("wrap", [lambda whole: whole, Point, lambda whole: box_of("box", whole)])
def test_it_is_refused_in_data(way: Any, wrap: Any) -> None:
    with pytest.raises(UnsupportedValueError, match="a Whole is no data; pass its id, or what serialize"):
        way([wrap(Whole())])


def test_it_is_refused_in_the_document_of_data() -> None:
    with pytest.raises(DocumentError, match="a Whole is no data") as caught:
        decode([{"$object": {"class": "Whole", "fields": {}}}], "data")
    assert caught.value.path == "data[0]"


@pytest.mark.parametrize(
    "wrap",
    [lambda whole: whole, lambda whole: [whole], lambda whole: box_of("inner", whole), lambda whole: Pair(whole, 1)],
)
def test_it_may_be_a_field(wrap: Any) -> None:
    box = Box()
    box.content = wrap(Whole())
    read = Box()
    read.deserialize(box.serialize())
    assert read.serialize() == box.serialize()
