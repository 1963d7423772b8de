"""The base class of objects with registered fields."""

from typing import Any

from serilux._codec import decode_fields, encode_fields
from serilux._fields import TYPE_KEY, FieldOwner, default_document
from serilux._json import shown
from serilux._registry import name_in, registered_name
from serilux.errors import DocumentError


class Serializable(FieldOwner):
    """Base of classes whose objects are written field by field.

    A subclass needs a constructor without arguments, which names the fields:
    `self.add_serializable_fields(["name", "items"])` (page: Serializable Fields, Constructor Requirements).

    >>> from serilux import Serializable, register_serializable
    >>> @register_serializable
    ... class Basket(Serializable):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.items = []
    ...         self.add_serializable_fields(["items"])
    >>> basket = Basket()
    >>> basket.items.append("apple")
    >>> basket.serialize()
    {'_type': 'Basket', 'items': ['apple']}
    >>> copy = Basket()
    >>> copy.deserialize(basket.serialize())
    >>> copy.items
    ['apple']
    """

    @default_document
    def serialize(self) -> dict[str, Any]:
        """Return the object as plain JSON: `_type`, then the registered fields in their order.

        Raises UnsupportedValueError, CycleError, LimitError or CallableReferenceError with the field's path.
        """
        name = registered_name(type(self))
        return {TYPE_KEY: name, **encode_fields(self, name)}

    @default_document
    def deserialize(self, data: dict[str, Any]) -> None:
        """Read a document of this very class into the object; fields it lacks keep their value.

        Raises DocumentError or another SeriluxError, with the path; the object is unchanged then.
        """
        check_type(self, data)
        fields = {name: item for name, item in data.items() if name != TYPE_KEY}
        self.set_fields(decode_fields(self, fields, registered_name(type(self))))


def check_type(owner: FieldOwner, document: object) -> None:
    """Raise DocumentError unless a document says that it is one of the owner's class."""
    name = registered_name(type(owner))
    if type(document) is not dict:
        raise DocumentError(f"the document of a {name} is a dict, not {shown(document)}", name)
    found = document.get(TYPE_KEY)
    if type(found) is not str:
        raise DocumentError(f"the document has no {TYPE_KEY!r}; that of a {name} has {name!r} there", name)
    if found != name_in(document, type(owner)):
        raise DocumentError(
            f"the document is of class {shown(found)}, this object of class {name!r}; "
            f"build an object of class {shown(found)} and read it into that",
            name,
        )
