"""Flows whose steps do nothing, so that what is timed is the library."""

import asyncio
from dataclasses import dataclass
from typing import Any

from routilux import ErrorHandler, ExecutionStrategy, Flow, JobState, JobStatus, Routine
from serilux import register_serializable

PATIENCE = 60.0


@register_serializable
class PassOn(Routine):
    """Hands on what it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("trigger", self.pass_on)
        self.define_event("out", ["left"])

    def pass_on(self, left: int) -> None:
        self.emit("out", left=left)


@register_serializable
class CountDown(Routine):
    """Counts down to nothing, if its event leads back to it."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("trigger", self.count_down)
        self.define_event("out", ["left"])

    def count_down(self, left: int) -> None:
        if left:
            self.emit("out", left=left - 1)


@register_serializable
class Linger(CountDown):
    """Counts down, and then waits for somebody who never comes."""

    def count_down(self, left: int) -> None:
        super().count_down(left)
        if not left:
            self.expect("trigger")


@register_serializable
class Spread(Routine):
    """Emits so many items, and can pause its job with them all pending."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("trigger", self.spread)
        self.define_event("item")

    def spread(self, count: int, shape: str = "small", pause: bool = False) -> None:
        make = ITEMS[shape]
        for index in range(count):
            self.emit("item", **make(index))
        context = self.get_execution_context()
        if pause and context is not None:
            context.flow.pause(context.job_state, "to be measured")


@register_serializable
class Take(Routine):
    """Takes items, and does nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("item", self.take)

    def take(self, **item: Any) -> None:
        pass


@register_serializable
class Sleep(Routine):
    """Waits for each item."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("item", self.sleep)

    async def sleep(self, index: int) -> None:
        await asyncio.sleep(1.0)


def _small(index: int) -> dict[str, Any]:
    return {"index": index}


def _flat(index: int) -> dict[str, Any]:
    return {"index": index, "path": f"lib/package/module_{index}.py", "size": index * 1.5, "readable": True}


def _nested(index: int) -> dict[str, Any]:
    return {"index": index, "imports": ["os", "sys", f"module_{index}"], "counts": {"lines": index, "classes": 3}}


@register_serializable
@dataclass
class Module:
    """What somebody may know of a file."""

    path: str
    size: float
    readable: bool = True


def _object(index: int) -> dict[str, Any]:
    return {"index": index, "module": Module(f"lib/package/module_{index}.py", index * 1.5)}


ITEMS = {"small": _small, "flat": _flat, "nested": _nested, "objects": _object}


def chain_flow(length: int) -> Flow:
    """As many different routines in a row."""
    flow = Flow("chain")
    for number in range(length):
        flow.add_routine(PassOn(), f"step_{number}")
    for number in range(1, length):
        flow.connect(f"step_{number - 1}", "out", f"step_{number}", "trigger")
    return flow


def ring_flow(routine: type[Routine] = CountDown) -> Flow:
    """One routine that leads back to itself."""
    flow = Flow("ring")
    flow.add_routine(routine(), "ring")
    flow.connect("ring", "out", "ring", "trigger")
    return flow


def fan_out_flow(sink: type[Routine] = Take, strategy: ExecutionStrategy = ExecutionStrategy.SEQUENTIAL) -> Flow:
    """One routine that gives many items to another."""
    flow = Flow("fan-out", strategy)
    flow.set_error_handler(ErrorHandler("stop"))
    flow.add_routine(Spread(), "spread")
    flow.add_routine(sink(), "sink")
    flow.connect("spread", "item", "sink", "item")
    return flow


def finish(job: JobState) -> None:
    """Wait for a job that has to complete."""
    if not job.wait(PATIENCE) or job.status is not JobStatus.COMPLETED:
        raise RuntimeError(f"a job of the benchmark did not complete:\n{job.explain()}")


def paused_with(items: int, shape: str) -> JobState:
    """A paused job with so many pending tasks, and one history record more."""
    flow = fan_out_flow()
    job = flow.execute("spread", {"count": items, "shape": shape, "pause": True})
    if job.status is not JobStatus.PAUSED:
        raise RuntimeError(f"a job of the benchmark did not pause:\n{job.explain()}")
    return job
