"""The long lists of a JobState document, its history and its tasks, read part by part and in these by columns.

Each pass over a column touches all of it; a part is short enough to stay in the processor's cache until the last pass.
"""

from collections.abc import Callable, Hashable, Iterator
from operator import attrgetter
from typing import Any, Generic, NoReturn, TypeVar

import msgspec

from routilux._core.checked import check_thoroughly, convert, decode_fields, most_nodes, refuse
from routilux._core.history import BoundedHistory
from routilux._core.instants import instants, seconds, seconds_each
from routilux._core.job import Job
from routilux._core.shapes import HistoryDocument, JobDocument, TaskDocument
from routilux._model import EventKey, SlotKey
from routilux._records import HistoryRecord, Task
from serilux import count_plain, get_limits

LONG_LISTS = ("execution_history", "pending_tasks", "failed_tasks")
LAST_NUMBER = 2**53

_PART = 1000
_NODES_OF_A_RECORD = 5
_NODES_OF_A_TASK = 20
_OBJECT_OR_NULL = frozenset({dict, type(None)})
_Column = list[Any]
_Made = TypeVar("_Made")
_Shape = TypeVar("_Shape", HistoryDocument, TaskDocument)


class _Once(dict[Any, _Made]):
    """What is made of each key, made once."""

    def __init__(self, make: Callable[[Any], _Made]) -> None:
        self._make = make

    def __missing__(self, key: Hashable) -> _Made:
        made = self[key] = self._make(key)
        return made


class _Part(Generic[_Shape]):
    """Some nodes of one list, in shape; the first of them has the index `first`."""

    def __init__(self, nodes: list[Any], shape: type[_Shape], name: str, first: int) -> None:
        self._name = name
        self._first = first
        whole: Any = list[shape]  # type: ignore[valid-type]  # made of a value
        self.nodes: list[_Shape]
        try:
            self.nodes = msgspec.convert(nodes, whole)
        except msgspec.ValidationError:
            self.nodes = [convert(node, shape, self.path(index)) for index, node in enumerate(nodes)]

    def column(self, field: str) -> _Column:
        return list(map(attrgetter(field), self.nodes))

    def path(self, index: int, field: str = "") -> str:
        return f"{self._name}[{self._first + index}]{field}"


def _parts(nodes: list[Any], shape: type[_Shape], name: str) -> Iterator[_Part[_Shape]]:
    for first in range(0, len(nodes), _PART):
        yield _Part(nodes[first : first + _PART], shape, name, first)


class LongLists:
    """The lists of one document; `size` is how many nodes all the rest of it has at most."""

    def __init__(self, document: Any, read: JobDocument, size: int) -> None:
        self._document = document
        self._read = read
        self._nodes = size
        self._checked = False
        self._texts = _Once(str)
        self._slots = _Once(SlotKey._make)
        self._events = _Once(EventKey._make)

    def read_into(self, job: Job) -> None:
        """Give a job, which knows its id and when it was updated, its history and tasks."""
        records: list[HistoryRecord] = []
        for part in _parts(self._read.execution_history, HistoryDocument, "execution_history"):
            records += self._records(part)
        limit = self._read.history_limit
        job.history = records if limit is None else BoundedHistory(records, limit, self._read.history_dropped)
        pending = self._tasks(job, self._read.pending_tasks, "pending_tasks")
        job.failed = self._tasks(job, self._read.failed_tasks, "failed_tasks")
        self._check_names()
        job.next_number = _number_tasks([*pending, *job.failed], self._read)
        for task in pending:
            job.enlist(task)

    def _records(self, part: _Part[HistoryDocument]) -> list[HistoryRecord]:
        texts = self._texts
        self._nodes += _NODES_OF_A_RECORD * len(part.nodes)
        (contents,) = self._data(part, ("data",))
        if None in contents:
            convert(None, dict[str, Any], part.path(contents.index(None), ".data"))
        times = seconds_each(part.column("timestamp"), lambda index: part.path(index, ".timestamp"))
        return [
            HistoryRecord(texts[node.routine_id], texts[node.event_name], content, time)
            for node, content, time in zip(part.nodes, contents, times, strict=True)
        ]

    def _tasks(self, job: Job, nodes: list[Any], name: str) -> list[Task]:
        tasks: list[Task] = []
        now = instants([job.updated_at])[0]
        for part in _parts(nodes, TaskDocument, name):
            tasks += self._tasks_of(part, f"{job.job_id}:", now)
        return tasks

    def _tasks_of(self, part: _Part[TaskDocument], prefix: str, now: str) -> list[Task]:
        slots, events = self._slots, self._events
        self._nodes += _NODES_OF_A_TASK * len(part.nodes)
        contents, metadata, merged = self._data(part, ("data", "metadata", "merged"), part.column("seen"))
        _check_waiting(part)
        since = [now if time is None else time for time in part.column("since")]
        columns = zip(
            part.nodes,
            _task_numbers(part, prefix),
            contents,
            part.column("connection"),
            metadata,
            merged,
            seconds_each(since, lambda index: part.path(index, ".since")),
            strict=True,
        )
        return [
            Task(
                number,
                slots[node.routine_id, node.slot],
                content,
                None if source is None else events[source.source_routine_id, source.source_event],
                node.priority,
                metadata,
                since,
                node.retry_count,
                node.flushes,
                merged,
                node.seen,
                None if node.due is None else seconds(node.due, part.path(index, ".due")),
                None if node.deadline is None else seconds(node.deadline, part.path(index, ".deadline")),
                node.patience,
                node.lost_attempts,
                node.ambiguous,
            )
            for index, (node, number, content, source, metadata, merged, since) in enumerate(columns)
        ]

    def _data(self, part: _Part[_Shape], fields: tuple[str, ...], *others: _Column) -> list[_Column]:
        """Copies of the data under these fields, or None where there is none; others are just checked with it."""
        columns = [part.column(field) for field in fields]
        plain = all(set(map(type, column)) <= _OBJECT_OR_NULL for column in columns)
        count = count_plain(*columns, *others) if plain else None
        self._nodes += count or 0
        if count is None or self._nodes > get_limits().max_nodes:
            self._check_all()
        if count is not None:
            copies: list[_Column] = msgspec.to_builtins(columns)
            return copies
        return [_decode_each(column, part, f".{field}") for field, column in zip(fields, columns, strict=True)]

    def _check_all(self) -> None:
        """Refuse a document that is no JSON or too large, once it is not quickly known to be neither."""
        if not self._checked:
            self._checked = True
            nodes = most_nodes(self._document)
            if nodes is None or nodes > get_limits().max_nodes:
                check_thoroughly(self._document)

    def _check_names(self) -> None:
        """Refuse names that are no JSON, such as text with lone surrogates."""
        if most_nodes([*self._texts, *self._slots, *self._events]) is None:
            check_thoroughly(self._document)


def _decode_each(values: _Column, part: _Part[_Shape], field: str) -> _Column:
    return [
        None if value is None else decode_fields(value, part.path(index, field)) for index, value in enumerate(values)
    ]


def _check_waiting(part: _Part[TaskDocument]) -> None:
    for index, node in enumerate(part.nodes):
        if node.data is None and (node.merged is not None or node.seen is not None):
            refuse("a task that waits for its data has merged nothing yet", part.path(index, ".merged"))


def _task_numbers(part: _Part[TaskDocument], prefix: str) -> list[int]:
    ids = part.column("task_id")
    numbers = _numbers_in(ids, prefix)
    if numbers is None:
        index = next(index for index, task_id in enumerate(ids) if _numbers_in([task_id], prefix) is None)
        refuse(f"a task of this job has an id like '{prefix}1', not {ids[index]!r}", part.path(index, ".task_id"))
    return numbers


def _numbers_in(ids: list[str | None], prefix: str) -> list[int] | None:
    """The number in each task's id, 0 for one without an id (written by hand); None if one is no such id."""
    try:
        numbers = [0 if task_id is None else int(task_id[len(prefix) :]) for task_id in ids]
    except ValueError:
        return None
    if ids != [f"{prefix}{number}" if number else None for number in numbers]:
        return None
    return numbers if min(numbers) >= 0 and max(numbers) < 10**16 else None


def _number_tasks(tasks: list[Task], read: JobDocument) -> int:
    """Check the numbers of tasks, number those without an id (written by hand), and say which is the next."""
    numbers = [task.number for task in tasks if task.number]
    following = max(read.next_task, max(numbers, default=0) + 1, 1)
    if len(set(numbers)) < len(numbers):
        _refuse_twin(read)
    for task in tasks:
        if not task.number:
            task.number = following
            following += 1
    if following > LAST_NUMBER:
        refuse(f"the tasks of a job are numbered up to {LAST_NUMBER}", "next_task")
    return following


def _refuse_twin(read: JobDocument) -> NoReturn:
    ids = [(f"pending_tasks[{index}]", task.get("task_id")) for index, task in enumerate(read.pending_tasks)]
    ids += [(f"failed_tasks[{index}]", task.get("task_id")) for index, task in enumerate(read.failed_tasks)]
    first = {task_id: path for path, task_id in reversed(ids)}
    path, task_id = next((path, task_id) for path, task_id in ids if task_id and first[task_id] != path)
    refuse(f"two tasks have the id {task_id!r}", f"{path}.task_id")
