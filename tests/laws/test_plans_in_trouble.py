"""Law 7, where it is least convenient: plans for jobs with timers, deliveries, failures, and for jobs of all ages."""

import json
from datetime import datetime
from typing import Any

import pytest

from routilux import ErrorHandler, Flow, JobState, Plan, ResumeError, Routine
from routilux._verdict import Fit
from routilux.errors import JobStateError
from routilux.testing import StepRunner
from serilux import register_serializable
from serilux.errors import SeriluxError


@register_serializable
class TroubledSource(Routine):
    """Emits numbers, and asks a person if it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("trigger", self.start)
        self.define_event("out")

    def start(self, count: int = 2) -> None:
        for n in range(count):
            self.emit("out", n=n)


@register_serializable
class TroubledWorker(Routine):
    """Its slots are called as the flow's builder says."""

    def __init__(self) -> None:
        super().__init__()
        self.define_event("did")

    def work(self, n: int) -> None:
        self.log("work", n)
        self.emit("did", count=0)

    def fail_twice(self, n: int) -> None:
        attempt = self.get_execution_context().attempt
        if attempt < 3:
            raise ArithmeticError("not yet")
        self.log(f"attempt {attempt}", n)

    def fail(self, n: int) -> None:
        raise ArithmeticError("never")

    def ask(self, n: int) -> None:
        self.expect("answer", timeout=60.0)

    def ask_again(self, n: int) -> None:
        self.expect("reply", timeout=60.0)

    def hear(self, text: str) -> None:
        self.log("heard", text)

    def log(self, what: str, value: Any) -> None:
        context = self.get_execution_context()
        context.job_state.append_to_shared_log([context.routine_id, what, value])


class World:
    """One virtual clock, and flows whose worker is called otherwise from version to version."""

    def __init__(self) -> None:
        self.runner = StepRunner()

    def flow(self, worker: str | None = "worker", entry: str = "input", /, **slots: str) -> Flow:
        flow = Flow("troubled", engine_factory=self.runner.engine)
        flow.add_routine(TroubledSource(), "source")
        if worker is not None:
            routine = TroubledWorker()
            for slot, handler in slots.items():
                routine.define_slot(slot, getattr(routine, handler))
            routine.set_error_handler(ErrorHandler("retry", max_retries=2, retry_delay=10.0, retry_backoff=1.0))
            flow.add_routine(routine, worker)
            flow.connect("source", "out", worker, entry)
        return flow

    def paused(self, flow: Flow, steps: int, count: int = 2) -> JobState:
        """A job that has made some steps, as it comes out of a pipe."""
        job_state = self.runner.start(flow, "source", {"count": count})
        for _ in range(steps):
            self.runner.step()
        flow.pause(job_state)
        self.runner.abandon(job_state)
        return self.sent(job_state)

    def sent(self, job_state: JobState) -> JobState:
        read = JobState()
        read.deserialize(json.loads(json.dumps(job_state.serialize(), allow_nan=False)))
        return read

    def failed(self, count: int = 2) -> JobState:
        """One whose worker has failed at the first number, for good."""
        flow = self.flow(input="fail")
        flow.routines["worker"].set_error_handler(ErrorHandler("stop"))
        job_state = self.runner.start(flow, "source", {"count": count})
        self.runner.run()
        return job_state


@pytest.fixture
def world() -> World:
    return World()


def outcome(job_state: JobState, routine_id: str) -> Any:
    state = job_state.get_routine_state(routine_id)
    assert state is not None
    return state["status"]


# What is dropped.


def test_a_job_whose_only_task_is_dropped_completes(world: World) -> None:
    job_state = world.paused(world.flow(input="work"), 1, count=1)
    world.flow(None).resume(job_state, plan=Plan(drop=["worker.input"])).wait()
    assert (job_state.status, job_state.shared_log, outcome(job_state, "worker")) == ("completed", [], "skipped")


def test_a_task_is_dropped_by_its_id_and_the_others_are_done(world: World) -> None:
    flow = world.flow(input="work")
    job_state = world.paused(flow, 1, count=3)
    second = job_state.pending_tasks[1]["task_id"]
    world.flow(input="work").resume(job_state, plan=Plan(drop=[second])).wait()
    assert [n for _, _, n in job_state.shared_log] == [0, 2]
    assert outcome(job_state, "worker") == "skipped"
    assert [task["task_id"] for task in job_state.plans[0]["dropped_tasks"]] == [second]


def test_a_failed_task_is_dropped_and_the_job_completes(world: World) -> None:
    job_state = world.failed()
    plan = Plan(drop=[job_state.serialize()["failed_tasks"][0]["task_id"]])
    world.flow(input="work").retry(job_state, plan=plan).wait()
    assert (job_state.status, job_state.error, outcome(job_state, "worker")) == ("completed", None, "skipped")
    assert [n for _, _, n in job_state.shared_log] == [1]


def test_all_that_a_failed_job_had_left_may_be_dropped(world: World) -> None:
    job_state = world.failed()
    world.flow(None).retry(job_state, plan=Plan(drop=["worker.input"])).wait()
    assert (job_state.status, job_state.shared_log) == ("completed", [])
    assert [task["data"] for task in job_state.plans[0]["dropped_tasks"]] == [{"n": 1}, {"n": 0}]


def test_dropping_wins_over_renaming(world: World) -> None:
    job_state = world.paused(world.flow(input="work"), 1)
    plan = Plan(slots={"worker.input": "arrivals"}, drop=["worker.input"])
    world.flow("worker", "arrivals", arrivals="work").resume(job_state, plan=plan).wait()
    assert job_state.shared_log == []


def test_a_task_of_another_job_is_noted_and_nothing_is_dropped(world: World) -> None:
    job_state = world.paused(world.flow(input="work"), 1)
    flow, plan = world.flow(input="work"), Plan(drop=["another:1"])
    assert (
        "the plan speaks of task 'another:1', for which this job has nothing" in flow.check(job_state, plan=plan).notes
    )
    flow.resume(job_state, plan=plan).wait()
    assert [n for _, _, n in job_state.shared_log] == [0, 1]


def test_what_is_left_when_some_is_dropped_is_refused_as_ever(world: World) -> None:
    """Half a plan is none: that one task fits is not enough."""
    job_state = world.paused(world.flow(input="work"), 1)
    before = job_state.serialize()
    first = job_state.pending_tasks[0]["task_id"]
    flow = world.flow(None)
    with pytest.raises(ResumeError) as refusal:
        flow.resume(job_state, plan=Plan(drop=[first]))
    assert [problem.place for problem in refusal.value.problems] == ["pending_tasks[1]"]
    assert job_state.serialize() == before


def test_an_ambiguous_task_may_be_dropped(world: World) -> None:
    flow = world.flow(input="work")
    flow.routines["worker"].set_effects("at_most_once")
    job_state = world.runner.start(flow, "source", {"count": 1})
    world.runner.step()
    assert world.runner.begin(job_state) is not None
    world.runner.abandon(job_state)
    read = world.sent(job_state)
    (task,) = read.serialize()["pending_tasks"]
    read.deserialize(read.serialize() | {"pending_tasks": [task | {"ambiguous": True}]})
    with pytest.raises(ResumeError, match=r"or let a plan drop it \(drop=\['.+:[0-9]+'\]\)"):
        flow.resume(read)
    flow.resume(read, plan=Plan(drop=[task["task_id"]])).wait()
    assert (read.status, read.shared_log) == ("completed", [])


# What waits.


def test_a_retry_keeps_its_time_and_its_count_under_another_name(world: World) -> None:
    job_state = world.paused(world.flow(input="fail_twice"), 2, count=1)
    (before,) = job_state.pending_tasks
    assert (before["retry_count"], before["due"]) != (0, None)
    flow = world.flow("laborer", "arrivals", arrivals="fail_twice")
    plan = Plan(routines={"worker": "laborer"}, slots={"worker.input": "arrivals"})
    flow.resume(job_state, plan=plan)
    flow.pause(job_state)
    (after,) = job_state.pending_tasks
    names = {"routine_id": "laborer", "slot": "arrivals", "connection": after["connection"]}
    assert after == before | names
    flow.resume(job_state).wait()
    assert job_state.shared_log == [["laborer", "attempt 3", 0]]
    assert [record.data["attempt"] for record in job_state.execution_history if record.event_name == "error"] == [1, 2]


def asking(world: World) -> JobState:
    return world.paused(world.flow(input="ask", answer="hear"), 2, count=1)


REPLY = Plan(slots={"worker.answer": "reply"})


def test_a_delivery_goes_to_the_slot_of_now(world: World) -> None:
    job_state = asking(world)
    flow = world.flow(input="ask_again", reply="hear")
    flow.resume(job_state, plan=REPLY)
    with pytest.raises(JobStateError, match=r"waits for nothing on worker\.input"):
        flow.deliver(job_state, "worker", "input", {"n": 1})
    flow.deliver(job_state, "worker", "reply", {"text": "yes"})
    job_state.wait()
    assert job_state.shared_log == [["worker", "heard", "yes"]]


def test_a_deadline_is_kept_under_another_name(world: World) -> None:
    job_state = asking(world)
    (before,) = job_state.pending_tasks
    flow = world.flow(input="ask_again", reply="hear")
    flow.routines["worker"].set_error_handler(ErrorHandler("stop"))
    flow.resume(job_state, plan=REPLY)
    flow.pause(job_state)
    (after,) = job_state.pending_tasks
    assert (after["slot"], after["deadline"]) == ("reply", before["deadline"])
    flow.resume(job_state).wait()
    assert job_state.error is not None
    assert (job_state.status, job_state.error.type) == ("failed", "routilux.errors.DeliveryTimeout")
    assert world.runner.clock.now() == datetime.fromisoformat(before["deadline"]).timestamp()


def test_a_delivery_made_before_goes_along(world: World) -> None:
    """Delivered to while paused, it is a task like others."""
    job_state = asking(world)
    world.flow(input="ask", answer="hear").deliver(job_state, "worker", "answer", {"text": "early"})
    flow = world.flow(input="ask_again", reply="hear")
    with pytest.raises(ResumeError, match="carries 'text', and would never be handled"):
        flow.resume(job_state)
    flow.resume(job_state, plan=REPLY).wait()
    assert job_state.shared_log == [["worker", "heard", "early"]]


# One plan after the other.


FIRST = Plan(routines={"worker": "laborer"}, reason="1")
SECOND = Plan(routines={"laborer": "hand"}, slots={"laborer.input": "arrivals"}, reason="2")


def test_two_plans_in_a_row(world: World) -> None:
    job_state = world.paused(world.flow(input="work"), 2, count=3)
    middle = world.flow("laborer", input="work")
    middle.resume(job_state, plan=FIRST)
    world.runner.step()
    middle.pause(job_state)
    last = world.flow("hand", "arrivals", arrivals="work")
    last.resume(world.sent(job_state), plan=SECOND)
    job_state = world.sent(job_state)
    assert last.check(job_state, plan=FIRST).fit is Fit.NEEDS_PLAN  # it is past that, and needs the second
    last.resume(job_state, plan=SECOND).wait()
    assert job_state.shared_log == [["worker", "work", 0], ["laborer", "work", 1], ["hand", "work", 2]]
    assert [applied["plan"]["reason"] for applied in job_state.plans] == ["1", "2"]
    assert [note.reason for note in job_state.explain().plans] == ["1", "2"]


def test_one_plan_is_for_jobs_of_all_ages(world: World) -> None:
    old = world.paused(world.flow(input="work"), 1)
    newer = world.paused(world.flow("laborer", input="work"), 1)
    plan = Plan(
        routines={"worker": "hand", "laborer": "hand"}, slots={"worker.input": "arrivals", "laborer.input": "arrivals"}
    )
    flow = world.flow("hand", "arrivals", arrivals="work")
    for job_state in (old, newer):
        flow.resume(job_state, plan=plan).wait()
        assert job_state.shared_log == [["hand", "work", 0], ["hand", "work", 1]]


def test_a_job_in_which_two_would_become_one_is_refused(world: World) -> None:
    flow = world.flow(input="work")
    job_state = world.paused(flow, 2)
    with pytest.raises(ResumeError, match="the job remembers both 'source', 'worker', and both would be 'hand'"):
        world.flow("hand", input="work").resume(job_state, plan=Plan(routines={"source": "hand", "worker": "hand"}))


def test_the_same_plan_again_does_nothing_even_after_another(world: World) -> None:
    job_state = world.paused(world.flow(input="work"), 1, count=3)
    there, back = Plan(routines={"worker": "laborer"}), Plan(routines={"laborer": "worker"})
    for flow, plan in ((world.flow("laborer", input="work"), there), (world.flow(input="work"), back)):
        flow.resume(job_state, plan=plan)
        flow.pause(job_state)
    flow = world.flow("laborer", input="work")
    verdict = flow.check(job_state, plan=there)
    assert verdict.fit is Fit.NEEDS_PLAN
    assert any(
        "is not applied twice; one that says more, if only a reason, is another" in note for note in verdict.notes
    )
    with pytest.raises(
        ResumeError, match=r"cannot go on in flow '\w+' \(the plan was applied before, and is not applied"
    ):
        flow.resume(job_state, plan=there)
    flow.resume(job_state, plan=Plan(routines={"worker": "laborer"}, reason="there again")).wait()
    assert [name for name, _, _ in job_state.shared_log] == ["laborer"] * 3


def test_a_routine_takes_the_name_of_one_that_is_gone(world: World) -> None:
    """That one makes way under a name of its own, with all that the job remembers of it."""
    flow = world.flow(input="work")
    flow.add_routine(TroubledSource(), "laborer")
    flow.connect("worker", "did", "laborer", "trigger", priority=1)
    job_state = world.paused(flow, 3)
    assert (outcome(job_state, "laborer"), len(job_state.pending_tasks)) == ("completed", 1)
    later = world.flow("laborer", input="work")
    plain = Plan(routines={"worker": "laborer"})
    with pytest.raises(ResumeError, match=r"both would be 'laborer'.*make way.*routines=\{'laborer': \.\.\.\}"):
        later.resume(job_state, plan=plain)
    plan = Plan(routines={"worker": "laborer", "laborer": "former laborer"}, forget=["laborer.trigger"])
    assert any(
        "'former laborer' is completed in this job, and is no part" in note
        for note in later.check(job_state, plan=plan).notes
    )
    later.resume(job_state, plan=plan).wait()
    assert [name for name, _, _ in job_state.shared_log] == ["worker", "laborer"]
    assert (outcome(job_state, "laborer"), outcome(job_state, "former laborer")) == ("completed", "completed")


def test_only_who_makes_way_may_have_a_name_that_the_flow_does_not_know(world: World) -> None:
    job_state = world.paused(world.flow(input="work"), 3)
    with pytest.raises(ResumeError, match="flow 'troubled' has no routine 'labourer'"):
        world.flow("laborer", input="work").resume(job_state, plan=Plan(routines={"worker": "labourer"}))


# What is no plan, or none for this job.


@pytest.mark.parametrize("given", [{"routines": {}}, "plan", 5, True])
def test_what_is_no_plan_is_refused_everywhere(world: World, given: Any) -> None:
    flow = world.flow(input="work")
    job_state = world.paused(flow, 1)
    before = job_state.serialize(), flow.serialize()
    for call in (
        lambda: flow.check(job_state, plan=given),
        lambda: flow.resume(job_state, plan=given),
        lambda: flow.retry(job_state, plan=given),
        lambda: flow.deserialize(flow.serialize(), plan=given),
        lambda: job_state.deserialize(job_state.serialize(), plan=given),
    ):
        with pytest.raises(ValueError, match="a plan is a Plan, not"):
            call()
    assert (job_state.serialize(), flow.serialize()) == before


def test_an_empty_plan_is_none(world: World) -> None:
    job_state = world.paused(world.flow(input="work"), 1)
    world.flow(input="work").resume(job_state, plan=Plan()).wait()
    assert (job_state.plans, len(job_state.shared_log)) == ([], 2)


def test_a_plan_that_renames_nothing_does_no_harm(world: World) -> None:
    job_state = world.paused(world.flow(input="work"), 1)
    plan = Plan(routines={"worker": "worker"}, slots={"worker.input": "input"}, parameters={"worker.input": {"n": "n"}})
    world.flow(input="work").resume(job_state, plan=plan).wait()
    assert (len(job_state.plans), len(job_state.shared_log)) == (1, 2)


def test_a_job_that_runs_is_checked_with_a_plan_and_not_resumed(world: World) -> None:
    flow = world.flow(input="work")
    job_state = world.runner.start(flow, "source", {"count": 2})
    world.runner.step()
    later = world.flow("laborer", input="work")
    assert (later.check(job_state).fit, later.check(job_state, plan=FIRST).fit) == (Fit.NEEDS_PLAN, Fit.FITS)
    with pytest.raises(JobStateError, match="run"):
        later.resume(job_state, plan=FIRST)
    world.runner.run()
    assert (job_state.status, job_state.plans) == ("completed", [])


def test_a_job_that_is_done_needs_none(world: World) -> None:
    job_state = world.runner.start(world.flow(input="work"), "source")
    world.runner.run()
    with pytest.raises(ResumeError, match="is completed: there is nothing to resume"):
        world.flow("laborer", input="work").resume(job_state, plan=FIRST)
    assert job_state.plans == []


# Functions of configurations.


def forgetful(config: dict[str, Any]) -> Any:
    config.clear()
    raise LookupError("it is gone")


def nothing(config: dict[str, Any]) -> Any:
    return None


def function(config: dict[str, Any]) -> Any:
    return config | {"key": lambda: None}


def same(config: dict[str, Any]) -> Any:
    config["level"] = 2
    return config


@pytest.mark.parametrize("bad", [forgetful, nothing, function])
def test_a_function_that_is_of_no_use_changes_nothing(world: World, bad: Any) -> None:
    flow = world.flow(input="work")
    flow.routines["worker"].set_config(level=1)
    document = flow.serialize()
    before = json.dumps(document)
    into = world.flow("laborer", input="work")
    was = into.serialize()
    with pytest.raises(SeriluxError) as refusal:
        into.deserialize(document, plan=Plan(routines={"worker": "laborer"}, config={"worker": bad}))
    assert refusal.value.path.startswith("routines.worker._config")
    assert (json.dumps(document), into.serialize()) == (before, was)


def test_a_function_may_change_what_it_is_given(world: World) -> None:
    flow = world.flow(input="work")
    flow.routines["worker"].set_config(level=1)
    document = flow.serialize()
    read = Flow()
    read.deserialize(document, plan=Plan(config={"worker": same}))
    assert (read.routines["worker"].get_config("level"), document["routines"]["worker"]["_config"]["level"]) == (2, 1)


def test_a_function_that_is_interrupted_interrupts(world: World) -> None:
    def stopped(config: dict[str, Any]) -> Any:
        raise KeyboardInterrupt

    flow = world.flow(input="work")
    before = flow.serialize()
    with pytest.raises(KeyboardInterrupt):
        flow.deserialize(before, plan=Plan(config={"worker": stopped}))
    assert flow.serialize() == before
