"""The classes, routines and values of the golden documents.

Nothing here is changed or renamed: documents that are kept for ever name it, and what they came to is written down.
What a new format needs is added.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum
from pathlib import PosixPath, PurePosixPath, PureWindowsPath
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
import pydantic

from routilux import ConditionalRouter, ErrorHandler, Flow, Routine
from serilux import Serializable, register_serializable

BUSY, REFUSED, LARGE = 1, 2, 500
"""Amounts that leave 1 when divided by 100 meet a busy bank twice; those that leave 2 are refused once."""


@register_serializable(name="GoldenColour")
class Colour(Enum):
    RED = 1
    GREEN = (2, "two")


@register_serializable(name="GoldenPoint")
@dataclass(frozen=True)
class Point:
    x: Any
    y: Any = None


@register_serializable(name="GoldenStamp")
class Stamp(msgspec.Struct, frozen=True):
    name: str
    at: datetime


@register_serializable(name="GoldenPage")
class Page(pydantic.BaseModel):
    title: str
    tags: tuple[int, ...] = ()


@register_serializable(name="GoldenNote")
class Note(Serializable):
    """Fields, one of which may be a callable."""

    def __init__(self, text: str = "") -> None:
        self.text = text
        self.check: Any = self.accepts
        self.add_serializable_fields(["text", "check"])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Note) and self.text == other.text

    __hash__ = None

    def accepts(self, value: Any) -> bool:
        return value is not None


@register_serializable(name="GoldenBasket")
class Basket(Serializable):
    """A document of its own making."""

    def __init__(self, *items: int) -> None:
        self.items = list(items)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Basket) and self.items == other.items

    __hash__ = None

    def serialize(self) -> dict[str, Any]:
        return {"_type": "GoldenBasket", "items": self.items, "sum": sum(self.items)}

    def deserialize(self, data: dict[str, Any]) -> None:
        if type(data["items"]) is not list or not all(type(item) is int for item in data["items"]):
            raise ValueError("a basket holds whole numbers")
        self.items = list(data["items"])


VALUES: dict[str, Any] = {
    "none": None,
    "truth": True,
    "whole": -7,
    "largest plain": 2**63 - 1,
    "larger": 2**70,
    "smaller": -(2**63) - 1,
    "half": 0.5,
    "not a number": float("nan"),
    "infinite": float("inf"),
    "minus infinite": float("-inf"),
    "text": "Grüße, 日本, \x00, 🜚",
    "nothing": "",
    "bytes": b"\x00\xff",
    "list": [1, [2, []]],
    "dict": {"a": {"b": 1}, "": 2, "not a name": 3},
    "tuple": (1, (2,), ()),
    "set": {"b", "a"},
    "mixed set": {1, "a", (2,), None},
    "frozenset": frozenset({3, 2}),
    "map": {1: "one", (2, 3): "pair", frozenset({4}): [5]},
    "like a tag": {"$tuple": [1]},
    "like an escape": {"$dict": {"$x": 1}},
    "datetime": datetime(2024, 2, 29, 12, 30, 0, 250, tzinfo=UTC),
    "naive datetime": datetime(2024, 2, 29, 12, 30),
    "second time that night": datetime(2024, 10, 27, 2, 30, fold=1, tzinfo=ZoneInfo("Europe/Paris")),
    "named offset": datetime(2024, 1, 1, tzinfo=timezone(timedelta(hours=-3), "there")),
    "unnamed offset": datetime(2024, 1, 1, tzinfo=timezone(timedelta(hours=5, minutes=30))),
    "date": date(2024, 2, 29),
    "time": time(23, 59, 59),
    "zoned time": time(1, 2, tzinfo=ZoneInfo("Asia/Kolkata")),
    "timedelta": timedelta(days=-1, seconds=3, microseconds=5),
    "decimal": Decimal("-12.50E+3"),
    "decimal nan": Decimal("sNaN12"),
    "uuid": UUID("12345678-1234-5678-1234-567812345678"),
    "complex": complex(1.5, float("-inf")),
    "path": PosixPath("a/b.txt"),
    "pure path": PurePosixPath("/etc/x"),
    "windows path": PureWindowsPath("c:/x"),
    "enum": Colour.GREEN,
    "dataclass": Point((1, 2), {"deep": Point(None)}),
    "struct": Stamp("first", datetime(2024, 1, 1, tzinfo=UTC)),
    "model": Page(title="one", tags=(1, 2)),
    "serializable": Note("remember"),
    "own document": Basket(1, 2, 3),
}


def added(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """A merge function: the sum of all prices."""
    return {"number": new["number"], "price": old.get("price", 0) + new["price"]}


def opened(config: dict[str, Any]) -> dict[str, Any]:
    """A plan's function for a configuration."""
    return config | {"open": True}


def is_large(data: dict[str, Any]) -> bool:
    """A condition of a route."""
    return bool(data["total"] >= LARGE)


@register_serializable(name="GoldenDesk")
class Desk(Routine):
    """Takes orders in; large ones go first, and say where they come from."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("trigger", handler=self.open)
        self.define_event("order", ["number", "amount"])

    def open(self, amounts: list[int], extra: Any = None) -> None:
        for number, amount in enumerate(amounts):
            data = {"number": number, "amount": amount} | ({} if extra is None else {"extra": extra})
            if amount >= LARGE:
                self.emit_with("order", data, priority=5, metadata={"channel": ("web", number)})
            else:
                self.emit("order", **data)


@register_serializable(name="GoldenBank")
class Bank(Routine):
    """Charges amounts: some at the third attempt, after it has told once that it was asked; some fail the job once."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("order", handler=self.charge)
        self.define_event("asked", ["number"])
        self.define_event("charged", ["number", "amount"])
        self.set_error_handler(
            ErrorHandler(
                "retry", max_retries=3, retry_delay=8.0, retry_backoff=2.0, retryable_exceptions=(ConnectionError,)
            )
        )

    def charge(self, number: int, amount: int, extra: Any = None) -> None:
        context = self.get_execution_context()
        if amount % 100 == BUSY and context.attempt <= 2:
            if not context.flushes:
                context.state["asked"] = number
                self.emit_with("asked", {"number": number}, priority=3, metadata={"why": "busy"})
                self.flush()
            raise ConnectionError("the bank is busy")
        if amount % 100 == REFUSED and context.attempt == 1:
            raise ValueError("no such account")
        context.job_state.update_shared_data("total", lambda total: (total or 0) + amount)
        context.job_state.append_to_shared_log((number, amount))
        self.emit("charged", number=number, amount=amount)


@register_serializable(name="GoldenShelf")
class Shelf(Routine):
    """Packs what has been charged, two at a time."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("charged", handler=self.pack, merge_strategy="append", when=self.is_even)
        self.define_event("packed", ["numbers", "total"])

    def is_even(self, merged: dict[str, Any]) -> bool:
        return len(merged["number"]) % 2 == 0

    def pack(self, number: list[int], price: list[int]) -> None:
        state = self.get_execution_context().state
        state["parcels"] = (*state.get("parcels", ()), tuple(number[-2:]))
        self.emit("packed", numbers=number[-2:], total=sum(price[-2:]))


@register_serializable(name="GoldenScale")
class Scale(Routine):
    """Keeps the sum of all prices."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("charged", handler=self.weigh, merge_strategy=added, timeout=30.0)

    def weigh(self, price: int, **more: Any) -> None:
        self.get_execution_context().state["price"] = price


@register_serializable(name="GoldenAdvert")
class Advert(Routine):
    """Shows something, and fails for every second order, which does not matter."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("charged", handler=self.show)
        self.define_event("shown", ["number"])
        self.set_as_optional()

    def show(self, number: int, **more: Any) -> None:
        self.emit_with("shown", {"number": number}, priority=2, metadata={"number": number})
        self.get_execution_context().state["shown"] = number
        if number % 2:
            raise LookupError(f"no picture of {number}")


@register_serializable(name="GoldenClerk")
class Clerk(Routine):
    """Needs what only its host can give."""

    def __init__(self) -> None:
        super().__init__()
        self.require("till", "printer")
        self.define_slot("trigger", handler=self.serve)

    def serve(self) -> None:
        self.get_execution_context().state["till"] = self.get_resource("till")


@register_serializable(name="GoldenTeller")
class Teller(Routine):
    """Has a key that its document does not have."""

    def __init__(self) -> None:
        super().__init__()
        self.declare_secret("key")
        self.define_slot("trigger", handler=self.serve)

    def serve(self) -> None:
        self.get_execution_context().state["length"] = len(self.get_config("key"))


@register_serializable(name="GoldenCourier")
class Courier(Routine):
    """Brings a parcel, which must not be done twice, and waits for a signature: for a minute, if it is a small one."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("packed", handler=self.bring)
        self.define_slot("signature", handler=self.sign)
        self.define_event("signed", ["name"])
        self.set_error_handler(ErrorHandler("skip"))
        self.set_effects("at_most_once")

    def bring(self, numbers: list[int], total: int) -> None:
        self.expect("signature", timeout=None if total >= LARGE else 60.0)

    def sign(self, name: str) -> None:
        self.emit("signed", name=name)


@register_serializable(name="GoldenRouter")
class Router(ConditionalRouter):
    """Sorts parcels."""

    def is_free(self, data: dict[str, Any]) -> bool:
        return bool(data["total"] == 0)


@register_serializable(name="GoldenMail")
class Mail(Routine):
    """Writes letters."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("letter", handler=self.write)
        self.set_effects("recorded")

    async def write(self, total: int, **more: Any) -> None:
        self.get_execution_context().job_state.append_to_shared_log({"letter": total})


@register_serializable(name="GoldenKeeper")
class Keeper(Routine):
    """Keeps values wherever values can be, and sends them on once."""

    def __init__(self) -> None:
        super().__init__()
        self.note = Note("a field")
        self.labels: list[str] = []
        self.add_serializable_fields(["note", "labels"])
        self.define_slot("trigger", handler=self.keep)
        self.define_slot("all", handler=self.keep_all, merge_strategy="append")
        self.define_slot("unheard")
        self.define_event("kept", ["values"])

    def keep(self, values: Any) -> None:
        context = self.get_execution_context()
        context.state["values"] = values
        context.job_state.shared_data["values"] = values
        context.job_state.shared_data["for a while"] = True
        context.job_state.append_to_shared_log(values)
        self.emit_with("kept", {"values": values}, priority=-1, metadata={"values": values})

    def keep_all(self, values: list[Any]) -> None:
        context = self.get_execution_context()
        context.state["count"] = len(values)
        del context.job_state.shared_data["for a while"]


@register_serializable(name="GoldenFlow")
class NotedFlow(Flow):
    """A flow with a field of its own."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.note = "made by hand"
        self.add_serializable_fields(["note"])
