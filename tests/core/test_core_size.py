"""A job document beyond the size limit."""

import pytest

from routilux._core.document import read_job
from serilux import LimitError, Limits, get_limits, set_limits
from tests.core.hand_made import document_of, job, record


def test_a_document_with_more_nodes_than_the_limit_is_refused() -> None:
    document = document_of(job(history=[record("worker", "start") for _ in range(50)]))
    limits = get_limits()
    set_limits(Limits(max_nodes=100))
    try:
        with pytest.raises(LimitError):
            read_job(document)
    finally:
        set_limits(limits)


def test_a_document_longer_than_the_limit_but_of_fewer_nodes_is_read() -> None:
    document = document_of(job(history=[record("worker", "start") for _ in range(3)]))
    limits = get_limits()
    set_limits(Limits(max_nodes=200))
    try:
        assert len(read_job(document).history) == 3
    finally:
        set_limits(limits)
