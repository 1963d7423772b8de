"""The numbers of a job's tasks, which their ids in a document end with."""

from typing import Annotated, NoReturn

import msgspec

from routilux._core.checked import refuse
from routilux._core.columns import Column, Part
from routilux._core.shapes import JobDocument, TaskDocument
from routilux._records import Task

LAST_NUMBER = 2**53
_BEYOND = 10**16  # no number in an id is as large

_NUMBERS = list[Annotated[int, msgspec.Meta(gt=0, lt=_BEYOND)]]


def task_numbers(part: Part[TaskDocument], prefix: str) -> list[int]:
    """The number in each task's id, which begins with `prefix`; 0 for one without an id (written by hand)."""
    ids = [node.task_id for node in part.nodes]
    numbers = None if None in ids else _numbers_in(ids, f"\n{prefix}")
    if numbers is not None:
        return numbers
    return [_number_in(task_id, prefix, part.path(index, ".task_id")) for index, task_id in enumerate(ids)]


def _numbers_in(ids: Column, start: str) -> list[int] | None:
    """The number in each id, all read at once; None if there is anything odd about one."""
    lines = "\n".join(["", *ids])
    try:
        text = f"[1{lines.replace(start, ',')}]".encode()
        numbers: list[int] = msgspec.json.decode(text, type=_NUMBERS)
    except ValueError:
        return None
    # Written as these numbers are, it had one number in each line, and nothing else.
    if msgspec.json.encode(numbers) != text or len(numbers) != len(ids) + 1:
        return None
    return numbers[1:]


def _number_in(task_id: str | None, prefix: str, path: str) -> int:
    if task_id is None:
        return 0
    (number,) = _numbers_in([task_id], f"\n{prefix}") or (0,)
    if not number:
        refuse(f"a task of this job has an id like '{prefix}1', not {task_id!r}", path)
    return number


def number_tasks(tasks: list[Task], read: JobDocument) -> int:
    """Check the numbers of tasks, number those without an id (written by hand), and say which is the next."""
    numbers = [task.number for task in tasks if task.number]
    following = max(read.next_task, max(numbers, default=0) + 1)
    if len(set(numbers)) < len(numbers):
        _refuse_twin(read)
    for task in tasks if len(numbers) < len(tasks) else ():
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
