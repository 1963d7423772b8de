"""Routines and small flows for the tests of the engine."""

from collections.abc import Callable
from types import MethodType
from typing import Any

from routilux import ErrorHandler, Flow, JobState, Routine
from routilux.testing import StepRunner
from serilux import register_serializable


def routine(handler: Callable[..., Any], *events: str, **options: Any) -> Routine:
    """A routine whose slot `trigger` calls `handler(routine, ...)`."""
    made = Routine()
    for event in events:
        made.define_event(event)
    made.define_slot("trigger", MethodType(handler, made), **options)
    return made


def flow_of(runner: StepRunner | None = None, /, *, links: tuple[str, ...] = (), **parts: Any) -> Flow:
    """A flow of the routines among `parts`, with links like `a.out>b`; other parts are settings of the flow."""
    settings = {name: value for name, value in parts.items() if not isinstance(value, Routine)}
    if runner is not None:
        settings["engine_factory"] = runner.engine
    flow = Flow(settings.pop("flow_id", "flow"), **settings)
    for name, part in parts.items():
        if isinstance(part, Routine):
            flow.add_routine(part, name)
    for link in links:
        source, target = link.split(">")
        flow.connect(*source.split("."), *([*target.split("."), "trigger"][:2]))
    return flow


def events_of(job_state: JobState) -> list[tuple[str, str]]:
    return [(record.routine_id, record.event_name) for record in job_state.execution_history]


def emitted(job_state: JobState, event: str) -> list[dict[str, Any]]:
    return [record.data for record in job_state.execution_history if record.event_name == event]


def retrying(max_retries: int = 3, delay: float = 1.0, backoff: float = 2.0, **more: Any) -> ErrorHandler:
    return ErrorHandler("retry", max_retries, delay, backoff, **more)


@register_serializable
class EngineSource(Routine):
    """Emits `count` numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("trigger", self.start)
        self.define_event("out", ["value"])

    def start(self, count: int = 3) -> None:
        for value in range(count):
            self.emit("out", value=value)


@register_serializable
class EngineDoubler(Routine):
    """Doubles, twice per value by way of itself: each value comes out as `value` and `2 * value`."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("trigger", self.double)
        self.define_event("out", ["value"])

    def double(self, value: int) -> None:
        self.emit("out", value=value)
        self.emit("out", value=2 * value)


@register_serializable
class EngineCollector(Routine):
    """Keeps what came, in the shared log and as a sum in shared data."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("trigger", self.collect)
        self.define_event("done", ["value"])

    def collect(self, value: int) -> None:
        context = self.get_execution_context()
        assert context is not None
        context.job_state.append_to_shared_log(value)
        context.job_state.update_shared_data("sum", lambda old: (old or 0) + value)
        self.emit("done", value=value)


@register_serializable
class EngineAsker(Routine):
    """Expects an answer, for `patience` seconds, and tells it."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("trigger", self.ask)
        self.define_slot("answer", self.take)
        self.define_event("told", ["text"])

    def ask(self, patience: float | None = None) -> None:
        self.expect("answer", timeout=patience)

    def take(self, text: str) -> None:
        self.emit("told", text=text)


@register_serializable
class EnginePair(Routine):
    """Takes just two parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("trigger", self.take)

    def take(self, left: int, right: int = 0) -> None:
        pass


def pipeline(runner: StepRunner | None = None, **settings: Any) -> Flow:
    return flow_of(
        runner,
        links=("source.out>double", "double.out>collect"),
        source=EngineSource(),
        double=EngineDoubler(),
        collect=EngineCollector(),
        **settings,
    )


class StandInLock:
    """Has all that a job's lock has; what is otherwise is up to its subclasses."""

    def __init__(self, lock: Any) -> None:
        self._lock = lock

    def __getattr__(self, name: str) -> Any:
        return getattr(self._lock, name)

    def __enter__(self) -> Any:
        return self._lock.__enter__()

    def __exit__(self, *raised: Any) -> Any:
        return self._lock.__exit__(*raised)
