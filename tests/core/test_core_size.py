"""A job document beyond the size limit."""

import pytest

from routilux._core.document import read_job
from routilux._core.job import Job
from serilux import LimitError, Limits, set_limits
from tests.core.hand_made import document_of, job, record, task


def with_records(count: int, items: int = 0) -> Job:
    return job(history=[record("worker", "start", x=[0] * items) for _ in range(count)])


TOO_LARGE = {
    "many short parts": (job(shared_log=[0] * 1200, shared_data={"x": [0] * 1200}), 1999),
    "many records": (with_records(500), 1999),
    "many records in several parts": (with_records(1500), 8000),
    "many tasks in several parts": (job(tasks=[task(number) for number in range(1, 1201)]), 20_000),
    "few records with much data": (with_records(10, items=194), 1999),
    "many tasks": (job(tasks=[task(number) for number in range(1, 201)]), 1999),
    "records and tasks, neither of them too many": (
        job(history=with_records(200).history, tasks=[task(number) for number in range(1, 51)]),
        1999,
    ),
    "a task that has seen many parameters": (job(tasks=[task(1, seen={f"p{n}": 1 for n in range(2000)})]), 1999),
    "a small one beyond a very small limit": (with_records(50), 100),
}


@pytest.mark.parametrize("what", TOO_LARGE)
def test_a_document_with_more_nodes_than_the_limit_is_refused(what: str) -> None:
    state, limit = TOO_LARGE[what]
    document = document_of(state)
    set_limits(Limits(max_nodes=limit))
    with pytest.raises(LimitError):
        read_job(document)


def test_a_document_longer_than_the_limit_but_of_fewer_nodes_is_read() -> None:
    document = document_of(with_records(3))
    set_limits(Limits(max_nodes=200))
    assert len(read_job(document).records()) == 3


def test_a_document_of_as_many_nodes_as_the_limit_is_read() -> None:
    document = document_of(with_records(100, items=20))
    set_limits(Limits(max_nodes=2700))
    assert len(read_job(document).records()) == 100
