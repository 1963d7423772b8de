"""A job rebuilt without decoding any of its values is, but for these, the job that was stored."""

from typing import Any

import pytest

from routilux._core.document import write_history, write_job
from routilux._core.job import Job, PauseRequest
from routilux._core.journal import replay, write_record
from routilux._core.opaque import opaque_record, opaque_segment, opaque_snapshot, real_document
from routilux._core.snapshot import read_snapshot, write_segment, write_snapshot
from tests.core.hand_made import NOW, graph, task
from tests.core.rich_job import RICH_VALUE, bounded_job, rich_job
from tests.core.test_core_journal import HAPPENINGS, copy_of, running


def document(job: Job) -> dict[str, Any]:
    return write_job(job, NOW) | {"execution_history": write_history(list(job.records()))}


def opaque_copy_of(job: Job) -> Job:
    segment = write_segment(job, 0)
    segments = [] if segment is None else [opaque_segment(segment)]
    return read_snapshot(opaque_snapshot(write_snapshot(job, NOW)), segments)


@pytest.mark.parametrize("make", [rich_job, bounded_job])
def test_a_snapshot_and_its_history_say_the_same_without_their_values_decoded(make: Any) -> None:
    assert real_document(document(opaque_copy_of(make()))) == document(make())


def test_nothing_is_decoded() -> None:
    assert opaque_copy_of(rich_job()).shared_data["b"]["pair"] == {"$tuple": [1, 2]}


def test_a_pause_that_was_asked_for_is_kept() -> None:
    pausing = running(tasks=[task(1)])
    pausing.closing = PauseRequest("why", RICH_VALUE)
    closing = opaque_copy_of(pausing).closing
    assert isinstance(closing, PauseRequest)
    assert (closing.reason, closing.checkpoint["raw"]) == ("why", {"$bytes": "AA=="})


@pytest.mark.parametrize("name", HAPPENINGS)
def test_a_record_brings_it_just_as_far(name: str) -> None:
    before, what = HAPPENINGS[name]
    real = before()
    opaque, happening = opaque_copy_of(real), what(real)
    line = write_record([(happening, NOW)])
    real = copy_of(real)
    replay(graph(), real, line)
    replay(graph(), opaque, opaque_record(line))
    assert real_document(document(opaque)) == document(real)


@pytest.mark.parametrize("change", [opaque_snapshot, opaque_segment, opaque_record])
@pytest.mark.parametrize("content", [b"{", b"7", b"[]"])
def test_what_cannot_be_read_is_left_to_its_reader(change: Any, content: bytes) -> None:
    assert change(content) == content
