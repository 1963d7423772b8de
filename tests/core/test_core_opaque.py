"""A job rebuilt without decoding any of its values is, but for these, the job that was stored."""

from typing import Any

import pytest

from routilux._core.document import read_job, write_history, write_job
from routilux._core.job import Job, PauseRequest
from routilux._core.journal import replay, write_record
from routilux._core.opaque import opaque_document, opaque_record, opaque_segment, opaque_snapshot, real_document
from routilux._core.snapshot import read_snapshot, write_segment, write_snapshot
from serilux import DocumentError, LimitError
from tests.core.hand_made import NOW, graph, record, task
from tests.core.rich_job import RICH_VALUE, bounded_job, rich_job
from tests.core.test_core_journal import HAPPENINGS, copy_of, running
from tests.serilux.samples import Point


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
    assert opaque_copy_of(rich_job()).shared_data["b"]["pair"] == '\0json:{"$tuple":[1,2]}'


def test_a_pause_that_was_asked_for_is_kept() -> None:
    pausing = running(tasks=[task(1)])
    pausing.closing = PauseRequest("why", RICH_VALUE)
    closing = opaque_copy_of(pausing).closing
    assert isinstance(closing, PauseRequest)
    assert (closing.reason, closing.checkpoint["raw"]) == ("why", '\0json:{"$bytes":"AA=="}')


def nested(levels: int, wrap: Any) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = wrap(value)
    return value


ODD_VALUES = {
    "objects as deep as may be": nested(99, lambda inner: Point(inner, None)),
    "sets as deep as may be": nested(99, lambda inner: frozenset([inner])),
    "dicts that look like tags": nested(99, lambda inner: {"$dict": inner}),
    "a dict that looks like a tag, with more": [{"$tuple": 1}, {"$tuple": 1, "more": (1,)}, {"$": {"$set": {1}}}],
    "texts that look like hidden ones": ['\0json:{"$tuple":[]}', "\0json:", {"\0json:": "\0json:1", "\0": 2}],
    "names that look like hidden ones": [{"\0json:$a": 1}, {"\0json:\0json:$a": (1,)}, {"\0json:$a": 1, "$b": 2}],
}


@pytest.mark.parametrize("name", ODD_VALUES)
def test_any_value_comes_back_as_it_was(name: str) -> None:
    data = {"value": ODD_VALUES[name]}
    holding = running(tasks=[task(1, data=data), task(2, data={"$odd": (1, ODD_VALUES[name])})], shared_data=data)
    holding.history = [record("worker", "out", **data)]
    assert real_document(document(opaque_copy_of(holding))) == document(holding)
    read = read_job(opaque_document(document(holding)))
    assert real_document(document(read)) == document(holding)


def test_what_is_no_json_is_refused_with_its_place() -> None:
    with pytest.raises(DocumentError, match=r"^shared_data.a: tuple is no plain JSON"):
        opaque_document({"shared_data": {"a": (1,)}})
    with pytest.raises(LimitError, match="JSON levels"):
        opaque_document({"shared_data": {"a": nested(2000, lambda inner: [inner])}})


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
