"""What counts as the result of a job, and how two results differ."""

import json
from collections.abc import Iterable, Iterator
from difflib import SequenceMatcher
from typing import Any

from routilux._core.record_kinds import RecordKind, kind_of
from routilux._graph import Graph
from routilux._model import MergeKind, SlotKey
from routilux._records import Data
from routilux.job_state import JobState

_OF_A_TASK = ("routine_id", "slot", "data", "connection", "priority", "metadata", "retry_count")
_OF_AN_ERROR = ("type", "message", "routine_id")
_SHOWN = 160


def outcome(job_state: JobState) -> Data:
    """What a job has come to, as plain JSON without all that differs from run to run: ids, times, tracebacks.

    That is its status and error, the states of its routines, its history, shared data and log, the data of its slots
    and the tasks that are left. Where activations of its flow run concurrently, nothing depends on their order: lists
    of what they did are sorted, and the newest data of a slot that overrides is left out.
    """
    document, graph = job_state.serialize(), job_state._live.graph
    arranged = _sorted if graph.concurrent else list
    return {
        "status": document["status"],
        "error": _part(document["error"], _OF_AN_ERROR),
        "cancel_reason": document["cancel_reason"],
        "routine_states": {
            name: state | {"error": _part(state["error"], _OF_AN_ERROR)}
            for name, state in document["routine_states"].items()
        },
        "history": arranged(_records(document["execution_history"])),
        "shared_data": document["shared_data"],
        "shared_log": arranged(document["shared_log"]),
        "slot_data": _slot_data(document["slot_data"], graph),
        "pending_tasks": arranged(_part(task, _OF_A_TASK) for task in document["pending_tasks"]),
        "failed_tasks": arranged(_part(task, _OF_A_TASK) for task in document["failed_tasks"]),
    }


def _records(history: list[Data]) -> Iterator[Data]:
    """The records but for those of the answers to an ambiguous task (`Flow.resolve`), which only a crash asks for."""
    for record in history:
        if kind_of(record["event_name"], record["data"]) is not RecordKind.RESOLVED:
            yield _part(record, ("routine_id", "event_name", "data"))


def _part(document: Any, names: Iterable[str]) -> Any:
    return None if document is None else {name: document[name] for name in names}


def _slot_data(document: dict[str, Data], graph: Graph) -> dict[str, Data]:
    if not graph.concurrent:
        return document
    return {
        routine_id: {name: _unordered(data) for name, data in slots.items() if not _overrides(graph, routine_id, name)}
        for routine_id, slots in document.items()
    }


def _overrides(graph: Graph, routine_id: str, slot: str) -> bool:
    node = graph.slots.get(SlotKey(routine_id, slot))
    return node is not None and node.merge is MergeKind.OVERRIDE


def _unordered(data: Data) -> Data:
    return {name: _sorted(value) if type(value) is list else value for name, value in data.items()}


def _sorted(items: Iterable[Any]) -> list[Any]:
    return sorted(items, key=_text)


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=repr)


def differences(undisturbed: Any, disturbed: Any, path: str = "") -> Iterator[str]:
    """How two results differ, a line for each place; nothing where they are the same, their types included."""
    if type(undisturbed) is type(disturbed) is dict:
        for name in sorted(undisturbed.keys() | disturbed.keys(), key=str):
            place = f"{path}.{name}" if path else str(name)
            if name not in disturbed:
                yield f"{place}: missing; it was {_shown(undisturbed[name])}"
            elif name not in undisturbed:
                yield f"{place}: {_shown(disturbed[name])}, which was not there"
            else:
                yield from differences(undisturbed[name], disturbed[name], place)
    elif type(undisturbed) is type(disturbed) is list:
        yield from _differing_items(undisturbed, disturbed, path)
    elif type(undisturbed) is not type(disturbed) or _plainly_differ(undisturbed, disturbed):
        yield f"{path or 'the result'}: {_shown(disturbed)}; it was {_shown(undisturbed)}"


def _differing_items(undisturbed: list[Any], disturbed: list[Any], path: str) -> Iterator[str]:
    """Items that came, went or changed, so that one that is missing does not make all behind it differ."""
    before, after = [_text(item) for item in undisturbed], [_text(item) for item in disturbed]
    for kind, start, end, new_start, new_end in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        old, new = undisturbed[start:end], disturbed[new_start:new_end]
        if kind == "replace" and len(old) == len(new):
            for index, (one, other) in enumerate(zip(old, new, strict=True), start):
                yield from differences(one, other, f"{path}[{index}]")
        elif kind != "equal":
            yield from (f"{path}[{index}]: missing; it was {_shown(item)}" for index, item in enumerate(old, start))
            yield from (
                f"{path}[{index}]: {_shown(item)}, which was not there" for index, item in enumerate(new, new_start)
            )


def _plainly_differ(one: Any, other: Any) -> bool:
    return one is not other and one != other and repr(one) != repr(other)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."
