"""A history that was read from a document is what it was, whenever somebody looks at it."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routilux._core.document import read_job
from routilux._records import HistoryRecord
from tests.core.hand_made import JobStatus, again, document_of, job, record

PLAIN = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**63), 2**63 - 1),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(st.characters(max_codepoint=127), max_size=8),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text("ab\x00\"'\\/\n", max_size=3), inner, max_size=3)
    ),
    max_leaves=12,
)
MIXED = [record("worker", "plain", x=1), record("worker", "odd", x=(1, "\u00e9")), record("worker", "plain", x=2)]


def with_history(records: list[HistoryRecord]) -> Any:
    return document_of(job(JobStatus.PAUSED, history=records))


@given(st.lists(st.dictionaries(st.text("abc", min_size=1), PLAIN, max_size=3), max_size=4))
def test_what_it_tells_has_equal_values_of_equal_types(contents: list[dict[str, Any]]) -> None:
    records = [record("worker", "done", **content) for content in contents]
    read = again(job(JobStatus.PAUSED, history=records)).records()
    assert read == records
    assert repr(read) == repr(records)  # which tells True from 1, and -0.0 from 0.0


def test_parts_that_need_decoding_stand_among_those_that_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("routilux._core.columns.PART", 1)
    assert again(job(JobStatus.PAUSED, history=MIXED)).records() == MIXED


def test_a_document_that_changes_later_changes_nothing() -> None:
    document = with_history([record("worker", "done", x=[1])])
    state = read_job(document)
    document["execution_history"][0]["data"]["x"].append(2)
    assert state.records() == [record("worker", "done", x=[1])]


def test_reading_leaves_the_document_as_it_was() -> None:
    document = with_history(MIXED)
    before = copy.deepcopy(document)
    read_job(document).records()
    assert json.dumps(document) == json.dumps(before)


def test_what_happens_before_anybody_looks_comes_after_it() -> None:
    state = again(job(JobStatus.PAUSED, history=MIXED))
    state.history.append(record("worker", "later"))
    assert state.records() == [*MIXED, record("worker", "later")]


def test_it_is_made_once() -> None:
    state = again(job(JobStatus.PAUSED, history=MIXED))
    assert state.records() is state.records()
