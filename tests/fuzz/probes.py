"""Registered classes and functions that the fuzzed documents may name, and which tell when one is called.

Reading a document may build a registered class without arguments, set its fields, and have it read a document of its
own making. It must not call a handler, a merge function, a predicate, a condition or anything else.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Any

import msgspec

from routilux import ConditionalRouter, ErrorHandler, Flow, Routine
from serilux import Serializable, register_serializable

CALLS: list[str] = []
"""What was called; nothing may be."""


def called(name: str) -> None:
    CALLS.append(name)


def probe_function(*args: Any, **kwargs: Any) -> Any:
    called("probe_function")


def probe_merge(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    called("probe_merge")
    return new


def probe_predicate(data: dict[str, Any]) -> bool:
    called("probe_predicate")
    return True


@register_serializable
class FuzzColour(Enum):
    RED = 1
    GREEN = "green"


@register_serializable
@dataclass
class FuzzPoint:
    x: Any
    y: Any = None

    def shift(self) -> None:
        called("FuzzPoint.shift")


@register_serializable
@dataclass(frozen=True)
class FuzzPair:
    left: Any
    right: Any


@register_serializable
class FuzzRecord(msgspec.Struct, frozen=True):
    name: Any
    size: Any = 0


@register_serializable
class FuzzBox(Serializable):
    def __init__(self) -> None:
        self.label = "box"
        self.content: Any = None
        self.check: Any = None
        self.add_serializable_fields(["label", "content", "check"])

    def accepts(self, value: Any) -> bool:
        called("FuzzBox.accepts")
        return True

    def __call__(self) -> None:
        called("FuzzBox()")


@register_serializable
class FuzzOwn(Serializable):
    """Reads a document of its own making."""

    def __init__(self) -> None:
        self.items: list[int] = []

    def serialize(self) -> dict[str, Any]:
        return {"_type": "FuzzOwn", "items": list(self.items)}

    def deserialize(self, data: dict[str, Any]) -> None:
        items = data["items"]
        if type(items) is not list or not all(type(item) is int for item in items):
            raise ValueError("the items are numbers")
        self.items = list(items)


@register_serializable
class FuzzSource(Routine):
    def __init__(self) -> None:
        super().__init__()
        self.threshold: Any = 3
        self.add_serializable_fields(["threshold"])
        self.define_slot("trigger", handler=self.begin, timeout=5.0)
        self.define_slot("answer", handler=self.answered)
        self.define_event("out", ["value", "extra"])
        self.define_event("rest", ["value"])

    def begin(self, count: int = 2, **more: Any) -> None:
        called("FuzzSource.begin")

    def answered(self, **data: Any) -> None:
        called("FuzzSource.answered")


@register_serializable
class FuzzSink(Routine):
    def __init__(self) -> None:
        super().__init__()
        self.define_slot("left", handler=self.take, merge_strategy="append", when=probe_predicate)
        self.define_slot("right", handler=self.take, merge_strategy=probe_merge)
        self.define_slot("any", handler=print)
        self.set_error_handler(ErrorHandler("retry", 2, 0.5, retryable_exceptions=(ValueError, KeyError)))

    def take(self, **data: Any) -> None:
        called("FuzzSink.take")


@register_serializable
class FuzzRouter(ConditionalRouter):
    def is_large(self, data: dict[str, Any]) -> bool:
        called("FuzzRouter.is_large")
        return True


def probe_flow() -> Flow:
    """A flow with something in every corner of its document."""
    flow = Flow("fuzzed", "concurrent", max_workers=3, execution_timeout=60.0)
    source, sink, router = FuzzSource(), FuzzSink(), FuzzRouter()
    source.set_config(limits={"low": (1, 2)}, names={"a", "b"})
    source.set_effects("at_most_once")
    router.add_route("large", router.is_large)
    router.add_route("small", {"value": 1})
    router.set_default_route("rest")
    for routine_id, routine in (("source", source), ("sink", sink), ("router", router)):
        flow.add_routine(routine, routine_id)
    flow.connect("source", "out", "router", "input")
    flow.connect("source", "rest", "sink", "left", priority=2)
    flow.connect("router", "large", "sink", "left")
    flow.connect("router", "small", "sink", "right", {"value": "number"})
    flow.set_error_handler(ErrorHandler("continue", is_critical=True))
    sink.get_slot("left").receive({"value": [1, 2]})
    return flow
