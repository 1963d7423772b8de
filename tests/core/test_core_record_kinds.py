"""The engine's own records, told from events of the users' that have their names."""

from typing import Any

import pytest

from routilux._core.record_kinds import RecordKind, answer_record, failure_record, kind_of, start_record
from routilux._records import HistoryRecord
from tests.core.hand_made import NOW, WRONG, task

RECORDS: dict[RecordKind, HistoryRecord] = {
    RecordKind.START: start_record(task(1).target, NOW),
    RecordKind.ERROR: failure_record(RecordKind.ERROR, task(1), WRONG, NOW),
    RecordKind.ERROR_CONTINUED: failure_record(RecordKind.ERROR_CONTINUED, task(1), WRONG, NOW),
    RecordKind.SKIPPED: failure_record(RecordKind.SKIPPED, task(1), WRONG, NOW),
    RecordKind.RESOLVED: answer_record(task(1), NOW, again=True),
}


def test_every_kind_is_tried_here() -> None:
    assert set(RECORDS) == set(RecordKind)


@pytest.mark.parametrize(("kind", "record"), RECORDS.items())
def test_a_record_is_known_by_what_it_says(kind: RecordKind, record: HistoryRecord) -> None:
    assert kind_of(record.event_name, record.content) is kind


@pytest.mark.parametrize("record", RECORDS.values())
def test_its_name_is_plain_text(record: HistoryRecord) -> None:
    assert type(record.event_name) is str


@pytest.mark.parametrize("name", [*RecordKind, "order"])
@pytest.mark.parametrize("content", [{}, {"amount": 20}, {"slot": "trigger", "amount": 20}])
def test_an_event_is_none_whatever_it_is_called(name: str, content: dict[str, Any]) -> None:
    assert kind_of(name, content) is None
