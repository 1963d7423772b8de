"""What a job needs to go on in a flow that has changed since, said by whoever changed it."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any

from routilux._model import SlotKey
from routilux._records import Data
from routilux._texts import checked_id, checked_name, checked_text
from routilux.errors import DefinitionError
from serilux import read_object, reference_to, resolve_reference
from serilux.errors import CallableReferenceError, DocumentError

Place = SlotKey | tuple[str, str] | str
"""A slot of a routine: `"routine.slot"`, or both names, which may then have dots in them."""

_TASK_ID = re.compile(r".+:[0-9]+")


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What has become of the names in a job, and which of its work is to be dropped (law 7).

    All names to the left are those of the job. `routines` gives routines their new ids, `slots` their new names, or
    other routines' slots as `(routine_id, slot)`; `parameters` renames parameters of the data for a slot; `classes`
    those of values and routines, and exceptions by their qualified names. `config` has, by a routine's old id, a
    function from its old configuration to the new one. `drop` lists what is not to be done: tasks by their ids, or
    slots: then all tasks for them and the data that has come there. `forget` lists slots of which only that data is
    dropped: the tasks are merged anew. Tasks that are dropped count as skipped; all that is dropped is kept in the
    job's record of the plan. `flow_id` keeps the plan from jobs of other flows; `reason` is for people.

    Empty `parameters` of a slot say that its data goes to the handler as it is, although that takes it otherwise now.
    Names of several former versions may lead to one of now: so one plan is for jobs of all ages. A job in which two
    would become one is refused, unless one that is gone makes way: only that may get a name which the flow has not.

    A plan is applied to a job when this is resumed, once, and whole or not at all. DefinitionError says what cannot be
    meant.
    """

    routines: Mapping[str, str] = field(default_factory=dict)
    slots: Mapping[Place, str | tuple[str, str]] = field(default_factory=dict)
    parameters: Mapping[Place, Mapping[str, str]] = field(default_factory=dict)
    classes: Mapping[str, str] = field(default_factory=dict)
    config: Mapping[str, Callable[[Data], Data]] = field(default_factory=dict)
    drop: Iterable[Place] = ()
    forget: Iterable[Place] = ()
    flow_id: str | None = None
    reason: str = ""

    def __post_init__(self) -> None:
        own: dict[str, dict[Any, Any]] = {
            "routines": _names(self.routines, "routines"),
            "slots": {key: _target(target, key) for key, target in _by_slot(self.slots, "slots")},
            "parameters": {key: _parameters(names, key) for key, names in _by_slot(self.parameters, "parameters")},
            "classes": _names(self.classes, "classes"),
            "config": _functions(self.config),
        }
        for name, mapping in own.items():
            object.__setattr__(self, name, MappingProxyType(mapping))
        object.__setattr__(self, "drop", _dropped(self.drop))
        object.__setattr__(self, "forget", _forgotten(self.forget))
        checked_text(self.reason, "the reason of a plan")
        if self.flow_id is not None:
            checked_id(self.flow_id, "the flow_id of a plan")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Plan) and self.document() == other.document()

    def __hash__(self) -> int:
        return hash(repr(self))

    def __repr__(self) -> str:
        return f"Plan({', '.join(f'{name}={said!r}' for name, said in self.document().items())})"

    @property
    def moves(self) -> Mapping[SlotKey, str | SlotKey]:
        """`slots`, by their keys."""
        return self.slots  # type: ignore[return-value]  # __post_init__ has made it so

    @property
    def dropped_slots(self) -> frozenset[SlotKey]:
        """The slots whose tasks are dropped."""
        return frozenset(place for place in self.drop if isinstance(place, SlotKey))

    @property
    def forgotten_slots(self) -> frozenset[SlotKey]:
        """The slots whose data is dropped."""
        return self.dropped_slots.union(map(slot_named, self.forget))

    @property
    def dropped_tasks(self) -> frozenset[str]:
        """The ids of the tasks that are dropped."""
        return frozenset(place for place in self.drop if isinstance(place, str))

    def keeps_parameters(self, key: SlotKey) -> bool:
        """Whether it is said of a slot what becomes of the parameters of its data."""
        return key in self.parameters

    def parameters_of(self, key: SlotKey) -> Mapping[str, str]:
        """The new names of parameters of the data for a slot."""
        return self.parameters.get(key, {})

    def routine_of(self, routine_id: str) -> str:
        """What a routine's id is now."""
        return self.routines.get(routine_id, routine_id)

    def slot_of(self, key: SlotKey) -> SlotKey:
        """Which slot takes the place of this one."""
        target = self.moves.get(key, key.slot)
        return target if isinstance(target, SlotKey) else SlotKey(self.routine_of(key.routine_id), target)

    def document(self) -> dict[str, Any]:
        """The plan as JSON, in which functions are references: `module:function`; what it does not say is left out."""
        said = {
            "routines": dict(self.routines),
            "slots": _by_place({key: _written_target(target) for key, target in self.moves.items()}),
            "parameters": _by_place({slot_named(key): dict(names) for key, names in self.parameters.items()}),
            "classes": dict(self.classes),
            "config": {routine_id: _function_name(function) for routine_id, function in self.config.items()},
            "drop": [_written(place) for place in self.drop],
            "forget": [_written(place) for place in self.forget],
            "flow_id": self.flow_id,
            "reason": self.reason,
        }
        return {name: value for name, value in said.items() if value}

    @classmethod
    def read(cls, document: object) -> "Plan":
        """The plan that a document describes, such as a JSON file.

        DocumentError, with its path, where it describes none. References lead to functions of modules in which a class
        is registered, or that are trusted (`serilux.trust`).
        """
        said = dict(read_object(document, "", optional=[each.name for each in fields(cls)]))
        if "config" in said:
            said["config"] = _resolved(said["config"])
        try:
            return cls(**said)
        except DefinitionError as error:
            raise DocumentError(str(error)) from error


def slot_named(place: Place) -> SlotKey:
    """The slot that is meant by `"routine.slot"`, or by both names."""
    names = place.split(".") if isinstance(place, str) else place
    if not isinstance(names, list | tuple) or len(names) != 2 or not all(type(name) is str and name for name in names):
        raise DefinitionError(
            f"{place!r} names no slot; write 'routine.slot', or ('routine', 'slot') where a name has a dot in it"
        )
    return SlotKey(*(checked_text(name, "a name of a slot") for name in names))


def _by_slot(given: Any, name: str) -> Iterator[tuple[SlotKey, Any]]:
    """Pairs of a slot and what is said of it, from a mapping; or from a list of pairs, as JSON has no other keys."""
    pairs = list(given.items()) if isinstance(given, Mapping) else given
    if not isinstance(pairs, list | tuple) or not all(
        isinstance(pair, list | tuple) and len(pair) == 2 for pair in pairs
    ):
        raise DefinitionError(f"the {name} of a plan are a dict by 'routine.slot', not {given!r}")
    seen: set[SlotKey] = set()
    for place, said in pairs:
        key = slot_named(place)
        if key in seen:
            raise DefinitionError(f"the {name} of a plan name {str(key)!r} twice")
        seen.add(key)
        yield key, said


def _target(target: Any, key: SlotKey) -> str | SlotKey:
    if isinstance(target, list | tuple):
        return slot_named(tuple(target))
    return checked_name(target, f"what stands in the slots of {key} of a plan")


def _parameters(names: Any, key: SlotKey) -> Mapping[str, str]:
    return MappingProxyType(_names(names, f"parameters of {key}"))


def _names(given: Any, what: str) -> dict[str, str]:
    if not isinstance(given, Mapping):
        raise DefinitionError(f"the {what} of a plan are a dict of old names and new ones, not {given!r}")
    for name in (*given.keys(), *given.values()):
        checked_name(name, f"what stands in the {what} of a plan")
    return dict(given)


def _functions(given: Any) -> dict[str, Callable[[Data], Data]]:
    if not isinstance(given, Mapping):
        raise DefinitionError(f"the config of a plan is a dict of functions by routine, not {given!r}")
    for name, function in given.items():
        checked_name(name, "what stands in the config of a plan")
        if not callable(function):
            raise DefinitionError(f"the config of {name!r} in a plan is a function of the old one, not {function!r}")
    return dict(given)


def _dropped(given: Any) -> tuple[SlotKey | str, ...]:
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise DefinitionError(f"the drop of a plan is a list of task ids and slots, not {given!r}")
    return tuple(dict.fromkeys(map(_task_or_slot, given)))


def _task_or_slot(place: Any) -> SlotKey | str:
    if isinstance(place, str) and _TASK_ID.fullmatch(place):
        return checked_text(place, "a task's id in a plan")
    return slot_named(place)


def _forgotten(given: Any) -> tuple[SlotKey, ...]:
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise DefinitionError(f"the forget of a plan is a list of slots, not {given!r}")
    return tuple(dict.fromkeys(slot_named(place) for place in given))


def _function_name(function: Callable[[Data], Data]) -> str:
    """A function's reference; one that no other process could find still has a name of its own."""
    try:
        return reference_to(function, None)
    except CallableReferenceError:
        return f"{getattr(function, '__module__', '')}:{getattr(function, '__qualname__', type(function).__name__)}"


def _resolved(given: Any) -> Any:
    if not isinstance(given, dict):
        raise DocumentError("the config of a plan is an object of references by routine", "config")
    return {name: resolve_reference(reference, None, f"config.{name}") for name, reference in given.items()}


def _written(place: Place) -> str | list[str]:
    """A task's id, or a slot, as a document says it: by both names where one text would be read as something else."""
    if not isinstance(place, tuple):
        return place
    text = ".".join(place)
    return list(place) if text.count(".") > 1 or _TASK_ID.fullmatch(text) else text


def _written_target(target: str | SlotKey) -> str | list[str]:
    return list(target) if isinstance(target, SlotKey) else target


def _by_place(said: Mapping[SlotKey, Any]) -> Any:
    pairs = [[_written(key), value] for key, value in said.items()]
    return pairs if any(isinstance(place, list) for place, _ in pairs) else dict(pairs)


NO_PLAN = Plan()
"""A plan that says nothing."""


def checked_plan(plan: object) -> Plan:
    """What a caller gave as a plan, None being one that says nothing; DefinitionError where it is none."""
    if plan is None:
        return NO_PLAN
    if not isinstance(plan, Plan):
        raise DefinitionError(f"a plan is a Plan, not {plan!r}; Plan.read(document) makes one of its JSON")
    return plan
