"""Shared data and routine state: views, commits, conflicts (DESIGN section 6)."""

import contextvars
import warnings
from collections.abc import Callable
from typing import Any

import pytest

from routilux import ErrorHandler, Flow, JobState, Routine, RoutineStateWarning
from routilux.testing import StepRunner
from tests.engine.engine_parts import events_of, flow_of, retrying, routine

Work = Callable[[Any, Any], None]


def two_at_once(
    first: Work, second: Work, start: dict[str, Any] | None = None, policy: ErrorHandler | None = None
) -> JobState:
    """A job in which both have begun and run before the first commits, then the second."""
    runner = StepRunner()

    def call(self: Routine, which: int) -> None:
        context = self.get_execution_context()
        assert context is not None
        (first, second)[which](context.job_state, context)

    def send(self: Routine) -> None:
        self.emit("out", which=0)
        self.emit("out", which=1)

    target = routine(call)
    target.set_error_handler(policy)
    flow = flow_of(runner, links=("a.out>b",), execution_strategy="concurrent", a=routine(send, "out"), b=target)
    job_state = runner.start(flow, "a")
    for key, value in (start or {}).items():
        job_state.update_shared_data(key, value)
    runner.step()
    attempts = [runner.begin(job_state), runner.begin(job_state)]
    for attempt in attempts:
        assert attempt is not None
        attempt.run()
    for attempt in attempts:
        assert attempt is not None
        attempt.commit()
    job_state.wait()
    return job_state


def alone(work: Work, start: dict[str, Any] | None = None) -> JobState:
    runner = StepRunner()

    def call(self: Routine) -> None:
        context = self.get_execution_context()
        assert context is not None
        work(context.job_state, context)

    job_state = runner.start(flow_of(runner, a=routine(call)), "a")
    for key, value in (start or {}).items():
        job_state.update_shared_data(key, value)
    job_state.wait(raise_on_failure=True)
    return job_state


def test_outside_of_a_handler_it_is_the_plain_dict() -> None:
    job_state = alone(lambda job, context: job.update_shared_data("key", [1]))
    assert type(job_state.shared_data) is dict
    assert job_state.shared_data == {"key": [1]}


def test_a_handler_sees_what_is_committed_and_its_own_writes() -> None:
    def work(job: JobState, context: Any) -> None:
        shared = job.shared_data
        shared["b"] = 2
        assert dict(shared) == {"a": 1, "b": 2}
        assert sorted(shared) == ["a", "b"] and len(shared) == 2
        assert "b" in shared and "c" not in shared
        assert shared.get("c", 3) == 3
        assert repr(shared) == "{'a': 1, 'b': 2}"
        with pytest.raises(KeyError):
            shared["c"]
        assert job.shared_data["b"] == 2

    assert alone(work, {"a": 1}).shared_data == {"a": 1, "b": 2}


def test_nothing_is_committed_before_the_handler_returns() -> None:
    cuts: list[Any] = []

    def work(job: JobState, context: Any) -> None:
        job.shared_data["a"] = 1
        job.update_shared_data("b", 1)
        job.append_to_shared_log("entry")
        context.state["n"] = 1
        cuts.append(job.serialize())

    alone(work)
    assert (cuts[0]["shared_data"], cuts[0]["shared_log"], cuts[0]["routine_states"]) == ({}, [], {})


def test_deleted_keys_are_gone_and_may_come_back() -> None:
    def work(job: JobState, context: Any) -> None:
        shared = job.shared_data
        del shared["a"], shared["b"]
        assert "a" not in shared and list(shared) == ["c"]
        with pytest.raises(KeyError):
            del shared["a"]
        shared["b"] = 20
        shared["new"] = 1
        del shared["new"]
        assert shared.pop("c") == 3

    assert alone(work, {"a": 1, "b": 2, "c": 3}).shared_data == {"b": 20}


def test_containers_changed_in_place_are_written() -> None:
    def work(job: JobState, context: Any) -> None:
        job.shared_data["list"].append(2)
        job.shared_data["dict"]["deep"]["er"] = 1
        job.shared_data["set"].add(2)
        job.shared_data["unread"]

    start = {"list": [1], "dict": {"deep": {}}, "set": {1}, "unread": [1]}
    assert alone(work, start).shared_data == {
        "list": [1, 2],
        "dict": {"deep": {"er": 1}},
        "set": {1, 2},
        "unread": [1],
    }


def test_values_are_private_copies() -> None:
    kept: list[Any] = []

    def work(job: JobState, context: Any) -> None:
        value = [1]
        job.shared_data["written"] = value
        job.update_shared_data("updated", value)
        job.append_to_shared_log(value)
        kept.extend([value, job.shared_data["old"]])

    job_state = alone(work, {"old": [0]})
    for value in kept:
        value.append("later")
    assert job_state.shared_data == {"old": [0], "written": [1], "updated": [1]}
    assert job_state.shared_log == [[1]]


@pytest.mark.parametrize(
    "write",
    [
        lambda shared: shared.__setitem__("key", object()),
        lambda shared: shared.__setitem__(5, 1),
        lambda shared: shared.update({"key": {1: object()}}),
    ],
)
def test_what_cannot_be_kept_is_refused_at_the_write(write: Callable[[Any], None]) -> None:
    def work(job: JobState, context: Any) -> None:
        with pytest.raises(TypeError):
            write(job.shared_data)
        with pytest.raises(TypeError):
            job.update_shared_data("key", object())
        with pytest.raises(TypeError):
            job.update_shared_data(5, lambda old: old)
        with pytest.raises(TypeError):
            job.append_to_shared_log(object())

    job_state = alone(work)
    assert (job_state.shared_data, job_state.shared_log) == ({}, [])


def test_data_is_merged_in_place_within_a_handler_and_outside() -> None:
    def work(job: JobState, context: Any) -> None:
        job.shared_data |= {"b": 2}

    job_state = alone(work, {"a": 1})
    job_state.shared_data |= {"c": 3}
    assert job_state.shared_data == {"a": 1, "b": 2, "c": 3}


def test_shared_data_cannot_be_replaced() -> None:
    def work(job: JobState, context: Any) -> None:
        job.shared_data["b"] = 2
        with pytest.raises(AttributeError, match=r"cannot be replaced: change it \(shared_data\.update"):
            job.shared_data = {}

    job_state = alone(work, {"a": 1})
    with pytest.raises(AttributeError):
        job_state.shared_data = dict(job_state.shared_data)
    assert job_state.shared_data == {"a": 1, "b": 2}


def increment(job: JobState, context: Any) -> None:
    job.shared_data["n"] = job.shared_data["n"] + 1


def test_two_that_read_and_then_changed_a_key_are_a_conflict_of_the_later() -> None:
    job_state = two_at_once(increment, increment, {"n": 0})
    assert job_state.status == "failed"
    assert job_state.error is not None and job_state.error.type == "routilux.errors.SharedDataConflict"
    assert "update_shared_data('n', function)" in job_state.error.message
    assert job_state.shared_data == {"n": 1}


def test_where_a_function_for_shared_data_raises_the_error_says_when_it_is_called() -> None:
    def work(self: Routine) -> None:
        context = self.get_execution_context()
        assert context is not None
        context.job_state.update_shared_data("dead", lambda old: [*old])  # there is nothing yet

    job_state = flow_of(a=routine(work)).execute("a")
    job_state.wait()
    assert job_state.error is not None
    assert (job_state.error.type, job_state.error.traceback.splitlines()[-1]) == (
        "TypeError",
        "the function given to update_shared_data('dead') is called when the activation commits",
    )


def test_a_conflict_may_be_retried() -> None:
    job_state = two_at_once(increment, increment, {"n": 0}, retrying())
    assert (job_state.status, job_state.shared_data) == ("completed", {"n": 2})


def test_what_a_conflicting_attempt_emitted_and_wrote_is_not_kept_even_under_continue() -> None:
    def other(job: JobState, context: Any) -> None:
        increment(job, context)
        job.shared_data["blind"] = 1
        context.state["n"] = 1

    job_state = two_at_once(increment, other, {"n": 0}, ErrorHandler("continue"))
    assert (job_state.status, job_state.shared_data) == ("completed", {"n": 1})
    assert ("b", "error_continued") in events_of(job_state)


CONFLICTS: dict[str, Work] = {
    "increment": increment,
    "in place": lambda job, context: job.shared_data["list"].append(1),
    "delete": lambda job, context: job.shared_data.__delitem__("n"),
    "absent": lambda job, context: job.shared_data.setdefault("new", 1) and None,
    "looked": lambda job, context: job.shared_data.update(n=5) if "n" in job.shared_data else None,
}
DISTURBANCES: dict[str, Work] = {
    "increment": lambda job, context: job.shared_data.update(n=100),
    "in place": lambda job, context: job.shared_data.update(list=[5]),
    "delete": lambda job, context: job.update_shared_data("n", 7),
    "absent": lambda job, context: job.shared_data.update(new=2),
    "looked": lambda job, context: job.shared_data.pop("n"),
}


@pytest.mark.parametrize("name", CONFLICTS)
def test_whatever_depends_on_a_value_that_changed_since_is_a_conflict(name: str) -> None:
    job_state = two_at_once(DISTURBANCES[name], CONFLICTS[name], {"n": 0, "list": [0]})
    assert job_state.status == "failed"
    assert job_state.error is not None and job_state.error.type == "routilux.errors.SharedDataConflict"


NO_CONFLICTS: dict[str, tuple[Work, Work, dict[str, Any]]] = {
    "blind writes": (
        lambda job, context: job.shared_data.update(n=1),
        lambda job, context: job.shared_data.update(n=2),
        {"n": 2},
    ),
    "reading alone": (
        lambda job, context: job.shared_data.update(n=1),
        lambda job, context: job.shared_data["n"],
        {"n": 1},
    ),
    "different keys": (
        lambda job, context: job.shared_data.update(a=job.shared_data["n"]),
        lambda job, context: job.shared_data.update(b=job.shared_data["n"]),
        {"n": 0, "a": 0, "b": 0},
    ),
    "functions": (
        lambda job, context: job.update_shared_data("n", lambda old: old + 1),
        lambda job, context: job.update_shared_data("n", lambda old: old + 10),
        {"n": 11},
    ),
    "a function of what was read": (
        increment,
        lambda job, context: job.update_shared_data("n", lambda old: old + 10 + 0 * job.shared_data["n"]),
        {"n": 11},
    ),
    "update and write": (
        lambda job, context: job.shared_data.update(n=5),
        lambda job, context: job.update_shared_data("n", 7),
        {"n": 7},
    ),
    "iterating": (
        lambda job, context: job.shared_data.update(new=1),
        lambda job, context: [*job.shared_data, job.shared_data.update(other=len(job.shared_data))],
        {"n": 0, "new": 1, "other": 1},
    ),
    "equal again": (
        lambda job, context: job.shared_data.update(n=4),
        lambda job, context: [job.shared_data["n"]].append(1),
        {"n": 4},
    ),
}


@pytest.mark.parametrize("name", NO_CONFLICTS)
def test_what_is_no_conflict(name: str) -> None:
    first, second, expected = NO_CONFLICTS[name]
    job_state = two_at_once(first, second, {"n": 0})
    assert (job_state.error, job_state.shared_data) == (None, expected)


def test_updates_are_applied_in_order_on_top_of_the_activations_writes() -> None:
    def work(job: JobState, context: Any) -> None:
        job.update_shared_data("n", lambda old: old * 2)
        job.shared_data["n"] = 5
        job.update_shared_data("n", lambda old: old + 1)
        job.update_shared_data("gone", lambda old: [old])
        del job.shared_data["gone"]
        job.update_shared_data("new", lambda old: old)

    assert alone(work, {"n": 1, "gone": 1}).shared_data == {"n": 11, "gone": [None], "new": None}


def test_an_update_that_fails_is_a_failure_of_its_activation() -> None:
    def work(job: JobState, context: Any) -> None:
        job.shared_data["other"] = 1
        job.update_shared_data("n", lambda old: old / 0)

    job_state = two_at_once(work, lambda job, context: None, {"n": 1})
    assert job_state.error is not None and job_state.error.type == "ZeroDivisionError"
    assert job_state.shared_data == {"n": 1}


def test_an_update_that_gives_what_cannot_be_kept_is_a_failure() -> None:
    job_state = two_at_once(
        lambda job, context: job.update_shared_data("n", lambda old: object()), lambda job, context: None
    )
    assert job_state.error is not None and job_state.error.type.endswith("UnsupportedValueError")


def test_an_update_gets_a_copy_of_the_old_value() -> None:
    def damage(old: Any) -> Any:
        old.append("damage")
        raise ValueError

    job_state = two_at_once(
        lambda job, context: job.update_shared_data("list", damage), lambda job, context: None, {"list": [1]}
    )
    assert job_state.shared_data == {"list": [1]}


def test_a_retry_begins_with_what_is_committed() -> None:
    seen: list[Any] = []

    def work(self: Routine) -> None:
        context = self.get_execution_context()
        assert context is not None
        shared = context.job_state.shared_data
        seen.append((dict(shared), dict(context.state)))
        shared["n"], context.state["n"] = context.attempt, context.attempt
        context.job_state.append_to_shared_log(context.attempt)
        if context.attempt < 3:
            raise ValueError

    part = routine(work)
    part.set_error_handler(retrying())
    job_state = flow_of(StepRunner(), a=part).execute("a")
    job_state.wait()
    assert seen == [({}, {})] * 3
    assert (job_state.shared_data, job_state.shared_log) == ({"n": 3}, [3])


def test_outside_of_a_handler_updates_are_applied_at_once() -> None:
    job_state = JobState()
    job_state.update_shared_data("n", 1)
    job_state.update_shared_data("n", lambda old: old + 1)
    job_state.append_to_shared_log({"a": 1})
    assert (job_state.shared_data, job_state.shared_log) == ({"n": 2}, [{"a": 1}])
    with pytest.raises(ZeroDivisionError):
        job_state.update_shared_data("n", lambda old: old / 0)
    assert job_state.shared_data == {"n": 2}


def test_a_handler_sees_another_job_as_anybody_outside_does() -> None:
    other = JobState()
    other.update_shared_data("n", 1)

    def work(job: JobState, context: Any) -> None:
        assert type(other.shared_data) is dict
        other.update_shared_data("n", 2)
        assert other.shared_data == {"n": 2}

    assert alone(work).shared_data == {}


def test_shared_data_of_a_copied_context_belongs_to_the_activation() -> None:
    def work(job: JobState, context: Any) -> None:
        contextvars.copy_context().run(job.shared_data.update, n=1)

    assert alone(work).shared_data == {"n": 1}


def test_jobs_do_not_share() -> None:
    runner = StepRunner()

    def work(self: Routine, value: int) -> None:
        context = self.get_execution_context()
        assert context is not None
        context.state["n"] = context.job_state.shared_data["n"] = value
        context.job_state.append_to_shared_log(value)

    flow = flow_of(runner, a=routine(work))
    jobs = [runner.start(flow, "a", {"value": value}) for value in (1, 2)]
    attempts = [runner.begin(job) for job in jobs]
    for attempt in attempts:
        assert attempt is not None
        attempt.run()
    for attempt in attempts:
        assert attempt is not None
        attempt.commit()
    assert [job.shared_data for job in jobs] == [{"n": 1}, {"n": 2}]
    assert [job.shared_log for job in jobs] == [[1], [2]]
    assert [job.get_routine_state("a")["n"] for job in jobs] == [1, 2]


# Conflicts around flushes.


def flush(context: Any) -> None:
    context.flow.routines[context.routine_id].flush()


def interrupted(before: Work, between: Work, after: Work) -> JobState:
    """A handler that does `before`, flushes, and does `after` when another has done and committed `between`."""
    runner = StepRunner()

    def call(self: Routine, which: int) -> None:
        context = self.get_execution_context()
        assert context is not None
        job = context.job_state
        if which == 1:
            between(job, context)
            return
        before(job, context)
        self.flush()
        other = runner.begin(job)
        assert other is not None
        contextvars.Context().run(lambda: other.run().commit())
        after(job, context)

    def send(self: Routine) -> None:
        self.emit("out", which=0)
        self.emit("out", which=1)

    flow = flow_of(runner, links=("a.out>b",), execution_strategy="concurrent", a=routine(send, "out"), b=routine(call))
    job_state = runner.start(flow, "a")
    job_state.update_shared_data("n", 0)
    runner.step()
    attempt = runner.begin(job_state)
    assert attempt is not None
    current = contextvars.copy_context()
    current.run(lambda: attempt.run().commit())
    job_state.wait()
    return job_state


def set_n(value: int) -> Work:
    return lambda job, context: job.shared_data.update(n=value)


def test_blind_writes_stay_blind_after_a_flush() -> None:
    job_state = interrupted(set_n(1), set_n(2), set_n(3))
    assert (job_state.error, job_state.shared_data) == (None, {"n": 3})


def test_a_read_is_remembered_over_a_flush() -> None:
    job_state = interrupted(increment, set_n(5), set_n(3))
    assert job_state.error is not None and job_state.error.type.endswith("SharedDataConflict")


def test_reading_what_was_flushed_blindly_makes_it_known() -> None:
    job_state = interrupted(set_n(1), set_n(5), increment)
    assert job_state.error is not None and job_state.error.type.endswith("SharedDataConflict")


def test_an_update_of_ones_own_is_no_conflict_after_a_flush() -> None:
    def update(job: JobState, context: Any) -> None:
        assert job.shared_data["n"] == 0
        job.update_shared_data("n", lambda old: old + 1)

    job_state = interrupted(update, lambda job, context: None, increment)
    assert (job_state.error, job_state.shared_data) == (None, {"n": 2})


def test_a_conflict_in_a_flush_is_raised_there_and_commits_nothing() -> None:
    def conflicting(job: JobState, context: Any) -> None:
        context.state["seen"] = True
        with pytest.raises(RuntimeError, match="in between"):
            flush(context)
        raise ValueError("so it is")

    def after(job: JobState, context: Any) -> None:
        job.shared_data["n"] = 7
        conflicting(job, context)

    job_state = interrupted(lambda job, context: job.shared_data["n"], set_n(5), after)
    assert job_state.error is not None and job_state.error.message == "so it is"
    assert job_state.shared_data == {"n": 5}
    assert "seen" not in job_state.get_routine_state("b")


# The routine's own state.


def test_state_is_kept_from_activation_to_activation_and_over_a_reload() -> None:
    def count(self: Routine, value: int) -> None:
        context = self.get_execution_context()
        assert context is not None
        context.state.setdefault("seen", []).append(value)

    def send(self: Routine) -> None:
        for value in range(4):
            self.emit("out", value=value)

    runner = StepRunner()
    flow = flow_of(runner, links=("a.out>b",), a=routine(send, "out"), b=routine(count))
    job_state = flow.execute("a")
    runner.step()
    flow.pause(job_state)
    copy = JobState()
    copy.deserialize(job_state.serialize())
    flow.resume(copy).wait(raise_on_failure=True)
    assert copy.get_routine_state("b") == {"status": "completed", "error": None, "seen": [0, 1, 2, 3]}


def test_state_changed_by_two_at_once_is_a_conflict() -> None:
    def count(job: JobState, context: Any) -> None:
        context.state["n"] = context.state.get("n", 0) + 1

    job_state = two_at_once(count, count)
    assert job_state.error is not None and job_state.error.type.endswith("SharedDataConflict")
    assert job_state.get_routine_state("b")["n"] == 1
    assert two_at_once(count, count, policy=retrying()).get_routine_state("b")["n"] == 2


def test_state_that_is_only_read_is_no_conflict() -> None:
    job_state = two_at_once(lambda job, context: context.state.update(n=1), lambda job, context: context.state.get("n"))
    assert job_state.status == "completed"


def test_state_is_emptied_when_the_handler_empties_it() -> None:
    def count(self: Routine, value: int) -> None:
        context = self.get_execution_context()
        assert context is not None
        if value == 0:
            context.state["n"] = 1
        else:
            context.state.clear()

    def send(self: Routine) -> None:
        self.emit("out", value=0)
        self.emit("out", value=1)

    flow = flow_of(StepRunner(), links=("a.out>b",), a=routine(send, "out"), b=routine(count))
    job_state = flow.execute("a")
    job_state.wait()
    assert job_state.get_routine_state("b") == {"status": "completed", "error": None}


@pytest.mark.parametrize("name", ["status", "error"])
def test_state_cannot_use_the_names_of_get_routine_state(name: str) -> None:
    job_state = two_at_once(lambda job, context: context.state.update({name: 1}), lambda job, context: None)
    assert job_state.error is not None and job_state.error.type.endswith("DefinitionError")


def test_state_that_cannot_be_kept_is_a_failure() -> None:
    job_state = two_at_once(lambda job, context: context.state.update(n=object()), lambda job, context: None)
    assert job_state.error is not None and "routine_states.b.state" in job_state.error.message


def test_what_get_routine_state_gives_is_a_copy() -> None:
    job_state = alone(lambda job, context: context.state.update(items=[1]))
    job_state.get_routine_state("a")["items"].append(2)
    job_state.routine_states["a"]["items"].append(2)
    assert job_state.get_routine_state("a")["items"] == [1]
    assert job_state.get_routine_state("nobody") is None


# Attributes of the routine.


def set_attribute(self: Routine) -> None:
    self.count = 1  # the line that is reported


def configure(self: Routine) -> None:
    self.set_config(count=1)


@pytest.mark.parametrize("handler", [set_attribute, configure])
def test_setting_what_all_jobs_share_is_reported_with_its_place(handler: Callable[[Routine], None]) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        job_state = flow_of(StepRunner(), a=routine(handler)).execute("a")
    assert job_state.status == "completed"
    assert [(w.category, w.filename, w.lineno) for w in caught] == [
        (RoutineStateWarning, __file__, handler.__code__.co_firstlineno + 1)
    ]
    assert "Routine[a]" in str(caught[0].message)


def test_setting_an_attribute_of_another_routine_of_the_flow_is_reported_too() -> None:
    other = routine(lambda self: None)

    def work(self: Routine) -> None:
        other.count = 1

    with pytest.warns(RoutineStateWarning, match=r"Routine\[b\]"):
        flow_of(StepRunner(), a=routine(work), b=other).execute("a")


def test_outside_of_handlers_attributes_may_be_set() -> None:
    part = routine(lambda self: None)
    flow: Flow = flow_of(StepRunner(), a=part)
    part.count = 1
    part.set_config(count=1)
    flow.execute("a")
    part.count = 2
    assert part.get_config("count") == 1
