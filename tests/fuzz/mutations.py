"""Inputs that are nearly real documents: their structure is known to the fuzzer, and changed bit by bit."""

import json
from collections.abc import Callable, Sequence
from typing import Any

from tests.fuzz.choices import Choices, one_of

MOST_CHANGES = 5
DEEPEST = 400
LONGEST = 3_000
LARGEST = 200_000

TAGS = [
    "$tuple",
    "$set",
    "$frozenset",
    "$map",
    "$dict",
    "$enum",
    "$object",
    "$callable",
    "$bytes",
    "$datetime",
    "$date",
    "$time",
    "$timedelta",
    "$decimal",
    "$uuid",
    "$complex",
    "$path",
    "$int",
    "$float",
    "$",
    "$bogus",
]
CLASSES = [
    "FuzzPoint",
    "FuzzPair",
    "FuzzRecord",
    "FuzzBox",
    "FuzzOwn",
    "FuzzColour",
    "FuzzSource",
    "FuzzSink",
    "FuzzRouter",
    "Node",
    "Flow",
    "Routine",
    "JobState",
    "ConditionalRouter",
    "ErrorHandler",
    "Connection",
    "Slot",
    "Event",
    "Serializable",
    "object",
    "os.system",
    "builtins.exec",
]
REFERENCES = (
    "os:system",
    "builtins:exec",
    "builtins:eval",
    "builtins:open",
    "builtins:getattr",
    "builtins:print",
    "builtins:len",
    "serilux:trust",
    "serilux._registry:trust",
    "routilux:Flow",
    "routilux.flow:Flow",
    "subprocess:run",
    "antigravity:main",
    "this:d",
    "tests.fuzz.probes:probe_function",
    "tests.fuzz.probes:probe_merge",
    "tests.fuzz.probes:register_serializable",
    "tests.fuzz.probes:called",
    "tests.fuzz.probes:CALLS",
    "tests.fuzz.probes:FuzzPoint.shift",
    "tests.fuzz.corpus:flows",
    "tests.laws.random_flows:summed",
    "tests.laws.random_flows:is_even_count",
    "self.begin",
    "self.take",
    "self.is_large",
    "self.accepts",
    "self.route",
    "self.__init__",
    "self.__class__",
    "self.deserialize",
    "self.serialize",
    "self.emit",
    "self._reference",
    "self.handle.__func__",
    "self.",
    ":",
    "append",
    "override",
)
NAMES = [
    "_type",
    "format",
    "flow_id",
    "job_id",
    "status",
    "routines",
    "connections",
    "execution_history",
    "pending_tasks",
    "failed_tasks",
    "slot_data",
    "shared_data",
    "routine_id",
    "event_name",
    "data",
    "timestamp",
    "task_id",
    "slot",
    "source_event",
    "target_slot",
    "param_mapping",
    "priority",
    "handler",
    "merge_strategy",
    "when",
    "_data",
    "_config",
    "_slots",
    "_events",
    "_error_handler",
    "_effects",
    "max_retries",
    "class",
    "fields",
    "name",
    "seen",
    "merged",
    "since",
    "due",
    "deadline",
    "patience",
    "next_task",
    "history_limit",
    "elapsed",
    "graph",
    "flow",
    "job",
    "__class__",
    "__dict__",
]
TEXTS = (
    "",
    "\ud800",
    "\x00",
    "é日\U0001f600",
    "../../etc/passwd",
    "America",
    "No/Such/Zone",
    "tzdata.zoneinfo",
    "2024-02-30T00:00:00+00:00",
    "0001-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59.999999-23:59",
    "1969-12-31T23:59:59Z",
    "j:1",
    "j:99999999999999999999",
    "job-1:0",
    "completed",
    "running",
    "paused",
    "strict",
    "retry",
    "0x" + "f" * 50,
    "1e400",
    "sNaN",
    "{}",
    "%s%n{0.__class__}",
    "x" * 1_000,
)
NUMBERS: tuple[Any, ...] = (
    0,
    -1,
    1,
    2,
    2**31,
    2**53,
    2**53 + 1,
    2**63 - 1,
    2**63,
    -(2**63) - 1,
    10**30,
    1.5,
    -0.0,
    1e308,
    5e-324,
    float("nan"),
    float("inf"),
    float("-inf"),
    True,
    False,
    None,
)
Place = tuple[Any, Any]
"""A container and the key or index of one of its parts."""


def mutated(choices: Choices, corpus: Sequence[str], others: Sequence[str]) -> str:
    """The text of a changed document; parts of `others`, documents of another kind, may get into it."""
    original = one_of(choices, corpus)
    root = [json.loads(original)]
    try:
        for _ in range(1 + choices.below(MOST_CHANGES)):
            one_of(choices, CHANGES)(choices, root, corpus, others)
        return json.dumps(root[0] if root else None)
    except RecursionError:  # it is nested more deeply than a JSON text can be written, or read, here
        return original


def places(root: Any) -> list[Place]:
    """Every place in a document."""
    found: list[Place] = []
    waiting = [root]
    for container in waiting:
        keys = range(len(container)) if type(container) is list else list(container)
        for key in keys:
            found.append((container, key))
            if type(container[key]) in (list, dict):
                waiting.append(container[key])
    return found


def somewhere(choices: Choices, root: list[Any]) -> Place:
    found = places(root) or [(root, root.append(None) or 0)]
    return found[choices.below(len(found))]


def container_in(choices: Choices, root: list[Any], kind: type[Any]) -> Any:
    found = [container[key] for container, key in places(root) if type(container[key]) is kind]
    return found[choices.below(len(found))] if found else None


# What is put into a document.


def value(choices: Choices) -> Any:
    """A simple value, or a small structure."""
    return VALUES[choices.below(len(VALUES))](choices)


def number(choices: Choices) -> Any:
    return one_of(choices, NUMBERS)


def text(choices: Choices) -> str:
    return one_of(choices, TEXTS)


def reference(choices: Choices) -> str:
    return one_of(choices, REFERENCES)


def name(choices: Choices) -> str:
    return one_of(choices, (*NAMES, *TAGS))


def empty(choices: Choices) -> Any:
    return [] if choices.below(2) else {}


def tagged(choices: Choices) -> Any:
    return {one_of(choices, TAGS): one_of(choices, (number, text, reference, members, kind))(choices)}


def members(choices: Choices) -> Any:
    return [number(choices) for _ in range(choices.below(4))]


def kind(choices: Choices) -> Any:
    return {"class": one_of(choices, CLASSES), "fields": {name(choices): number(choices)}}


VALUES: tuple[Callable[[Choices], Any], ...] = (number, text, reference, name, empty, members, tagged, kind)


def some(choices: Choices, most: int) -> int:
    """A number of things: few are as likely as many."""
    return choices.below(1 + choices.below(1 + choices.below(most)))


# How a document is changed.


def replace(choices: Choices, root: list[Any], *_: Any) -> None:
    container, key = somewhere(choices, root)
    container[key] = value(choices)


def delete(choices: Choices, root: list[Any], *_: Any) -> None:
    container, key = somewhere(choices, root)
    del container[key]


def rename(choices: Choices, root: list[Any], *_: Any) -> None:
    target = container_in(choices, root, dict)
    if target:
        key = list(target)[choices.below(len(target))]
        target[nearly(choices, key) if choices.below(2) else name(choices)] = target.pop(key)


def insert(choices: Choices, root: list[Any], *_: Any) -> None:
    target = container_in(choices, root, dict)
    if target is not None:
        target[name(choices) if choices.below(3) else text(choices)] = value(choices)


def insert_item(choices: Choices, root: list[Any], *_: Any) -> None:
    target = container_in(choices, root, list)
    if target is not None:
        target.insert(choices.below(len(target) + 1), value(choices))


def repeat(choices: Choices, root: list[Any], *_: Any) -> None:
    target = container_in(choices, root, list)
    if target:
        target.insert(choices.below(len(target) + 1), copied(target[choices.below(len(target))]))


def swap(choices: Choices, root: list[Any], *_: Any) -> None:
    one, key = somewhere(choices, root)
    other, other_key = somewhere(choices, root)
    one[key], other[other_key] = copied(other[other_key]), copied(one[key])


def splice(choices: Choices, root: list[Any], corpus: Sequence[str], others: Sequence[str]) -> None:
    container, key = somewhere(choices, root)
    donor, donor_key = somewhere(choices, [json.loads(one_of(choices, others if choices.below(2) else corpus))])
    container[key] = donor[donor_key]


def retag(choices: Choices, root: list[Any], *_: Any) -> None:
    container, key = somewhere(choices, root)
    inner = container[key]
    if choices.below(3) == 0:
        inner = {"class": one_of(choices, CLASSES), "fields": inner if type(inner) is dict else {name(choices): inner}}
    elif choices.below(2) == 0:
        inner = [inner]
    container[key] = {one_of(choices, TAGS): inner}


def retype(choices: Choices, root: list[Any], *_: Any) -> None:
    """Make of a value the nearest one of another type."""
    container, key = somewhere(choices, root)
    old = container[key]
    options: list[Any] = [str(old) if type(old) not in (dict, list) else "", [old], {"value": old}, None, bool(old)]
    if type(old) is dict:
        options = [list(old.values()), [[k, v] for k, v in old.items()], *options]
    if type(old) is list:
        options = [dict.fromkeys(map(str, range(len(old)))), *options]
    container[key] = one_of(choices, options)


def misspell(choices: Choices, root: list[Any], *_: Any) -> None:
    found = [(container, key) for container, key in places(root) if type(container[key]) is str]
    if found:
        container, key = found[choices.below(len(found))]
        container[key] = nearly(choices, container[key])


def refer(choices: Choices, root: list[Any], *_: Any) -> None:
    """Put a reference where one may stand."""
    found = [
        (container, key) for container, key in places(root) if key in ("handler", "when", "merge_strategy", "_type")
    ]
    container, key = found[choices.below(len(found))] if found else somewhere(choices, root)
    container[key] = one_of(choices, CLASSES) if key == "_type" else reference(choices)


def deepen(choices: Choices, root: list[Any], *_: Any) -> None:
    container, key = somewhere(choices, root)
    inner, wrap = container[key], one_of(choices, WRAPPINGS)
    for _ in range(some(choices, DEEPEST)):
        inner = wrap(inner)
    container[key] = inner


WRAPPINGS: tuple[Callable[[Any], Any], ...] = (
    lambda inner: [inner],
    lambda inner: {"x": inner},
    lambda inner: {"$tuple": [inner]},
    lambda inner: {"$dict": {"$": inner}},
    lambda inner: {"$object": {"class": "FuzzPoint", "fields": {"x": inner, "y": None}}},
)


def widen(choices: Choices, root: list[Any], *_: Any) -> None:
    """Repeat a part, or names that nobody knows."""
    count = some(choices, LONGEST)
    if choices.below(2):
        target = container_in(choices, root, list)
        if target and len(json.dumps(target[0])) * count < LARGEST:
            target.extend(copied(target[0]) for _ in range(count))
    else:
        target = container_in(choices, root, dict)
        if target is not None:
            stem = name(choices)
            target.update({f"{stem}{index}": index for index in range(count)})


def lengthen(choices: Choices, root: list[Any], *_: Any) -> None:
    container, key = somewhere(choices, root)
    long = one_of(choices, ("x", "\\", "[", "0", "é", "a.", "self.", "\ud800")) * some(choices, 20 * LONGEST)
    if type(container) is dict and choices.below(2):
        container[long] = container.pop(key)
    else:
        container[key] = long


_SMALL = (replace, delete, rename, insert, insert_item, repeat, swap, splice, retag, retype, misspell, refer)
CHANGES: tuple[Callable[..., None], ...] = (*_SMALL, *_SMALL, *_SMALL, *_SMALL, deepen, widen, lengthen)


def nearly(choices: Choices, word: str) -> str:
    """A text that is nearly another."""
    place = choices.below(len(word) + 1)
    letter = one_of(choices, "ax_0.$[:- \ud800")
    if choices.below(2) and word:
        return word[:place] + word[place + 1 :]
    return word[:place] + letter + word[place + choices.below(2) :]


def copied(part: Any) -> Any:
    return json.loads(json.dumps(part)) if type(part) in (list, dict) else part
