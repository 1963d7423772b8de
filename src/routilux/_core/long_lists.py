"""The long lists of a JobState document, its history and its tasks, read column by column."""

from collections.abc import Callable, Hashable
from operator import attrgetter
from typing import Any, NoReturn, TypeVar

import msgspec

from routilux._core.checked import check_thoroughly, convert, decode_fields, most_nodes, refuse
from routilux._core.history import BoundedHistory
from routilux._core.instants import instants, seconds, seconds_each
from routilux._core.job import Job
from routilux._core.shapes import HistoryDocument, JobDocument, TaskDocument
from routilux._model import EventKey, SlotKey
from routilux._records import HistoryRecord, Task
from serilux import all_plain, get_limits

LONG_LISTS = ("execution_history", "pending_tasks", "failed_tasks")
LAST_NUMBER = 2**53

_NODES_OF_A_RECORD = 5
_NODES_OF_A_TASK = 20
_OBJECT_OR_NULL = frozenset({dict, type(None)})
_Columns = dict[str, list[Any]]
_Made = TypeVar("_Made")


class _Once(dict[Any, _Made]):
    """What is made of each key, made once."""

    def __init__(self, make: Callable[[Any], _Made]) -> None:
        self._make = make

    def __missing__(self, key: Hashable) -> _Made:
        made = self[key] = self._make(key)
        return made


class _Names:
    """Each name in the lists once, however often it stands there."""

    __slots__ = ("events", "slots", "texts")

    def __init__(self) -> None:
        self.texts = _Once(str)
        self.slots = _Once(SlotKey._make)
        self.events = _Once(EventKey._make)

    def check(self, document: Any) -> None:
        """Refuse a document with names that are no JSON, such as text with lone surrogates."""
        if most_nodes([*self.texts, *self.slots, *self.events]) is None:
            check_thoroughly(document)


def read_long_lists(job: Job, document: Any, read: JobDocument, size: int) -> None:
    """Give a job its history and tasks; `size` is how many nodes all the rest of its document has at most."""
    data, names = _read_data(document, read, size), _Names()
    records = _read_records(read.execution_history, data, names)
    limit = read.history_limit
    job.history = records if limit is None else BoundedHistory(records, limit, read.history_dropped)
    pending = _read_tasks(job, read.pending_tasks, "pending_tasks[{}]", data, names)
    job.failed = _read_tasks(job, read.failed_tasks, "failed_tasks[{}]", data, names)
    names.check(document)
    job.next_number = _number_tasks([*pending, *job.failed], read)
    for task in pending:
        job.enlist(task)


def _read_data(document: Any, read: JobDocument, size: int) -> _Columns:
    """Copies of all data in the lists, by path, which has a place for the index; None where there is none."""
    tasks = [*read.pending_tasks, *read.failed_tasks]
    size += _NODES_OF_A_RECORD * len(read.execution_history) + _NODES_OF_A_TASK * len(tasks)
    columns = _data_columns(read)
    if _are_plain([*columns.values(), [task.seen for task in tasks]], size):
        copies: _Columns = msgspec.to_builtins(columns)
        return copies
    nodes = most_nodes(document)
    if nodes is None or nodes > get_limits().max_nodes:
        check_thoroughly(document)
    return {path: _decode_each(column, path) for path, column in columns.items()}


def _data_columns(read: JobDocument) -> _Columns:
    columns = {"execution_history[{}].data": [record.data for record in read.execution_history]}
    for name, tasks in (("pending_tasks", read.pending_tasks), ("failed_tasks", read.failed_tasks)):
        for field in ("data", "metadata", "merged"):
            columns[f"{name}[{{}}].{field}"] = list(map(attrgetter(field), tasks))
    return columns


def _are_plain(columns: list[list[Any]], size: int) -> bool:
    return all(set(map(type, column)) <= _OBJECT_OR_NULL for column in columns) and all_plain(*columns, among=size)


def _decode_each(values: list[Any], path: str) -> list[Any]:
    if _are_plain([values], 0):
        copies: list[Any] = msgspec.to_builtins(values)
        return copies
    return [None if value is None else decode_fields(value, path.format(index)) for index, value in enumerate(values)]


def _read_records(documents: list[HistoryDocument], data: _Columns, names: _Names) -> list[HistoryRecord]:
    path, texts = "execution_history[{}]", names.texts
    contents = data[f"{path}.data"]
    if None in contents:
        convert(None, dict[str, Any], f"{path}.data".format(contents.index(None)))
    times = seconds_each([document.timestamp for document in documents], f"{path}.timestamp")
    return [
        HistoryRecord(texts[document.routine_id], texts[document.event_name], content, time)
        for document, content, time in zip(documents, contents, times, strict=True)
    ]


def _read_tasks(job: Job, documents: list[TaskDocument], path: str, data: _Columns, names: _Names) -> list[Task]:
    now = instants([job.updated_at])[0]
    slots, events = names.slots, names.events
    since_each = [now if document.since is None else document.since for document in documents]
    _check_waiting(documents, path)
    return [
        Task(
            number,
            slots[document.routine_id, document.slot],
            content,
            None if source is None else events[source.source_routine_id, source.source_event],
            document.priority,
            metadata,
            since,
            document.retry_count,
            document.flushes,
            merged,
            document.seen,
            None if document.due is None else seconds(document.due, f"{path}.due".format(index)),
            None if document.deadline is None else seconds(document.deadline, f"{path}.deadline".format(index)),
            document.patience,
            document.lost_attempts,
            document.ambiguous,
        )
        for index, (document, number, content, source, metadata, merged, since) in enumerate(
            zip(
                documents,
                _task_numbers(job.job_id, documents, f"{path}.task_id"),
                data[f"{path}.data"],
                [document.connection for document in documents],
                data[f"{path}.metadata"],
                data[f"{path}.merged"],
                seconds_each(since_each, f"{path}.since"),
                strict=True,
            )
        )
    ]


def _check_waiting(documents: list[TaskDocument], path: str) -> None:
    for index, document in enumerate(documents):
        if document.data is None and (document.merged is not None or document.seen is not None):
            refuse("a task that waits for its data has merged nothing yet", f"{path}.merged".format(index))


def _task_numbers(job_id: str, documents: list[TaskDocument], path: str) -> list[int]:
    prefix, ids = f"{job_id}:", [document.task_id for document in documents]
    numbers = _numbers_in(ids, prefix)
    if numbers is None:
        index = next(index for index, task_id in enumerate(ids) if _numbers_in([task_id], prefix) is None)
        refuse(f"a task of this job has an id like '{prefix}1', not {ids[index]!r}", path.format(index))
    return numbers


def _numbers_in(ids: list[str | None], prefix: str) -> list[int] | None:
    """The number in each task's id, 0 for one without an id (written by hand); None if one is no such id."""
    try:
        numbers = [0 if task_id is None else int(task_id[len(prefix) :]) for task_id in ids]
    except ValueError:
        return None
    if ids != [f"{prefix}{number}" if number else None for number in numbers]:
        return None
    return numbers if min(numbers, default=0) >= 0 and max(numbers, default=0) < 10**16 else None


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
    tasks = [(f"pending_tasks[{index}]", task.task_id) for index, task in enumerate(read.pending_tasks)]
    tasks += [(f"failed_tasks[{index}]", task.task_id) for index, task in enumerate(read.failed_tasks)]
    first = {task_id: path for path, task_id in reversed(tasks)}
    path, task_id = next((path, task_id) for path, task_id in tasks if task_id and first[task_id] != path)
    refuse(f"two tasks have the id {task_id!r}", f"{path}.task_id")
