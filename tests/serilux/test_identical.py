"""Which values count as identical."""

from datetime import UTC, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from serilux import LimitError, identical
from tests.serilux.samples import Box, Colour, Level, Own, Pair, Point, Record, Unregistered, double

PARIS, ROME = ZoneInfo("Europe/Paris"), ZoneInfo("Europe/Rome")
NOON = datetime(2024, 7, 1, 12)


class OddZone(tzinfo):
    pass


def box(label: str) -> Box:
    made = Box()
    made.label = label
    return made


def own(*items: int) -> Own:
    made = Own()
    made.items = list(items)
    return made


METHODS = Box()
ALIKE: list[tuple[Any, Any]] = [
    (None, None),
    (1, 1),
    (float("nan"), float("nan")),
    (complex(float("nan"), 1), complex(float("nan"), 1)),
    (Decimal("sNaN1"), Decimal("sNaN1")),
    ("é", "é"),
    ([1, [2]], [1, [2]]),
    ((1, (2,)), (1, (2,))),
    ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
    ({1, "x", (2,)}, {(2,), "x", 1}),
    (frozenset({1}), frozenset({1})),
    ({(1, True): [1]}, {(1, True): [1]}),
    (NOON.replace(tzinfo=PARIS), NOON.replace(tzinfo=PARIS)),
    (time(1, tzinfo=UTC), time(1, tzinfo=UTC)),
    (UUID(int=1), UUID(int=1)),
    (Point(1, [2]), Point(1, [2])),
    (Record(1), Record(1)),
    (Colour.RED, Colour.ALSO_RED),
    (box("a"), box("a")),
    (own(1, 2), own(1, 2)),
    (METHODS.accepts, Box().accepts),
    (double, double),
]
DIFFERENT: list[tuple[Any, Any]] = [
    (1, True),
    (1, 1.0),
    (True, 1.0),
    (1, "1"),
    (0.0, -0.0),
    (Decimal("1.0"), Decimal("1.00")),
    ([1], (1,)),
    ([1], [1, 2]),
    ([1], [True]),
    ({1}, frozenset({1})),
    ({1}, {True}),
    ({1}, {2}),
    ({1: 2}, {True: 2}),
    ({1: 2}, {1: 2.0}),
    ({1: 2}, {1: 2, 3: 4}),
    ({"a": 1}, {"b": 1}),
    ({(1,): 1}, {(True,): 1}),
    (NOON.replace(tzinfo=PARIS), NOON.replace(tzinfo=ROME)),
    (NOON, NOON.replace(fold=1)),
    (NOON.replace(tzinfo=UTC), NOON.replace(tzinfo=timezone(timedelta(0), "UTC2"))),
    (time(1, tzinfo=OddZone()), time(1, tzinfo=OddZone())),
    (Point(1, 2), Point(1, 2.0)),
    (Point(1, 2), Pair(1, 2)),
    (Level.LOW, 1),
    (Level.LOW, Level.HIGH),
    (box("a"), box("b")),
    (own(1, 2), own(2, 1)),
    (Unregistered(), Box()),
    (METHODS.accepts, METHODS.add_serializable_fields),
    (object(), object()),
]


@pytest.mark.parametrize(("a", "b"), ALIKE)
def test_these_are_identical(a: Any, b: Any) -> None:
    assert identical(a, b)
    assert identical([a], [b])


def test_methods_are_found_in_sets_and_keys_whatever_they_are_bound_to() -> None:
    a, b = Box(), Box()
    assert identical({a.accepts}, {b.accepts})
    assert identical({(a.accepts, 1): 2}, {(b.accepts, 1): 2})
    assert identical({frozenset({a.accepts})}, {frozenset({b.accepts})})
    assert not identical({a.accepts}, {b.serialize})
    assert not identical({a.accepts: 1}, {b.accepts: 2})
    assert not identical({a.accepts}, {double})


@pytest.mark.parametrize(("a", "b"), DIFFERENT)
def test_these_are_not(a: Any, b: Any) -> None:
    assert not identical(a, b)
    assert not identical(b, a)
    assert not identical({"k": a}, {"k": b})


def test_two_cycles_are_not_compared_for_ever() -> None:
    a: list[Any] = []
    b: list[Any] = []
    a.append(a)
    b.append(b)
    with pytest.raises(LimitError):
        identical(a, b)
