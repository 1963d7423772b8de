"""A job whose handlers have changed their parameters: `check` and `resume` say so before anything runs (law 7)."""

from typing import Any

import pytest

from routilux import ErrorHandler, Fit, Flow, JobState, Plan, ResumeError, Routine, Verdict
from routilux.testing import StepRunner
from serilux import UnsupportedValueError, register_serializable
from tests.engine.engine_parts import flow_of, routine


def send(self: Routine) -> None:
    self.emit("out", left=1)


def take_left(self: Routine, left: int) -> None:
    pass


def take_both(self: Routine, left: int, right: int) -> None:
    pass


def take_any(self: Routine, **data: Any) -> None:
    pass


def take_lists(self: Routine, left: list[int]) -> None:
    raise ArithmeticError("later")


def take_other_lists(self: Routine, left: list[int], right: list[int]) -> None:
    pass


def two_steps(runner: StepRunner, second: Any, **options: Any) -> Flow:
    return flow_of(runner, links=("a.out>b",), a=routine(send, "out"), b=routine(second, **options))


def paused(runner: StepRunner, flow: Flow, steps: int) -> JobState:
    job_state = runner.start(flow, "a")
    for _ in range(steps):
        runner.step()
    flow.pause(job_state)
    return job_state


def test_a_pending_task_that_a_changed_handler_cannot_take_is_listed() -> None:
    runner = StepRunner()
    job_state = paused(runner, two_steps(runner, take_left), 1)
    (problem,) = two_steps(runner, take_both).check(job_state)
    assert problem.startswith("pending_tasks[0] is for b.trigger: data with 'left' does not fit")
    assert "it lacks 'right'" in problem


def test_a_job_with_such_a_task_is_not_resumed_and_not_changed() -> None:
    runner = StepRunner()
    job_state = paused(runner, two_steps(runner, take_left), 1)
    before = job_state.serialize()
    with pytest.raises(ResumeError, match="cannot go on in flow 'flow'; nothing was changed"):
        two_steps(runner, take_both).resume(job_state)
    assert job_state.serialize() == before


def test_a_taken_task_of_a_slot_that_appends_is_checked_with_what_it_has_seen() -> None:
    runner = StepRunner()
    policy = ErrorHandler("retry")
    first = two_steps(runner, take_lists, merge_strategy="append")
    first.routines["b"].set_error_handler(policy)
    job_state = paused(runner, first, 2)
    (problem,) = two_steps(runner, take_other_lists, merge_strategy="append").check(job_state)
    assert "it lacks 'right'" in problem


def test_what_cannot_be_known_before_it_is_merged_is_not_guessed() -> None:
    runner = StepRunner()
    job_state = paused(runner, two_steps(runner, take_left, merge_strategy="append"), 1)
    assert two_steps(runner, take_both, merge_strategy="append").check(job_state) == []


@pytest.mark.parametrize(
    ("steps", "options", "told"),
    [(1, {}, ["pending_tasks[0]"]), (1, {"when": bool}, []), (2, {}, [])],
)
def test_what_an_appending_slot_still_lacks_is_told(steps: int, options: dict[str, Any], told: list[str]) -> None:
    runner = StepRunner()
    job_state = paused(runner, two_steps(runner, take_left, merge_strategy="append", **options), steps)
    changed = two_steps(runner, take_both, merge_strategy="append", **options)
    notes = [note for note in changed.check(job_state).notes if "needs 'right', which nothing there has so far" in note]
    assert [(note.place, note.routine_id, note.slot) for note in notes] == [(place, "b", "trigger") for place in told]


def test_what_comes_with_a_later_task_is_not_lacking() -> None:
    def send_both(self: Routine) -> None:
        self.emit("out", left=1)
        self.emit("out", right=1)

    def flow(second: Any) -> Flow:
        parts = {"a": routine(send_both, "out"), "b": routine(second, merge_strategy="append")}
        return flow_of(runner, links=("a.out>b",), **parts)

    runner = StepRunner()
    job_state = paused(runner, flow(take_any), 1)
    assert [note for note in flow(take_both).check(job_state).notes if "so far" in note] == []


def test_a_pending_task_that_fits_is_no_problem() -> None:
    runner = StepRunner()
    flow = two_steps(runner, take_left)
    assert flow.check(paused(runner, flow, 1)) == []


@register_serializable
class EngineLenient(ErrorHandler):
    """A policy of the user's."""


def test_a_policy_that_would_come_back_as_another_is_refused() -> None:
    with pytest.raises(UnsupportedValueError, match="would come back as a plain ErrorHandler"):
        EngineLenient().serialize()


def test_a_pending_task_that_never_fitted_fails_as_it_would_have_without_the_pause() -> None:
    runner = StepRunner()
    flow = two_steps(runner, take_both)
    job_state = paused(runner, flow, 1)
    verdict = flow.check(job_state)
    assert verdict == [] and [note.place for note in verdict.notes] == ["pending_tasks[0]"]
    flow.resume(job_state)
    runner.run()
    assert job_state.status == "failed"
    assert job_state.error is not None and job_state.error.type == "routilux.errors.BindingError"


def test_what_a_document_does_not_tell_is_not_taken_for_unchanged() -> None:
    """A document has no parameters, so that nobody knows whether the handler has changed since."""
    runner = StepRunner()
    flow = two_steps(runner, take_both)
    job_state = JobState()
    job_state.deserialize(paused(runner, flow, 1).serialize())
    (problem,) = flow.check(job_state)
    assert "it lacks 'right'" in problem


# What a handler may be given, and may not: a predicate is before it, or what comes next is merged with it.


def take_price(self: Routine, price: Any, number: Any) -> None:
    pass


def take_amount(self: Routine, amount: Any, number: Any) -> None:
    pass


def take_amount_alone(self: Routine, amount: Any) -> None:
    pass


def merged_price(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    return {"price": new["price"], "number": old.get("number", 0) + 1}


def never(data: dict[str, Any]) -> bool:
    return False


def sending(*sent: dict[str, Any]) -> Any:
    def send_all(self: Routine) -> None:
        for data in sent:
            self.emit("out", **data)
        self.expect("more")

    return send_all


def till(runner: StepRunner, handler: Any, *sent: dict[str, Any], **options: Any) -> Flow:
    """A flow whose second routine is sent these data; then its first one waits for more."""
    first = routine(sending(*sent), "out")
    first.define_slot("more", take_any.__get__(first))
    return flow_of(runner, links=("a.out>b",), a=first, b=routine(handler, **options))


PAID = {"price": 5, "number": 1}
APPENDING: dict[str, Any] = {"merge_strategy": "append"}
JOINING = APPENDING | {"when": never}


def verdict_of(
    before: Any, now: Any, *sent: dict[str, Any], steps: int = 1, plan: Plan | None = None, **options: Any
) -> Verdict:
    runner = StepRunner()
    job_state = paused(runner, till(runner, before, *sent, **options), steps)
    return till(runner, now, *sent, **options).check(job_state, plan=plan)


def test_a_join_that_holds_what_its_handler_has_under_another_name_needs_a_plan() -> None:
    verdict = verdict_of(take_price, take_amount, PAID, steps=2, **JOINING)
    (problem,) = verdict
    assert str(problem) == (
        "slot_data.b.trigger: its handler has no parameter 'price'; it could not take what comes next; "
        "with Plan(parameters={'b.trigger': {'price': 'amount'}}) it would fit, if that is right; else say in a plan "
        "what the parameters are now (parameters={'b.trigger': ...}), or forget it in a plan (forget=['b.trigger'])"
    )
    assert (problem.place, problem.routine_id, problem.slot) == ("slot_data.b.trigger", "b", "trigger")
    assert (problem.fit, problem.hint) == (Fit.NEEDS_PLAN, Plan(parameters={"b.trigger": {"price": "amount"}}))
    assert [note for note in verdict.notes if note.place == problem.place] == []


def test_with_data_that_waits_in_its_tasks_it_is_told_of_these() -> None:
    verdict = verdict_of(take_price, take_amount, PAID, PAID, steps=1, **JOINING)
    assert [problem.place for problem in verdict] == ["pending_tasks[0]", "pending_tasks[1]"]
    runner = StepRunner()
    flow = till(runner, take_price, PAID, PAID, **APPENDING)
    job_state = paused(runner, flow, 2)
    found = till(runner, take_amount, PAID, PAID, **APPENDING).check(job_state)
    assert [problem.place for problem in found] == ["pending_tasks[0]"]  # and not of its slot besides


def test_a_slot_that_waits_for_a_delivery_is_told_of_by_what_has_come_there() -> None:
    def send_and_wait(self: Routine) -> None:
        self.emit("out", **PAID)

    def wait_for_more(self: Routine, price: Any, number: Any) -> None:
        self.expect("trigger")

    runner = StepRunner()
    parts = {"a": routine(send_and_wait, "out"), "b": routine(wait_for_more, **APPENDING)}
    job_state = paused(runner, flow_of(runner, links=("a.out>b",), **parts), 2)
    changed = {"a": routine(send_and_wait, "out"), "b": routine(take_amount, **APPENDING)}
    verdict = flow_of(runner, links=("a.out>b",), **changed).check(job_state)
    assert [problem.place for problem in verdict] == ["slot_data.b.trigger"]


@pytest.mark.parametrize("options", [APPENDING, JOINING, {"merge_strategy": merged_price}])
def test_what_is_merged_with_what_comes_next_has_the_names_that_a_plan_gives_it(options: dict[str, Any]) -> None:
    renamed, misspelt = ({"b.trigger": {"price": name}} for name in ("amount", "amuont"))
    assert verdict_of(take_price, take_amount, PAID, steps=2, plan=Plan(parameters=renamed), **options) == []
    found = verdict_of(take_price, take_amount, PAID, steps=2, plan=Plan(parameters=misspelt), **options)
    is_up_to_the_function = options["merge_strategy"] is merged_price
    assert [problem.hint for problem in found] == ([] if is_up_to_the_function else [None])
    assert len(verdict_of(take_price, take_amount, PAID, steps=2, plan=Plan(forget=["b.trigger"]), **options)) == 0


def test_what_a_function_makes_of_data_needs_a_plan_that_may_say_that_it_knows_both_names() -> None:
    options = {"merge_strategy": merged_price}
    for now in (take_amount, take_amount_alone, take_nothing):
        (problem,) = verdict_of(take_price, now, PAID, steps=2, **options)
        assert (problem.place, problem.fit) == ("slot_data.b.trigger", Fit.NEEDS_PLAN)
        assert verdict_of(take_price, now, PAID, steps=2, plan=Plan(parameters={"b.trigger": {}}), **options) == []


def test_what_is_appended_to_stays_wrong_whatever_a_plan_says_of_it() -> None:
    (problem,) = verdict_of(
        take_price, take_amount, PAID, steps=2, plan=Plan(parameters={"b.trigger": {}}), **APPENDING
    )
    assert problem.fit is Fit.NEEDS_PLAN


def test_one_parameter_that_would_take_all_that_has_come_needs_a_plan_if_only_one_that_means_it() -> None:
    for sent in (PAID, {"price": 5}):
        verdict = verdict_of(take_price_maybe, take_amount_alone, sent, steps=2, **APPENDING)
        assert [problem.fit for problem in verdict] == [Fit.NEEDS_PLAN]
        meant = Plan(parameters={"b.trigger": {}})
        assert verdict_of(take_price_maybe, take_amount_alone, sent, steps=2, plan=meant, **APPENDING) == []


def test_more_than_one_parameter_may_become_the_whole() -> None:
    verdict = verdict_of(take_price, take_amount_alone, PAID)
    assert [problem.fit for problem in verdict] == [Fit.NEEDS_PLAN]


def take_price_maybe(self: Routine, price: Any, number: Any = 0) -> None:
    pass


def take_nothing(self: Routine) -> None:
    pass


def test_a_join_whose_handler_has_lost_a_parameter_breaks() -> None:
    (problem,) = verdict_of(take_price, take_nothing, PAID, steps=2, **JOINING)
    assert (problem.fit, problem.hint) == (Fit.BREAKS, None)
    either, _, or_else = problem.remedy.partition("; ")
    assert either == "give new parameters defaults and keep old ones, or take **kwargs"
    assert or_else == "or forget it in a plan (forget=['b.trigger'])"


def test_what_is_still_to_be_appended_may_have_what_is_missing_besides() -> None:
    """So that a name for which there is room is one that a plan can give."""
    (problem,) = verdict_of(take_price_maybe, take_amount, {"price": 5}, **APPENDING)
    assert (problem.fit, problem.hint) == (Fit.NEEDS_PLAN, None)


def test_a_task_that_a_predicate_may_hold_back_matters_where_the_handler_of_before_could_take_it() -> None:
    options, renamed = {"when": never}, Plan(parameters={"b.trigger": {"price": "amount"}})
    sent = PAID, {"remark": "none has ever taken this"}
    verdict = verdict_of(take_price, take_amount, *sent, **options)
    assert [(problem.place, problem.fit) for problem in verdict] == [("pending_tasks[0]", Fit.NEEDS_PLAN)]
    assert verdict_of(take_price, take_amount, *sent, plan=renamed, **options) == []
    unchanged = verdict_of(take_price, take_price, *sent, **options)
    assert (unchanged, [note for note in unchanged.notes if "will fail" in note]) == ([], [])


def test_a_plan_that_gives_what_fitted_a_name_that_does_not_is_refused() -> None:
    misspelt = Plan(parameters={"b.trigger": {"price": "prize"}})
    (problem,) = verdict_of(take_price, take_price, PAID, plan=misspelt)
    assert problem.place == "pending_tasks[0]"


def test_data_that_is_no_lists_is_told_as_that_alone() -> None:
    runner = StepRunner()
    job_state = paused(runner, till(runner, take_price, PAID, when=never), 2)
    (problem,) = till(runner, take_amount, PAID, **JOINING).check(job_state)
    assert "the slot appends, so each parameter's data is a list" in problem


def test_a_plan_that_gives_names_of_several_versions_is_understood_by_those_that_the_job_has() -> None:
    names = {"cost": "amount", "price": "amount", "charge": "amount"}
    assert verdict_of(take_price, take_amount, PAID, plan=Plan(parameters={"b.trigger": names}), when=never) == []
    (problem,) = verdict_of(take_price, take_both, PAID, plan=Plan(parameters={"b.trigger": names}), when=never)
    assert problem.place == "pending_tasks[0]"


def test_what_has_come_and_no_handler_has_ever_taken_is_noted() -> None:
    for before in (take_price, take_both):
        verdict = verdict_of(before, take_both, {"odd": 1}, steps=2, **JOINING)
        assert verdict == []
        assert [str(note) for note in verdict.notes if note.place == "slot_data.b.trigger"] == [
            "slot_data.b.trigger: its handler has no parameter 'odd'; it could not take what comes next"
        ]


@pytest.mark.parametrize(
    ("options", "sent", "problems", "notes"),
    [
        (JOINING, [PAID], [], ["slot_data.b.trigger"]),
        (APPENDING, [PAID, PAID], ["pending_tasks[0]"], []),
        ({"merge_strategy": merged_price}, [PAID], [], []),
    ],
)
def test_of_what_has_come_a_document_does_not_tell_whether_it_was_ever_taken(
    options: dict[str, Any], sent: list[dict[str, Any]], problems: list[str], notes: list[str]
) -> None:
    runner = StepRunner()
    job_state = JobState()
    job_state.deserialize(paused(runner, till(runner, take_price, *sent, **options), 2).serialize())
    verdict = till(runner, take_amount, *sent, **options).check(job_state)
    assert [problem.place for problem in verdict] == problems
    assert [note.place for note in verdict.notes if "parameter" in note] == notes


def test_what_is_replaced_by_what_comes_next_need_not_fit() -> None:
    assert verdict_of(take_price, take_amount, PAID, steps=2) == []
