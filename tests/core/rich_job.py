"""Jobs with something in every corner, to be written and read."""

from datetime import UTC, datetime
from typing import Any

from routilux._core.history import BoundedHistory
from routilux._core.job import Job
from routilux._model import Durability, JobStatus, RoutineStatus
from routilux._records import AppliedPlan, ErrorInfo, PausePoint, RoutineState
from tests.core.hand_made import (
    ANSWER,
    FOLD,
    LATER,
    OUT,
    SINK,
    SOURCE,
    WORKER,
    WRONG,
    document_of,
    expectation,
    job,
    record,
    task,
)

RICH_VALUE = {"pair": (1, 2), "when": datetime(2024, 1, 1, tzinfo=UTC), "tag": {"$tuple": 1}, "raw": b"\x00"}
BARE_ERROR = ErrorInfo("routilux.errors.JobTimeout", "", None, None, "")

DROPPED_TASK = {
    "task_id": "j:3",
    "routine_id": "sink",
    "slot": "old",
    "data": {"x": {"$object": {"class": "Gone", "fields": {}}}},
    "connection": {"source_routine_id": "source", "source_event": "out"},
    "due": "1970-01-01T00:16:50Z",
}


def rich_job() -> Job:
    return job(
        JobStatus.PAUSED,
        tasks=[
            task(4, priority=-2),
            task(5, data=RICH_VALUE, source=OUT, metadata={"m": (1,)}),
            task(6, SINK, seen={"x": 2}, flushes=3),
            task(7, priority=9, since=985.25),
            task(8, priority=9),
            task(9, due=LATER, retry_count=2),
            task(10, SOURCE, due=LATER - 1),
            task(11, due=LATER - 1, merged={"y": [1]}),
            expectation(12, deadline=LATER, patience=20.5, retry_count=1),
            expectation(13, ANSWER),
            task(14, lost_attempts=2),
            task(15, ambiguous=True),
        ],
        failed=[task(1, merged={"x": 1}, retry_count=3)],
        routines={
            "worker": RoutineState(RoutineStatus.FAILED, WRONG, {"n": 1, "seen": {1, 2}}),
            "sink": RoutineState(RoutineStatus.SKIPPED),
            "fold": RoutineState(error=BARE_ERROR),
        },
        history=[record("source", "start", slot="trigger"), record("source", "out", **RICH_VALUE)],
        slot_data={SINK: {"x": [1, 2, 3], "e": []}, WORKER: {"x": (1,)}, FOLD: {}},
        shared_data={"a": 1, "b": RICH_VALUE},
        shared_log=[1, (2,), {"c": 3}],
        pause_points=[PausePoint(991.5, "one", {}), PausePoint(992.5, "", {"step": (2,)})],
        plans=[
            AppliedPlan(992.25, "sha256:ab", {"routines": {"clean": "sink"}, "reason": "2.3"}, [], {}),
            AppliedPlan(
                993.25,
                "",
                {"drop": ["sink.old", ["a.b", "c"]], "slots": {"sink.in": "items"}},
                [DROPPED_TASK],
                {"sink": {"old": {"x": [{"$tuple": [1]}], "y": {"$object": {"class": "Gone", "fields": {}}}}}},
            ),
        ],
        fingerprint="sha256:abc",
        epoch=7,
        cancel_reason="because",
        timeout=60.5,
        durability=Durability.STRICT,
        elapsed=12.25,
        created_at=980.0,
        updated_at=999.5,
    )


def bounded_job() -> Job:
    records = [record("worker", "start", slot="input"), record("worker", "done", x=1)]
    state = rich_job()
    state.history = BoundedHistory(records, 2, 40)
    return state


def rich_document() -> dict[str, Any]:
    """A document in which nothing is empty, with one task of each kind: a message, a retry and an expectation."""
    document = document_of(bounded_job())
    tasks = {entry["task_id"]: entry for entry in document["pending_tasks"]}
    error = document_of(job(JobStatus.FAILED, error=WRONG))["error"]
    return document | {"error": error, "pending_tasks": [tasks["j:5"], tasks["j:9"], tasks["j:12"]]}
