"""Routines that both hosts of the page's tests know."""

import threading
from typing import Any

from examples.cross_host.routines import DataProcessor, DataSource
from routilux import ConditionalRouter, Routine
from serilux import Serializable, register_serializable

attempts: list[tuple[str, int]] = []
"""Which routine's handler was called in this process, and for which attempt."""

busy = threading.Event()
gate = threading.Event()
gate.set()


def note_attempt(routine: Routine) -> int:
    context = routine.get_execution_context()
    assert context is not None
    attempts.append((context.routine_id, context.attempt))
    return context.attempt


def wait_at_the_gate() -> None:
    busy.set()
    assert gate.wait(60)


def keep(data: dict[str, Any]) -> bool:
    """A function at the top of a module, as slots and routers may refer to."""
    return bool(data)


def join(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    return {**old, **new}


def take(data: dict[str, Any]) -> None:
    """A handler that is a function."""


@register_serializable
class PageSource(DataSource):
    pass


@register_serializable
class PageProcessor(DataProcessor):
    pass


@register_serializable
class GatedProcessor(DataProcessor):
    def __init__(self):
        super().__init__()
        self.define_slot("gated", handler=self.process_later)

    def process_later(self, data=None):
        wait_at_the_gate()
        self.process(data)


@register_serializable
class Numbers(Routine):
    def __init__(self):
        super().__init__()
        self.define_slot("trigger", handler=self.send)
        self.define_event("output", ["number"])

    def send(self, count=3):
        note_attempt(self)
        for number in range(count):
            self.emit("output", number=number)


@register_serializable
class Recorder(Routine):
    def __init__(self):
        super().__init__()
        self.define_slot("trigger", handler=self.record)
        self.define_slot("input", handler=self.record)
        self.define_slot("appended", handler=self.record, merge_strategy="append")
        self.define_slot("silent")
        self.define_event("output")

    def record(self, **data):
        note_attempt(self)
        self.get_execution_context().job_state.append_to_shared_log(data)
        self.emit("output", **data)


@register_serializable
class GatedRecorder(Recorder):
    def __init__(self):
        super().__init__()
        self.define_slot("gated", handler=self.record_later)

    def record_later(self, **data):
        wait_at_the_gate()
        self.record(**data)


@register_serializable
class Unreliable(Routine):
    """Fails until the configured attempt."""

    def __init__(self):
        super().__init__()
        self.set_config(succeeds_at=1)
        self.define_slot("trigger", handler=self.call)
        self.define_slot("input", handler=self.call)
        self.define_event("output")

    def call(self, **data):
        attempt = note_attempt(self)
        if attempt < self.get_config("succeeds_at"):
            raise ConnectionError(f"no answer at attempt {attempt}")
        self.emit("output", attempt=attempt)


@register_serializable
class SharedWriter(Routine):
    def __init__(self):
        super().__init__()
        self.define_slot("trigger", handler=self.write)
        self.define_slot("input", handler=self.write)
        self.define_event("output")

    def write(self, **data):
        context = self.get_execution_context()
        context.job_state.shared_data[context.routine_id] = {"seen": sorted(context.job_state.shared_data)}
        self.emit("output")


@register_serializable
class PageBox(Serializable):
    def __init__(self):
        super().__init__()
        self.content = None
        self.note = "not registered, not written"
        self.add_serializable_fields(["content"])


@register_serializable
class PageFields(Routine):
    """The page's `add_serializable_fields`, in a class."""

    def __init__(self):
        super().__init__()
        self.field1 = self.field2 = self.field3 = None
        self.unregistered = "never written"
        self.add_serializable_fields(["field1", "field2", "field3"])


@register_serializable
class PageRouter(ConditionalRouter):
    def is_big(self, data):
        return data["number"] > 1
