"""How data by name meets a handler's parameters, when it is delivered."""

from collections.abc import Callable
from functools import partial, wraps
from typing import Any

import pytest

from routilux import DefinitionError, Routine
from routilux.testing import StepRunner
from serilux import ForeignMethodError
from tests.engine.engine_parts import flow_of, retrying, routine

seen: list[Any] = []


@pytest.fixture(autouse=True)
def nothing_seen() -> None:
    seen.clear()


def two(self: Routine, left: int, right: int) -> None:
    seen.append((left, right))


def with_default(self: Routine, left: int, right: int = 7) -> None:
    seen.append((left, right))


def keyword_only(self: Routine, *, left: int, right: int = 8) -> None:
    seen.append((left, right))


def single(self: Routine, everything: Any) -> None:
    seen.append(everything)


def single_default(self: Routine, everything: Any = "default") -> None:
    seen.append(everything)


def single_and_rest(self: Routine, left: int, **rest: Any) -> None:
    seen.append((left, rest))


def rest_only(self: Routine, **rest: Any) -> None:
    seen.append(rest)


def nothing(self: Routine) -> None:
    seen.append("called")


def positional_with_default(self: Routine, hidden: int = 3, /, left: int = 0, right: int = 0) -> None:
    seen.append((hidden, left, right))


def starred(self: Routine, *more: int, left: int) -> None:
    seen.append((more, left))


def only_by_keyword(self: Routine, *, left: Any) -> None:
    seen.append(left)


def by_name(function: Callable[..., Any]) -> Callable[..., Any]:
    """A decorator that passes on what it is given by name, and nothing else."""

    @wraps(function)
    def wrapper(self: Routine, **data: Any) -> None:
        seen.append(sorted(data))
        function(self, **data)

    return wrapper


FITTING: list[tuple[Callable[..., Any], dict[str, Any], Any]] = [
    (two, {"left": 1, "right": 2}, (1, 2)),
    (two, {"right": 2, "left": 1}, (1, 2)),
    (with_default, {"left": 1}, (1, 7)),
    (with_default, {"left": 1, "right": 2}, (1, 2)),
    (keyword_only, {"left": 1}, (1, 8)),
    (single, {"everything": 1}, 1),
    (single, {"left": 1, "right": 2}, {"left": 1, "right": 2}),
    (single, {"left": 1}, {"left": 1}),
    (single, {}, {}),
    (single_default, {}, "default"),
    (single_default, {"left": 1}, {"left": 1}),
    (single_and_rest, {"left": 1}, (1, {})),
    (single_and_rest, {"left": 1, "more": 2}, (1, {"more": 2})),
    (rest_only, {}, {}),
    (rest_only, {"a": 1}, {"a": 1}),
    (nothing, {}, "called"),
    (positional_with_default, {"left": 1}, (3, 1, 0)),
    (starred, {"left": 1}, ((), 1)),
    (only_by_keyword, {"left": 1}, 1),
    (only_by_keyword, {"other": 1}, {"other": 1}),
]


@pytest.mark.parametrize(("handler", "data", "expected"), FITTING)
def test_data_that_fits(handler: Callable[..., Any], data: dict[str, Any], expected: Any) -> None:
    runner = StepRunner()
    job_state = flow_of(runner, a=routine(handler)).execute("a", data)
    assert (job_state.status, seen) == ("completed", [expected])


def test_a_decorator_around_a_handler_is_given_names() -> None:
    flow_of(StepRunner(), a=routine(by_name(single))).execute("a", {"everything": 1})
    flow_of(StepRunner(), a=routine(by_name(two))).execute("a", {"left": 1, "right": 2})
    assert seen == [["everything"], 1, ["left", "right"], (1, 2)]


class Bound:
    """Things that may be a handler and are no plain method."""

    def __call__(self, left: Any) -> None:
        seen.append(("called", left))

    @staticmethod
    def static(left: Any) -> None:
        seen.append(("static", left))

    @classmethod
    def of_class(cls, left: Any) -> None:
        seen.append((cls.__name__, left))

    def of_another(self, left: Any) -> None:
        seen.append((type(self).__name__, left))


@pytest.mark.parametrize(
    ("handler", "expected"),
    [
        (Bound(), ("called", 1)),
        (Bound.static, ("static", 1)),
        (Bound.of_class, ("Bound", 1)),
        (Bound().of_another, ("Bound", 1)),
        (lambda left: seen.append(("lambda", left)), ("lambda", 1)),
        (partial(lambda first, left: seen.append((first, left)), "partial"), ("partial", 1)),
        (partial(lambda first, left: seen.append((first, left)), left="replaced", first="given"), ("given", 1)),
    ],
)
def test_whatever_can_be_called_with_the_data_by_name_is(handler: Callable[..., Any], expected: Any) -> None:
    part = Routine()
    part.define_slot("trigger", handler)
    job_state = flow_of(StepRunner(), a=part).execute("a", {"left": 1})
    assert (job_state.status, seen) == ("completed", [expected])


class OfItsClass(Routine):
    """Has a method of its class for a handler."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("trigger", self.take)

    @classmethod
    def take(cls, left: Any) -> None:
        seen.append((cls.__name__, left))


def test_a_method_of_the_routines_class_is_called_too_and_cannot_be_written() -> None:
    flow = flow_of(StepRunner(), a=OfItsClass())
    assert (flow.execute("a", {"left": 1}).status, seen) == ("completed", [("OfItsClass", 1)])
    with pytest.raises(ForeignMethodError, match="method 'take' from OfItsClass"):
        flow.serialize()


@pytest.mark.parametrize("handler", [two, single, rest_only])
def test_what_a_handler_does_to_its_data_is_seen_by_nobody(handler: Callable[..., Any]) -> None:
    def send(self: Routine) -> None:
        self.emit("out", left=[1], right=[2])

    flow = flow_of(StepRunner(), source=routine(send, "out"), target=routine(handler))
    flow.connect("source", "out", "target", "trigger")
    job_state = flow.execute("source")
    job_state.wait()
    _spoil(seen[0])
    assert job_state.execution_history[1].data == {"left": [1], "right": [2]}
    assert job_state.serialize()["slot_data"]["target"]["trigger"] == {"left": [1], "right": [2]}


def _spoil(value: Any) -> None:
    for item in value.values() if isinstance(value, dict) else value:
        item.append("spoiled")


MISFITS: list[tuple[Callable[..., Any], dict[str, Any], str]] = [
    (two, {"left": 1}, "lacks 'right'"),
    (two, {}, "lacks 'left', 'right'"),
    (two, {"left": 1, "right": 2, "more": 3}, "has no place for 'more'"),
    (two, {"left": 1, "more": 3}, "lacks 'right' and has no place for 'more'"),
    (with_default, {"right": 1}, "lacks 'left'"),
    (single_and_rest, {"more": 1}, "lacks 'left'"),
    (single, {"everything": 1, "more": 2}, "has no place for 'more'"),
    (nothing, {"more": 1}, "has no place for 'more'"),
    (positional_with_default, {"hidden": 1}, "has no place for 'hidden'"),
]


@pytest.mark.parametrize(("handler", "data", "problem"), MISFITS)
def test_data_that_does_not_fit_fails_the_activation(
    handler: Callable[..., Any], data: dict[str, Any], problem: str
) -> None:
    job_state = flow_of(StepRunner(), a=routine(handler)).execute("a", data)
    assert (job_state.status, seen) == ("failed", [])
    assert job_state.error is not None
    assert job_state.error.type == "routilux.errors.BindingError"
    assert problem in job_state.error.message
    assert handler.__name__ in job_state.error.message


def test_a_misfit_is_decided_on_like_any_failure() -> None:
    part = routine(two)
    part.set_error_handler(retrying(1))
    job_state = flow_of(StepRunner(), a=part).execute("a", {"left": 1})
    job_state.wait()
    assert [record.event_name for record in job_state.execution_history] == ["start", "error", "start", "error"]


def send_to(target: Routine, params: list[str], mapping: dict[str, str] | None) -> None:
    source = Routine()
    source.define_event("out", params)
    flow = flow_of(source=source, target=target)
    try:
        flow.connect("source", "out", "target", "trigger", mapping)
    finally:
        assert len(flow.connections) in (0, 1)


@pytest.mark.parametrize(
    ("handler", "params", "mapping"),
    [
        (two, ["left", "more"], None),
        (two, ["left"], {"left": "centre"}),
        (two, ["left", "right"], {"left": "right", "right": "centre"}),
        (with_default, ["l"], None),
        (nothing, ["anything"], None),
        (positional_with_default, ["hidden"], None),
    ],
)
def test_connect_refuses_what_can_never_fit(
    handler: Callable[..., Any], params: list[str], mapping: dict[str, str] | None
) -> None:
    with pytest.raises(DefinitionError, match="param_mapping"):
        send_to(routine(handler), params, mapping)


@pytest.mark.parametrize(
    ("handler", "params", "mapping"),
    [
        (two, ["left"], None),
        (two, [], None),
        (two, ["l", "r"], {"l": "left", "r": "right"}),
        (two, ["left", "right"], {"left": "right", "right": "left"}),
        (single, ["a", "b"], None),
        (rest_only, ["a"], None),
        (single_and_rest, ["a"], None),
    ],
)
def test_connect_takes_what_may_fit(
    handler: Callable[..., Any], params: list[str], mapping: dict[str, str] | None
) -> None:
    send_to(routine(handler), params, mapping)


def test_a_mapping_renames_and_leaves_the_rest() -> None:
    def send(self: Routine) -> None:
        self.emit("out", l=1, right=2)

    job_state_flow = flow_of(StepRunner(), source=routine(send, "out"), target=routine(two))
    job_state_flow.connect("source", "out", "target", "trigger", {"l": "left"})
    job_state_flow.execute("source").wait()
    assert seen == [(1, 2)]


def test_a_mapping_may_swap_names() -> None:
    def send(self: Routine) -> None:
        self.emit("out", left=1, right=2)

    flow = flow_of(StepRunner(), source=routine(send, "out"), target=routine(two))
    flow.connect("source", "out", "target", "trigger", {"left": "right", "right": "left"})
    flow.execute("source").wait()
    assert seen == [(2, 1)]


def test_a_mapping_that_would_give_two_parameters_one_name_is_refused_at_the_emission() -> None:
    def send(self: Routine) -> None:
        self.emit("out", l=1, left=2)

    flow = flow_of(StepRunner(), source=routine(send, "out"), target=routine(two))
    flow.connect("source", "out", "target", "trigger", {"l": "left"})
    job_state = flow.execute("source")
    assert job_state.status == "failed"
    assert job_state.error is not None and job_state.error.type == "routilux.errors.DefinitionError"


def test_a_coroutine_that_nobody_awaits_is_refused() -> None:
    async def later() -> None:
        pass

    def forgetful(self: Routine) -> Any:
        return later()

    job_state = flow_of(StepRunner(), a=routine(forgetful)).execute("a")
    assert job_state.status == "failed"
    assert job_state.error is not None and "async def" in job_state.error.message


def test_what_a_handler_returns_is_ignored() -> None:
    def returning(self: Routine) -> Any:
        return object()

    assert flow_of(StepRunner(), a=routine(returning)).execute("a").status == "completed"


class EngineMeasurer(Routine):
    """Has builtins for handlers."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("trigger", handler=print)


def test_a_builtin_takes_the_whole_data_by_position(capsys: pytest.CaptureFixture[str]) -> None:
    flow = flow_of(StepRunner(), measure=EngineMeasurer())
    flow.execute("measure", {"left": 1}).wait(raise_on_failure=True)
    assert capsys.readouterr().out == "{'left': 1}\n"


def generating(self: Routine) -> Any:
    yield 1


async def generating_async(self: Routine) -> Any:
    yield 1


@pytest.mark.parametrize("handler", [generating, generating_async])
def test_a_generator_is_refused_as_a_handler(handler: Callable[..., Any]) -> None:
    with pytest.raises(DefinitionError, match="is a generator"):
        Routine().define_slot("input", handler=handler)


def test_a_mapping_to_a_name_that_the_single_parameter_does_not_have_is_refused() -> None:
    flow = flow_of(StepRunner(), a=routine(single, "out"), b=routine(single))
    with pytest.raises(DefinitionError, match="has no parameter 'nothing'"):
        flow.connect("a", "out", "b", "trigger", {"value": "nothing"})
