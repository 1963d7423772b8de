"""What a handler is given: a copy of its own, merged once per task and in order."""

import json
from typing import Any

import pytest

from routilux import DefinitionError, ErrorHandler, Flow, JobState, Routine, Slot
from routilux.testing import StepRunner
from serilux import register_serializable
from tests.engine.engine_parts import EngineSource, emitted, flow_of, retrying, routine


def add(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    return {"value": old.get("value", 0) + new["value"]}


def damage(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    merged = {"value": [*old.get("value", []), *new["value"]]}
    old.clear()
    new["value"].append("damage")
    return merged


def sending(*values: Any) -> Routine:
    def send(self: Routine) -> None:
        for value in values:
            self.emit("out", value=value)

    return routine(send, "out")


def given_to(target: Routine, *values: Any, **settings: Any) -> JobState:
    flow = flow_of(StepRunner(), links=("a.out>b",), a=sending(*values), b=target, **settings)
    job_state = flow.execute("a")
    job_state.wait(raise_on_failure=True)
    return job_state


def recording(seen: list[Any], **options: Any) -> Routine:
    return routine(lambda self, value: seen.append(value), **options)


MERGES: list[tuple[dict[str, Any], list[Any]]] = [
    ({}, [1, 2, 3]),
    ({"merge_strategy": "override"}, [1, 2, 3]),
    ({"merge_strategy": "append"}, [[1], [1, 2], [1, 2, 3]]),
    ({"merge_strategy": add}, [1, 3, 6]),
    ({"merge_strategy": "append", "when": lambda merged: len(merged["value"]) == 3}, [[1, 2, 3]]),
    ({"merge_strategy": add, "when": lambda merged: merged["value"] > 2}, [3, 6]),
    ({"when": lambda merged: merged["value"] != 2}, [1, 3]),
    ({"when": lambda merged: False}, []),
]


@pytest.mark.parametrize(("options", "expected"), MERGES)
def test_what_merging_gives(options: dict[str, Any], expected: list[Any]) -> None:
    seen: list[Any] = []
    given_to(recording(seen, **options), 1, 2, 3)
    assert seen == expected


def test_append_keeps_a_list_for_each_parameter_name() -> None:
    seen: list[Any] = []

    def send(self: Routine) -> None:
        self.emit("out", left=1)
        self.emit("out", right=2)
        self.emit("out", left=3, right=4)

    target = routine(lambda self, **data: seen.append(data), merge_strategy="append")
    flow_of(StepRunner(), links=("a.out>b",), a=routine(send, "out"), b=target).execute("a").wait()
    assert seen == [{"left": [1]}, {"left": [1], "right": [2]}, {"left": [1, 3], "right": [2, 4]}]


def test_a_slot_gathers_over_all_that_lead_to_it() -> None:
    seen: list[Any] = []

    def split(self: Routine) -> None:
        self.emit("left", value=1)
        self.emit("right", value=2)

    join = recording(seen, merge_strategy="append", when=lambda merged: len(merged["value"]) == 2)
    flow = flow_of(
        StepRunner(),
        links=("a.left>b", "a.right>c", "b.out>join", "c.out>join"),
        a=routine(split, "left", "right"),
        b=routine(lambda self, value: self.emit("out", value=10 * value), "out"),
        c=routine(lambda self, value: self.emit("out", value=100 * value), "out"),
        join=join,
    )
    job_state = flow.execute("a")
    job_state.wait(raise_on_failure=True)
    assert seen == [[10, 200]]
    assert job_state.get_routine_state("join")["status"] == "completed"


def test_slots_of_one_routine_gather_apart() -> None:
    seen: list[Any] = []

    def send(self: Routine) -> None:
        self.emit("out", value=1)

    target = recording(seen, merge_strategy="append")
    target.define_slot("other", lambda value: seen.append(["other", *value]), merge_strategy="append")
    flow_of(StepRunner(), links=("a.out>b", "a.out>b.other", "a.out>b"), a=routine(send, "out"), b=target).execute(
        "a"
    ).wait()
    assert seen == [[1], ["other", 1], [1, 1]]


@pytest.mark.parametrize(("options", "expected"), [(o, e) for o, e in MERGES if o.get("merge_strategy") != "override"])
def test_a_retry_sees_the_same_merged_data(options: dict[str, Any], expected: list[Any]) -> None:
    """Each task fails once; in the meantime the others arrive."""
    seen: list[Any] = []
    finished: list[Any] = []

    def take(self: Routine, value: Any) -> None:
        context = self.get_execution_context()
        assert context is not None
        if context.attempt == 1:
            seen.append(value)
            raise ValueError
        finished.append(value)

    target = routine(take, **options)
    target.set_error_handler(retrying(1, 1.0))
    given_to(target, 1, 2, 3)
    assert (seen, finished) == (expected, expected)


def test_data_is_merged_in_the_order_in_which_tasks_are_taken() -> None:
    seen: list[Any] = []

    def send(self: Routine) -> None:
        self.emit("out", value=1)
        self.emit_with("out", {"value": 2}, priority=1)
        self.emit("out", value=3)

    target = recording(seen, merge_strategy="append")
    flow_of(StepRunner(), links=("a.out>b",), a=routine(send, "out"), b=target).execute("a").wait()
    assert seen == [[2], [2, 1], [2, 1, 3]]


def test_concurrent_activations_each_see_what_was_merged_when_they_began() -> None:
    runner = StepRunner()
    seen: list[Any] = []
    flow = flow_of(
        runner,
        links=("a.out>b",),
        execution_strategy="concurrent",
        a=sending(1, 2, 3),
        b=recording(seen, merge_strategy="append"),
    )
    job_state = runner.start(flow, "a")
    runner.step()
    attempts = [runner.begin(job_state) for _ in range(3)]
    for attempt in reversed(attempts):
        assert attempt is not None
        attempt.run().commit()
    assert seen == [[1, 2, 3], [1, 2], [1]]


@pytest.mark.parametrize(
    ("merge", "error"),
    [
        (lambda old, new: 1 / 0, "ZeroDivisionError"),
        (lambda old, new: [1], "routilux.errors.DefinitionError"),
        (lambda old, new: None, "routilux.errors.DefinitionError"),
        (lambda old, new: {"value": object()}, "serilux.errors.UnsupportedValueError"),
        (lambda new: new, "TypeError"),
    ],
)
def test_a_merge_that_fails_is_a_failed_attempt(merge: Any, error: str) -> None:
    flow = flow_of(StepRunner(), links=("a.out>b",), a=sending(1), b=recording([], merge_strategy=merge))
    job_state = flow.execute("a")
    assert job_state.wait()
    assert job_state.error is not None
    assert (job_state.error.type, job_state.error.routine_id) == (error, "b")


def test_a_merge_function_may_give_the_data_other_names() -> None:
    seen: list[Any] = []

    def total(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
        return {"total": old.get("total", 0) + new["value"], "count": old.get("count", 0) + 1}

    source = sending(1, 2)
    source.define_event("known", ["value"])
    target = routine(lambda self, total, count: seen.append((total, count)), merge_strategy=total)
    flow = flow_of(StepRunner(), links=("a.out>b",), a=source, b=target)
    flow.connect("a", "known", "b", "trigger")
    flow.execute("a").wait(raise_on_failure=True)
    assert seen == [(1, 1), (3, 2)]


def test_a_merge_that_failed_is_made_again_by_the_retry_and_once() -> None:
    seen: list[Any] = []
    failures = [ValueError()]

    def merge(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
        if failures and new["value"] == 2:
            raise failures.pop()
        return {"value": [*old.get("value", []), new["value"]]}

    target = recording(seen, merge_strategy=merge)
    target.set_error_handler(retrying())
    given_to(target, 1, 2, 3)
    assert seen == [[1], [1, 3], [1, 3, 2]]


def test_a_predicate_that_fails_is_a_failed_attempt() -> None:
    target = recording([], when=lambda merged: merged["nothing"])
    target.set_error_handler(ErrorHandler("skip"))
    job_state = given_to(target, 1)
    assert job_state.get_routine_state("b")["status"] == "skipped"


def test_an_absorbed_task_leaves_no_record_and_completes_nothing() -> None:
    job_state = given_to(recording([], when=lambda merged: False), 1)
    assert (job_state.status, [r.routine_id for r in job_state.execution_history]) == ("completed", ["a", "a"])


def test_an_entry_whose_predicate_does_not_hold_returns_a_completed_job() -> None:
    flow = flow_of(StepRunner(), a=routine(lambda self: None, when=lambda merged: False))
    assert flow.execute("a").status == "completed"


# Copies.


@pytest.mark.parametrize("options", [{}, {"merge_strategy": "append"}, {"merge_strategy": damage}])
def test_what_a_handler_does_to_its_input_changes_nothing_anywhere(options: dict[str, Any]) -> None:
    seen: list[Any] = []

    def take(self: Routine, value: Any) -> None:
        context = self.get_execution_context()
        assert context is not None
        seen.append(json.dumps(value))
        value.append("mine")
        if isinstance(value[0], list):
            value[0].append("mine")
        if context.attempt == 1:
            raise ValueError

    parts = {name: routine(take, **options) for name in "bc"}
    for part in parts.values():
        part.set_error_handler(retrying())
    flow = flow_of(StepRunner(), links=("a.out>b", "a.out>c"), a=sending([1]), **parts)
    job_state = flow.execute("a")
    job_state.wait(raise_on_failure=True)
    assert len(seen) == 4 and len(set(seen)) == 1
    assert emitted(job_state, "out") == [{"value": [1]}]
    assert "mine" not in json.dumps(job_state.serialize())


def test_a_handler_that_takes_the_whole_dict_has_a_copy_of_it() -> None:
    def take(self: Routine, everything: dict[str, Any]) -> None:
        everything["more"] = 1

    job_state = given_to(routine(take), 1)
    assert job_state.serialize()["slot_data"]["b"] == {"trigger": {"value": 1}}


def test_the_callers_parameters_are_copied() -> None:
    seen: list[Any] = []
    runner = StepRunner()
    params = {"value": [1]}
    flow = flow_of(runner, a=recording(seen))
    job_state = runner.start(flow, "a", params)
    params["value"].append(2)
    job_state.wait()
    assert seen == [[1]]


def test_records_of_the_history_give_copies() -> None:
    job_state = given_to(recording([]), [1])
    emitted(job_state, "out")[0]["value"].append(2)
    job_state.execution_history.clear()
    assert emitted(job_state, "out") == [{"value": [1]}]


def test_two_jobs_gather_apart() -> None:
    seen: list[Any] = []
    runner = StepRunner()
    flow = flow_of(runner, links=("a.out>b",), a=sending(1, 2), b=recording(seen, merge_strategy="append"))
    for _ in range(2):
        runner.start(flow, "a")
    runner.run()
    assert sorted(seen) == [[1], [1], [1, 2], [1, 2]]


# Over a reload.


@register_serializable
class EngineJoiner(Routine):
    """Is activated by just its third value."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("trigger", self.join, "append", when=self.are_three)
        self.define_event("joined", ["value"])

    def are_three(self, merged: dict[str, Any]) -> bool:
        return len(merged["value"]) == 3

    def join(self, value: list[int]) -> None:
        self.emit("joined", value=value)


@register_serializable
class EngineSummer(Routine):
    """Is activated by just a sum of 3."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("trigger", self.join, add, when=self.is_three)
        self.define_event("joined", ["value"])

    def is_three(self, merged: dict[str, Any]) -> bool:
        return bool(merged["value"] == 3)

    def join(self, value: int) -> None:
        self.emit("joined", value=value)


@pytest.mark.parametrize(("join", "expected"), [(EngineJoiner, [0, 1, 2]), (EngineSummer, 3)])
def test_an_activation_cut_short_happens_again_even_if_more_was_merged_since(
    join: type[Routine], expected: Any
) -> None:
    runner = StepRunner()
    flow = flow_of(runner, links=("a.out>b",), execution_strategy="concurrent", a=EngineSource(), b=join())
    job_state = runner.start(flow, "a", {"count": 6})
    runner.step()
    attempt = runner.begin(job_state)
    assert attempt is not None and attempt.routine_id == "b"
    assert runner.begin(job_state) is None
    _, job_state = runner.reload(flow, job_state)
    assert job_state.wait(raise_on_failure=True)
    assert emitted(job_state, "joined") == [{"value": expected}]


def test_a_fan_in_goes_on_after_a_reload_after_each_step() -> None:
    runner = StepRunner()
    flow: Flow = flow_of(runner, links=("a.out>b",), a=EngineSource(), b=EngineJoiner())
    job_state = runner.start(flow, "a", {"count": 5})
    for _ in range(7):
        flow, job_state = runner.reload(flow, job_state)
        runner.step()
    assert job_state.wait(raise_on_failure=True)
    assert emitted(job_state, "joined") == [{"value": [0, 1, 2]}]


@register_serializable
class Gathering(Routine):
    def __init__(self) -> None:
        super().__init__()
        self.define_slot("trigger", self.take, merge_strategy="append")

    def take(self, n: list[int]) -> None:
        pass


def test_data_that_a_document_has_by_itself_is_the_first_of_those_that_come_to_its_slot() -> None:
    document = flow_of(a=Gathering()).serialize()
    document["routines"]["a"]["_slots"]["trigger"]["_data"] = {"n": 5}
    flow = Flow()
    flow.deserialize(document)
    flow.routines["a"].get_slot("trigger").receive({"n": 6})
    assert flow.serialize()["routines"]["a"]["_slots"]["trigger"]["_data"] == {"n": [5, 6]}


def forgetful(old: dict[str, Any], new: dict[str, Any]) -> None:
    old.update(new)


def test_a_merge_function_that_forgets_to_return_is_named() -> None:
    words = (
        r"^the merge function forgetful returned None; it returns a dict, which is what the slot holds from then on$"
    )
    slot = Slot("s", print, forgetful)  # type: ignore[arg-type]  # that is the mistake
    with pytest.raises(DefinitionError, match=words):
        slot.receive({"n": 1})
    assert not slot.holds_data
