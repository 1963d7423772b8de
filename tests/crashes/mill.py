"""A flow with all that a crash could spoil, what its jobs must have done, and what there is to see of them.

Every handler that runs appends its task and attempt to a file, and those that commit emit their task's id: so the
history tells which activations were committed, and the file which were started.
"""

import asyncio
import os
import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from routilux import ErrorHandler, Flow, JobState, Routine
from serilux import register_serializable

RETRY_DELAY = 0.002
PATIENCE = 0.004
LONG = 0.003

Ran = Callable[[str], None]
_listeners: list[Ran] = []


def listen(ran: Ran) -> None:
    """Have each activation told, in this process."""
    _listeners.append(ran)


def listen_with(path: str, announce: Ran) -> None:
    """Have each activation told to a file, which keeps it whatever happens to this process, and then to `announce`."""
    effects = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def ran(what: str) -> None:
        os.write(effects, f"{what}\n".encode())
        announce(what)

    listen(ran)


class Jam(ArithmeticError):
    """Something that goes away when it is tried again."""


class Part(Routine):
    """What all parts of a mill do."""

    def begin(self) -> Any:
        context = self.get_execution_context()
        for ran in _listeners:
            ran(f"{context.task_id} {context.attempt}")
        return context

    def did(self, context: Any, value: int) -> None:
        if self.get_config("counts"):
            context.state["count"] = context.state.get("count", 0) + 1
        self.emit("did", task=context.task_id, value=value)


@register_serializable(name="MillSource")
class Source(Part):
    """Makes items out of nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("trigger", handler=self.make)
        self.define_event("item", ["value", "hops"])
        self.define_event("did", ["task", "value"])

    def make(self, count: int, hops: int) -> None:
        context = self.begin()
        for value in range(count):
            self.emit("item", value=value, hops=hops)
        self.did(context, count)


class AnyStep(Part):
    """Fails as often as an item's value says, sends it round, at once or a little later, then on."""

    def __init__(self) -> None:
        super().__init__()
        for event in ("again", "on"):
            self.define_event(event, ["value", "hops"])
        self.define_event("did", ["task", "value"])
        self.set_error_handler(
            ErrorHandler(
                "retry", max_retries=3, retry_delay=RETRY_DELAY, retry_backoff=1.0, retryable_exceptions=(Jam,)
            )
        )

    def work(self, value: int, hops: int) -> None:
        context = self.begin()
        if context.attempt <= value % 3:
            raise Jam(f"{value} at attempt {context.attempt}")
        context.job_state.update_shared_data("total", lambda total: (total or 0) + value)
        context.job_state.append_to_shared_log([context.task_id, value])
        self.did(context, value)
        if hops and value % 2:
            self.emit_with("again", {"value": value, "hops": hops - 1}, delay=RETRY_DELAY)
        else:
            self.emit("again" if hops else "on", value=value, hops=max(hops - 1, 0))


@register_serializable(name="MillStep")
class Step(AnyStep):
    """A step on a thread; some take longer than a store's window."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("item", handler=self.run)

    def run(self, value: int, hops: int) -> None:
        self.work(value, hops)
        if value % 5 == 4:
            time.sleep(LONG)


@register_serializable(name="MillAsyncStep")
class AsyncStep(AnyStep):
    """A step as a coroutine."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("item", handler=self.run)

    async def run(self, value: int, hops: int) -> None:
        await asyncio.sleep(LONG if value % 5 == 4 else 0)
        self.work(value, hops)


@register_serializable(name="MillPatient")
class Patient(Part):
    """Waits for an answer that does not come."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("item", handler=self.ask)
        self.define_slot("answer", handler=self.answered)
        self.define_event("did", ["task", "value"])
        self.set_error_handler(ErrorHandler("skip"))

    def ask(self, value: int, hops: int) -> None:
        context = self.begin()
        self.did(context, value)
        self.expect("answer", timeout=PATIENCE)

    def answered(self, value: int) -> None:
        raise AssertionError("nobody answers")


@register_serializable(name="MillGather")
class Gather(Part):
    """Keeps all that has come."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("item", handler=self.take, merge_strategy="append")
        self.define_event("did", ["task", "value"])

    def take(self, value: list[int], hops: list[int]) -> None:
        context = self.begin()
        self.did(context, value[-1])


KINDS = ("sequential", "concurrent", "async")


def mill(kind: str) -> Flow:
    """The flow: its steps run one by one, on threads or as coroutines.

    Its routines count in their state what they do, unless two at once would (DESIGN section 6).
    """
    strategy = "sequential" if kind == "sequential" else "concurrent"
    flow = Flow(f"mill-{kind}", execution_strategy=strategy, max_workers=3)
    flow.add_routine(Source(), "source")
    flow.add_routine(AsyncStep() if kind == "async" else Step(), "step")
    flow.add_routine(Patient(), "patient")
    flow.add_routine(Gather(), "gather")
    for routine in flow.routines.values():
        routine.set_config(counts=kind == "sequential")
    flow.connect("source", "item", "step", "item")
    flow.connect("step", "again", "step", "item")
    flow.connect("step", "on", "patient", "item")
    flow.connect("step", "on", "gather", "item")
    return flow


class Order(NamedTuple):
    """What a job is given to do: so many items, each to be sent round so often."""

    count: int = 6
    hops: int = 5


class Outcome(NamedTuple):
    """What is to be seen of a job at the end, as far as it does not depend on when what was run."""

    status: str
    history: Counter[Any]
    states: dict[str, Any]
    shared: dict[str, Any]
    log: Counter[int]
    gathered: Counter[int]


def expected(kind: str, order: Order) -> Outcome:
    """What a job must have done, said without any of the engine's code."""
    history: Counter[Any] = Counter()
    history["source", "start", ("slot", "trigger")] = 1
    history["source", "did", ("value", order.count)] = 1
    for value in range(order.count):
        history["source", "item", ("value", value), ("hops", order.hops)] += 1
        _expect_steps(history, value, order.hops)
        for routine_id in ("patient", "gather"):
            history[routine_id, "start", ("slot", "item")] += 1
            history[routine_id, "did", ("value", value)] += 1
        for event in ("error", "skipped"):
            message = f"nobody delivered to patient.answer within {PATIENCE} s"
            what = ("type", "routilux.errors.DeliveryTimeout"), ("message", message), ("attempt", 1)
            history["patient", event, *what] += 1
    steps, total = order.count * (order.hops + 1), sum(range(order.count)) * (order.hops + 1)
    return Outcome(
        "completed",
        history,
        {"source": 1, "step": steps, "patient": order.count, "gather": order.count} if kind == "sequential" else {},
        {"total": total},
        Counter(dict.fromkeys(range(order.count), order.hops + 1)),
        Counter(range(order.count)),
    )


def _expect_steps(history: Counter[Any], value: int, hops: int) -> None:
    history["step", "start", ("slot", "item")] += (1 + value % 3) * (hops + 1)
    history["step", "did", ("value", value)] += hops + 1
    for attempt in range(1, value % 3 + 1):
        message = f"{value} at attempt {attempt}"
        what = ("type", f"{__name__}.Jam"), ("message", message), ("attempt", attempt)
        history["step", "error", *what] += hops + 1
    for left in range(hops):
        history["step", "again", ("value", value), ("hops", left)] += 1
    history["step", "on", ("value", value), ("hops", 0)] += 1


def outcome(job_state: JobState) -> Outcome:
    """What is to be seen of a job."""
    states = job_state.routine_states
    slot_data = job_state.serialize()["slot_data"]
    return Outcome(
        str(job_state.status),
        Counter(_without_task(record) for record in job_state.execution_history),
        {name: state["count"] for name, state in states.items() if "count" in state},
        dict(job_state.shared_data),
        Counter(value for _, value in job_state.shared_log),
        Counter(slot_data["gather"]["item"]["value"]),
    )


def _without_task(record: Any) -> tuple[Any, ...]:
    return record.routine_id, record.event_name, *((name, v) for name, v in record.data.items() if name != "task")


def committed(job_state: JobState) -> list[str]:
    """The ids of the tasks that were committed, in that order."""
    return [record.data["task"] for record in job_state.execution_history if record.event_name == "did"]


def started(lines: Iterable[str]) -> list[str]:
    """The ids of the tasks that were started, each as often as it was."""
    return [line.split()[0] for line in lines]
