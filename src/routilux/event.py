"""A routine's named output."""

from collections.abc import Iterable
from typing import Any

from routilux._fixed import Fixed
from routilux._shapes import MAYBE, Maybe, Shape, read_fields
from routilux._texts import checked_text
from routilux.errors import DefinitionError
from serilux import register_serializable


class EventDocument(Shape):
    """An event of a routine."""

    output_params: list[str] | Maybe = MAYBE


@register_serializable
class Event(Fixed):
    """What a routine may emit: a name, and the parameters that usually come with it (more are allowed)."""

    _fixed = frozenset({"name", "output_params"})

    def __init__(self, name: str = "", output_params: Iterable[str] = ()) -> None:
        super().__init__()
        params = list(output_params) if isinstance(output_params, Iterable) else [output_params]
        if isinstance(output_params, str) or not all(type(param) is str for param in params):
            raise DefinitionError(f"the parameters of event {name!r} are a list of names, not {output_params!r}")
        self.name = checked_text(name, "the name of an event")
        self.output_params = [checked_text(param, f"a parameter of event {name!r}") for param in params]

    def __repr__(self) -> str:
        return f"<Event {self.name!r}>"

    def serialize(self) -> dict[str, Any]:
        """The event as a document; its name is the key under which its routine keeps it."""
        return {"output_params": list(self.output_params)}

    def deserialize(self, data: dict[str, Any]) -> None:
        """Read a document; DocumentError says what is wrong with it and leaves this event as it was."""
        self._become(output_params=list(read_fields(data, EventDocument, "").get("output_params", [])))
