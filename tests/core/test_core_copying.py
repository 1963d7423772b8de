"""A copy of a job can go on while the job stays as it is."""

from routilux._core.copying import copied
from routilux._core.document import write_job
from routilux._core.history import BoundedHistory
from routilux._core.job import Job
from routilux._model import JobStatus, SlotKey
from routilux._records import HistoryRecord, RoutineState, Task

KEY = SlotKey("r", "s")


def full() -> Job:
    """A job with a task of each kind."""
    job = Job("job", "flow", 1.0)
    for task in (
        Task(1, KEY, {"n": 1}),
        Task(2, KEY, {"n": 2}, priority=3),
        Task(3, KEY, {"n": 3}, due=9.0),
        Task(4, KEY, None),
    ):
        job.enlist(task)
    job.active = {5: Task(5, KEY, {"n": 5})}
    job.add_failed(Task(6, KEY, {"n": 6}))
    job.routines = {"r": RoutineState()}
    job.slot_data = {KEY: {"n": [1], "k": 0}}
    return job


def test_a_copy_says_the_same() -> None:
    job = full()
    copy = copied(job)
    assert copy is not job
    assert write_job(copy, 2.0) == write_job(job, 2.0)
    assert (list(copy.active), copy.history) == ([5], job.history)


def test_what_becomes_of_the_copy_is_not_seen_in_the_job() -> None:
    job = full()
    before = write_job(job, 2.0)
    copy = copied(job)
    copy.status = JobStatus.RUNNING
    copy.enlist(Task(7, KEY, {"n": 7}))
    copy.ready.pop()
    list(copy.pop_due(10.0))
    copy.expecting.add(Task(8, KEY, None))
    copy.active.clear()
    copy.add_failed(Task(9, KEY, {"n": 9}))
    copy.routines["r"] = RoutineState(state={"count": 1})
    copy.slot_data[KEY]["n"].append(2)
    copy.slot_data[KEY]["m"] = 3
    copy.shared_data["s"] = 1
    copy.shared_versions["s"] = 1
    copy.add_logged(["entry"])
    copy.history.append(HistoryRecord("r", "start", {}, 2.0))
    assert (write_job(job, 2.0), list(job.history), job.shared_versions) == (before, [], {})


def test_a_copy_waits_for_nothing_where_the_job_does_not() -> None:
    copy = copied(Job("job", "flow", 1.0))
    assert (copy.waiting(), copy.next_wake(), list(copy.pop_due(9.0))) == ([], None, [])


def test_a_bounded_history_is_one_of_the_copys_own() -> None:
    job = full()
    job.history = BoundedHistory([HistoryRecord("r", "start", {}, float(at)) for at in range(3)], 2, 4)
    copy = copied(job)
    copy.history.append(HistoryRecord("r", "out", {}, 9.0))
    assert isinstance(copy.history, BoundedHistory)
    assert [(record.event_name, record.at) for record in copy.history] == [("start", 2.0), ("out", 9.0)]
    assert (copy.history.dropped, copy.history.maxlen) == (job.history.dropped + 1, 2)
    assert [record.at for record in job.history] == [1.0, 2.0]
