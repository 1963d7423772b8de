"""One event led to one slot."""

from typing import Any

from routilux._binding import Binding
from routilux._fixed import Fixed
from routilux._model import EventKey, SlotKey
from routilux._numbers import shown_number
from routilux._shapes import MAYBE, Maybe, Name, Priority, Shape, read_as_document, read_fields
from routilux._texts import checked_text
from routilux.errors import DefinitionError, listed
from serilux import register_serializable

_NO_EVENT = EventKey("", "")
_NO_SLOT = SlotKey("", "")


class ConnectionDocument(Shape):
    """A connection of a flow."""

    source_routine_id: Name
    source_event: Name
    target_routine_id: Name
    target_slot: Name
    param_mapping: dict[str, str] | Maybe | None = MAYBE
    priority: Priority | Maybe = MAYBE


@register_serializable
class Connection(Fixed):
    """From an event to a slot, by names.

    `param_mapping` gives parameters of the event the names that the slot's handler uses; others keep theirs. Tasks of
    a higher `priority` run first.
    """

    _fixed = frozenset({"source", "target", "param_mapping", "priority"})

    def __init__(
        self,
        source: EventKey = _NO_EVENT,
        target: SlotKey = _NO_SLOT,
        param_mapping: dict[str, str] | None = None,
        priority: int = 0,
    ) -> None:
        super().__init__()
        for name in (*source, *target):
            checked_text(name, "an end of a connection")
        self.source = source
        self.target = target
        self.param_mapping = _checked_mapping(param_mapping)
        self.priority = checked_priority(priority)

    def __repr__(self) -> str:
        return f"<Connection {self.source} -> {self.target}>"

    def check_fits(self, params: list[str], binding: Binding) -> None:
        """Refuse what no emission of an event with these parameters could ever bring into the slot's handler."""
        mapping = self.param_mapping or {}
        names = [*mapping.values(), *(name for name in params if name not in mapping)]
        strangers = binding.refusals(names) or binding.strangers(mapping.values())
        if strangers:
            raise DefinitionError(
                f"{self.source} cannot go to {self.target}: its handler has no parameter "
                f"{listed(strangers)}; it takes: {listed(sorted(binding.names))}. "
                f"Use param_mapping, or give it **kwargs"
            )

    def serialize(self) -> dict[str, Any]:
        """The connection as a document."""
        return {
            "source_routine_id": self.source.routine_id,
            "source_event": self.source.event,
            "target_routine_id": self.target.routine_id,
            "target_slot": self.target.slot,
            "param_mapping": None if self.param_mapping is None else dict(self.param_mapping),
            "priority": self.priority,
        }

    def deserialize(self, data: dict[str, Any]) -> None:
        """Read a document; DocumentError says what is wrong with it and leaves this connection as it was."""
        fields = read_fields(data, ConnectionDocument, "")
        with read_as_document(""):
            mapping = _checked_mapping(fields.get("param_mapping"))
            priority = checked_priority(fields.get("priority", 0))
        self._become(
            source=EventKey(fields["source_routine_id"], fields["source_event"]),
            target=SlotKey(fields["target_routine_id"], fields["target_slot"]),
            param_mapping=mapping,
            priority=priority,
        )


def checked_priority(priority: int) -> int:
    """A priority as it is, or DefinitionError."""
    if type(priority) is not int or abs(priority) > 2**31:
        raise DefinitionError(f"a priority is a whole number (higher runs first), not {shown_number(priority)}")
    return priority


def _checked_mapping(mapping: dict[str, str] | None) -> dict[str, str] | None:
    if mapping is None:
        return None
    if type(mapping) is not dict or not all(type(name) is str for pair in mapping.items() for name in pair):
        raise DefinitionError(f"a param_mapping maps names to names, not {mapping!r}")
    for name in (*mapping, *mapping.values()):
        checked_text(name, "a name in a param_mapping")
    names = list(mapping.values())
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DefinitionError(f"a param_mapping gives the name {twice[0]!r} to more than one parameter")
    return dict(mapping)
