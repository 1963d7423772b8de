"""What a job tells of itself: `explain`, files, statuses."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from routilux import Flow, JobState, JoinNote, Routine
from routilux.testing import StepRunner
from tests.engine.engine_parts import EngineAsker, flow_of, pipeline, retrying, routine


def sending(*values: Any) -> Routine:
    def send(self: Routine) -> None:
        for value in values:
            self.emit("out", value=value)

    return routine(send, "out")


def broken(error: Exception) -> Routine:
    def fail(self: Routine) -> None:
        raise error

    return routine(fail)


# Explaining.


def test_a_job_that_was_not_started() -> None:
    explanation = JobState().explain()
    assert (explanation.status, explanation.note) == ("pending", "it has not been started")


def test_what_is_queued_and_what_runs() -> None:
    runner = StepRunner()
    flow = flow_of(runner, links=("a.out>b",), a=sending(1, 2, 3), b=routine(lambda self, value: None))
    job_state = flow.execute("a")
    assert job_state.explain().note == "tasks are queued"
    runner.clock.advance(5.0)
    attempt = runner.begin(job_state)
    explanation = job_state.explain()
    (note,) = explanation.running
    assert (explanation.note, note.routine_id, note.slot, note.source) == ("handlers run", "b", "trigger", "a.out")
    assert (note.task_id, note.retry_count, note.until) == (f"{job_state.job_id}:2", 0, None)
    assert note.since == datetime.fromtimestamp(runner.clock.now(), UTC)
    assert [queued.task_id for queued in explanation.queued] == [f"{job_state.job_id}:{n}" for n in (3, 4)]
    assert explanation.queued[0].since == datetime.fromtimestamp(runner.clock.now() - 5, UTC)
    text = str(explanation)
    assert text.startswith(f"job {job_state.job_id} of flow 'flow' is running: handlers run\n")
    assert "  running: b.trigger (task job-1:2), from a.out, since 2023-" in text
    assert text.count("  queued: ") == 2
    assert attempt is not None


def test_what_waits_for_more_data_on_whatever_host() -> None:
    runner = StepRunner()
    join = routine(lambda self, value: None, merge_strategy="append", when=lambda merged: len(merged["value"]) == 3)
    flow = flow_of(runner, links=("a.out>b",), a=sending(1, 2), b=join)
    job_state = flow.execute("a")
    assert job_state.explain().waiting_for_more == []
    runner.step()
    read = JobState()
    read.deserialize(job_state.serialize())
    for told in (job_state.explain(), read.explain()):
        assert told.waiting_for_more == [JoinNote("b", "trigger", {"value": 2})]
        assert "  waits for more data: b.trigger, which has 2 of 'value'" in str(told)


def test_what_waits_for_its_retry() -> None:
    runner = StepRunner()
    part = broken(ValueError("no luck"))
    part.set_error_handler(retrying(3, 10.0))
    job_state = flow_of(runner, a=part).execute("a")
    runner.clock.advance(4.0)
    explanation = job_state.explain()
    (note,) = explanation.waiting_for_retry
    assert (note.routine_id, note.retry_count) == ("a", 1)
    assert note.until == datetime.fromtimestamp(runner.clock.now() + 6, UTC)
    assert explanation.note == "nothing to do for the next 6.000 s"
    assert "waits for its retry: a.trigger (task job-1:1), retried once" in str(explanation)


@pytest.mark.parametrize("patience", [None, 10.0])
def test_what_waits_for_a_delivery(patience: float | None) -> None:
    runner = StepRunner()
    job_state = flow_of(runner, a=EngineAsker()).execute("a", {"patience": patience})
    explanation = job_state.explain()
    (note,) = explanation.waiting_for_delivery
    assert (note.routine_id, note.slot, note.source) == ("a", "answer", None)
    assert note.until == (None if patience is None else datetime.fromtimestamp(runner.clock.now() + 10, UTC))
    assert "waits for a delivery: a.answer" in str(explanation)
    assert explanation.note == (
        "it waits for a delivery" if patience is None else "nothing to do for the next 10.000 s"
    )


def test_why_a_job_failed() -> None:
    flow = flow_of(
        StepRunner(), links=("a.out>b", "a.out>c"), a=sending(1), b=broken(ValueError()), c=broken(KeyError())
    )
    job_state = flow.execute("a")
    job_state.wait()
    explanation = job_state.explain()
    assert (explanation.status, explanation.note) == ("failed", "a task failed and nothing more is started")
    assert [note.routine_id for note in explanation.failed] == ["b"]
    assert [note.routine_id for note in explanation.queued] == ["c"]
    assert explanation.error == job_state.error
    text = str(explanation)
    assert "because of routilux.errors.BindingError" in text and "Traceback" in text


@pytest.mark.parametrize(
    ("reason", "note"), [("lunch", "it waits to be resumed (lunch)"), ("", "it waits to be resumed")]
)
def test_a_paused_job_says_why(reason: str, note: str) -> None:
    flow = pipeline(StepRunner())
    job_state = flow.execute("source")
    flow.pause(job_state, reason)
    explanation = job_state.explain()
    assert (explanation.note, len(explanation.queued)) == (note, 3)


def test_a_completed_job_has_nothing_left() -> None:
    job_state = pipeline(StepRunner()).execute("source")
    job_state.wait()
    explanation = job_state.explain()
    assert (explanation.status, explanation.note) == ("completed", "all work is done")
    assert not (explanation.running or explanation.queued or explanation.failed)
    assert str(explanation) == f"job {job_state.job_id} of flow 'flow' is completed: all work is done"


def test_an_account_is_the_same_after_a_reload() -> None:
    runner = StepRunner()
    part = broken(ValueError("no luck"))
    flow = flow_of(runner, links=("a.out>b", "a.out>c"), a=sending(1), b=routine(lambda self, value: 1 / 0), c=part)
    job_state = flow.execute("a")
    job_state.wait()
    copy = JobState()
    copy.deserialize(json.loads(json.dumps(job_state.serialize())))
    assert str(copy.explain()) == str(job_state.explain())


# Files.


def a_job() -> JobState:
    job_state = pipeline(StepRunner()).execute("source")
    job_state.update_shared_data("key", (1, b"2"))
    return job_state


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    job_state = a_job()
    path = tmp_path / "job.json"
    job_state.save(path)
    job_state.save(str(path))
    copy = JobState.load(path)
    assert copy.serialize() == job_state.serialize()
    assert copy.shared_data == {"key": (1, b"2")}
    assert os.listdir(tmp_path) == ["job.json"]


def test_a_job_is_saved_in_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    a_job().save("job.json")
    assert JobState.load("job.json").flow_id == "flow"


def test_a_job_that_cannot_be_written_leaves_the_old_file(tmp_path: Path) -> None:
    job_state = a_job()
    path = tmp_path / "job.json"
    job_state.save(path)
    before = path.read_bytes()
    job_state.shared_data["key"] = object()
    with pytest.raises(TypeError, match=r"shared_data\.key"):
        job_state.save(path)
    assert (path.read_bytes(), os.listdir(tmp_path)) == (before, ["job.json"])


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    job_state = a_job()
    path = tmp_path / "job.json"
    job_state.save(path)
    before = path.read_bytes()

    def fail(*args: Any) -> None:
        raise OSError("disk full")

    job_state.update_shared_data("key", "new")
    monkeypatch.setattr(os, call, fail)
    with pytest.raises(OSError, match="disk full"):
        job_state.save(path)
    assert (path.read_bytes(), os.listdir(tmp_path)) == (before, ["job.json"])


def test_there_must_be_a_folder_to_save_into(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        a_job().save(tmp_path / "nowhere" / "job.json")


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"5", b'{"_type": "JobState"}', b"\xff\xfe", b'{"_type": "Flow"}']
)
def test_a_file_that_holds_no_job_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "job.json"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r".+"):
        JobState.load(path)


def test_a_document_that_is_refused_leaves_the_job_as_it_was() -> None:
    job_state = JobState()
    job_state.update_shared_data("key", 1)
    before = job_state.serialize()
    document = a_job().serialize()
    document["pending_tasks"][0]["routine_id"] = 5
    with pytest.raises(ValueError, match="pending_tasks"):
        job_state.deserialize(document)
    assert job_state.serialize() == before


# Statuses.


def test_the_statuses_of_routines_while_a_job_runs() -> None:
    runner = StepRunner()
    flow = pipeline(runner)
    job_state = runner.start(flow, "source")
    assert {k: v["status"] for k, v in job_state.routine_states.items()} == {"source": "pending"}
    attempt = runner.begin(job_state)
    assert attempt is not None
    assert job_state.get_routine_state("source")["status"] == "running"
    attempt.run().commit()
    assert {k: v["status"] for k, v in job_state.routine_states.items()} == {"source": "completed", "double": "pending"}
    job_state.wait()
    assert {k: v["status"] for k, v in job_state.routine_states.items()} == {
        "source": "completed",
        "double": "completed",
        "collect": "completed",
    }


def test_ids_and_times() -> None:
    runner = StepRunner()
    flow = pipeline(runner)
    job_state = flow.execute("source")
    created = datetime.fromtimestamp(runner.clock.now(), UTC)
    runner.clock.advance(5.0)
    job_state.wait()
    assert (job_state.flow_id, job_state.epoch, job_state.created_at) == ("flow", 0, created)
    assert (job_state.updated_at - created).total_seconds() == 5
    assert flow.execute("source").job_id != job_state.job_id
    assert JobState().job_id != JobState().job_id


def test_running_a_flow_leaves_its_document_as_it_was() -> None:
    flow: Flow = pipeline(StepRunner())
    before = json.dumps(flow.serialize())
    jobs = [flow.execute("source") for _ in range(2)]
    during = json.dumps(flow.serialize())
    assert [job.wait() for job in jobs] == [True, True]
    assert (during, json.dumps(flow.serialize())) == (before, before)


def test_the_history_of_one_routine() -> None:
    runner = StepRunner()
    job_state = pipeline(runner).execute("source", {"count": 1})
    job_state.wait()
    everything = job_state.get_execution_history()
    assert everything == job_state.execution_history
    assert job_state.get_execution_history("double") == [r for r in everything if r.routine_id == "double"]
    assert [r.event_name for r in job_state.get_execution_history("double")] == ["start", "out", "out"]
    assert job_state.get_execution_history("elsewhere") == []
