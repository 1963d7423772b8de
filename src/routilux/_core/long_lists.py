"""The long lists of a JobState document: its history and its tasks."""

from collections.abc import Sequence
from datetime import datetime
from operator import countOf
from typing import Any

from routilux._core.checked import check_thoroughly, checked_data, copied, most_nodes, refuse, written
from routilux._core.columns import Column, Once, Part, are_alike, parts
from routilux._core.history import BoundedHistory, UnreadRecords
from routilux._core.instants import instants, seconds, seconds_each, times_each
from routilux._core.job import Job
from routilux._core.shapes import HistoryDocument, JobDocument, TaskDocument
from routilux._core.task_numbers import number_tasks, task_numbers
from routilux._model import EventKey, SlotKey
from routilux._records import LIST_OF_APPEND, Task
from serilux import count_plain, get_limits

LONG_LISTS = ("execution_history", "pending_tasks", "failed_tasks")

_NODES_OF_A_RECORD = 5
_NODES_OF_A_TASK = 20
_OBJECT_OR_NULL = frozenset({dict, type(None)})


class LongLists:
    """The lists of one document; `size` is how many nodes all the rest of it has at most."""

    def __init__(self, document: Any, read: JobDocument, size: int) -> None:
        self._document = document
        self._read = read
        self._nodes = size
        self._checked = False
        self._texts = Once(str)
        self._slots = Once(SlotKey._make)
        self._events = Once(EventKey._make)

    def read_into(self, job: Job) -> None:
        """Give a job, which knows its id and when it was updated, its history and tasks."""
        read = self._read
        unread = tuple(map(self._records, parts(read.execution_history, HistoryDocument, "execution_history")))
        pending = self._tasks(job, read.pending_tasks, "pending_tasks")
        job.failed = self._tasks(job, read.failed_tasks, "failed_tasks")
        self._check_names()
        job.next_number = number_tasks([*pending, *job.failed], read)
        job.enlist_all(pending)
        job.unread = unread
        if read.history_limit is not None:
            job.history = BoundedHistory(job.records(), read.history_limit, read.history_dropped)

    def _records(self, part: Part[HistoryDocument]) -> UnreadRecords:
        nodes = part.nodes
        self._nodes += _NODES_OF_A_RECORD * len(nodes)
        return UnreadRecords(
            self._texts.each([node.routine_id for node in nodes]),
            self._texts.each([node.event_name for node in nodes]),
            self._contents([node.data for node in nodes], part),
            times_each([node.timestamp for node in nodes], lambda index: part.path(index, ".timestamp")),
        )

    def _contents(self, data: list[Any], part: Part[HistoryDocument]) -> bytes | list[Any]:
        """What records tell: their JSON where nothing of it needs decoding."""
        text = written(data)  # first of all, as it goes through the data as they lie in memory
        if self._are_plain([data]) and text is not None and countOf(map(type, data), dict) == len(data):
            return text
        return [checked_data(value, part.path(index, ".data")) for index, value in enumerate(data)]

    def _tasks(self, job: Job, nodes: Any, name: str) -> list[Task]:
        tasks: list[Task] = []
        now = instants([job.updated_at])[0]
        for part in parts(nodes, TaskDocument, name):
            tasks += self._tasks_of(part, f"{job.job_id}:", now)
        return tasks

    def _tasks_of(self, part: Part[TaskDocument], prefix: str, now: str) -> list[Task]:
        nodes = part.nodes
        contents, metadata, merged = self._data(part)
        _check_waiting(part)
        since = [now if node.since is None else node.since for node in nodes]
        columns = zip(
            nodes,
            task_numbers(part, prefix),
            self._targets(nodes),
            contents,
            self._sources(nodes),
            metadata,
            seconds_each(since, lambda index: part.path(index, ".since")),
            merged,
            _seconds_or_none([node.due for node in nodes], part, ".due"),
            _seconds_or_none([node.deadline for node in nodes], part, ".deadline"),
            strict=True,
        )
        return [
            Task(
                number,
                target,
                content,
                source,
                node.priority,
                metadata,
                since,
                node.retry_count,
                node.flushes,
                merged,
                node.seen,
                due,
                deadline,
                node.patience,
                node.lost_attempts,
                node.ambiguous,
            )
            for node, number, target, content, source, metadata, since, merged, due, deadline in columns
        ]

    def _targets(self, nodes: list[TaskDocument]) -> list[SlotKey]:
        return self._slots.each_pair([node.routine_id for node in nodes], [node.slot for node in nodes])

    def _sources(self, nodes: list[TaskDocument]) -> list[EventKey | None]:
        known = [node.connection for node in nodes if node.connection is not None]
        events = self._events.each_pair(
            [source.source_routine_id for source in known], [source.source_event for source in known]
        )
        if len(known) == len(nodes):
            return [*events]
        following = iter(events)
        return [None if node.connection is None else next(following) for node in nodes]

    def _data(self, part: Part[TaskDocument]) -> Sequence[Column]:
        """Copies of what tasks have as data, as metadata and as merged data, None where there is none."""
        nodes = part.nodes
        self._nodes += _NODES_OF_A_TASK * len(nodes)
        columns = [[node.data for node in nodes], [node.metadata for node in nodes], [node.merged for node in nodes]]
        return self._copies_of_plain(columns, [node.seen for node in nodes]) or [
            _decode_each(column, part, field, spare)
            for field, column, spare in zip((".data", ".metadata", ".merged"), columns, _SPARE_OF_DATA, strict=True)
        ]

    def _copies_of_plain(self, columns: Sequence[Column], others: Column) -> Sequence[Column] | None:
        """Copies of columns that need no decoding; of others they are gone before these are decoded."""
        copies = copied(columns)
        return copies if self._are_plain(columns, others) else None

    def _are_plain(self, columns: Sequence[Column], others: Column = ()) -> bool:
        """Tell whether all data is known to need no decoding; others are just checked with it."""
        some = [column for column in columns if column[0] is not None or not are_alike(column)]
        are_objects = all(set(map(type, column)) <= _OBJECT_OR_NULL for column in some)
        count = count_plain(*some, others) if are_objects else None
        self._nodes += count or 0
        if count is None or self._nodes > get_limits().max_nodes:
            self._check_all()
        return count is not None

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


_SPARE_OF_DATA = (LIST_OF_APPEND, 0, 0)
"""Data may have to be merged yet."""


def _decode_each(values: Column, part: Part[TaskDocument], field: str, spare: int) -> Column:
    return [
        None if value is None else checked_data(value, part.path(index, field), spare)
        for index, value in enumerate(values)
    ]


def _seconds_or_none(times: list[datetime | None], part: Part[TaskDocument], field: str) -> list[float | None]:
    if times.count(None) == len(times):
        return [None] * len(times)
    return [seconds(time, part.path(index, field)) for index, time in enumerate(times)]


def _check_waiting(part: Part[TaskDocument]) -> None:
    for index in [index for index, node in enumerate(part.nodes) if node.data is None]:
        if part.nodes[index].merged is not None or part.nodes[index].seen is not None:
            refuse("a task that waits for its data has merged nothing yet", part.path(index, ".merged"))
