"""A routine's named output."""

from collections.abc import Iterable
from typing import Any

from routilux.errors import DefinitionError
from serilux import Serializable, read_object, register_serializable
from serilux.errors import DocumentError


@register_serializable
class Event(Serializable):
    """What a routine may emit: a name, and the parameters that usually come with it (more are allowed)."""

    def __init__(self, name: str = "", output_params: Iterable[str] = ()) -> None:
        super().__init__()
        params = list(output_params) if isinstance(output_params, Iterable) else [output_params]
        if isinstance(output_params, str) or not all(type(param) is str for param in params):
            raise DefinitionError(f"the parameters of event {name!r} are a list of names, not {output_params!r}")
        self.name = name
        self.output_params = params

    def serialize(self) -> dict[str, Any]:
        """The event as a document; its name is the key under which its routine keeps it."""
        return {"output_params": list(self.output_params)}

    def deserialize(self, data: dict[str, Any]) -> None:
        """Read a document."""
        fields = read_object(data, "", optional=("output_params",))
        params = fields.get("output_params", [])
        if type(params) is not list or not all(type(param) is str for param in params):
            raise DocumentError("the parameters of an event are a list of names", path="output_params")
        self.output_params = list(params)
