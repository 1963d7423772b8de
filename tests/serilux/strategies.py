"""Hypothesis strategies for every kind of value that documents can carry."""

from datetime import UTC, timedelta, timezone
from decimal import Decimal
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from tests.serilux.samples import Bits, Box, Colour, Level, Model, Own, Pair, Point, Record, Word

ZONES = ["Europe/Paris", "America/New_York", "UTC", "Asia/Kolkata", "Etc/GMT+5"]

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
offsets = st.integers(-86399, 86399).map(lambda seconds: timezone(timedelta(seconds=seconds)))
named_offsets = st.builds(timezone, st.integers(-600, 600).map(lambda m: timedelta(minutes=m)), texts)
zones = st.one_of(st.none(), st.just(UTC), offsets, named_offsets, st.sampled_from(ZONES).map(ZoneInfo))
path_texts = st.text("ab./ -_é", max_size=8)

numbers_without_nan = st.one_of(
    st.integers(),
    st.integers(-(2**200), 2**200),
    st.sampled_from([2**63, 2**63 - 1, -(2**63), -(2**63) - 1]),
    st.floats(allow_nan=False),
    st.complex_numbers(allow_nan=False),
    st.decimals(allow_nan=False),
)
KINDS: dict[str, st.SearchStrategy[Any]] = {
    "none": st.none(),
    "bool": st.booleans(),
    "int": st.integers(-(2**70), 2**70),
    "huge int": st.builds(lambda number, shift: number << shift, st.integers(), st.integers(0, 5000)),
    "float": st.floats(),
    "text": texts,
    "bytes": st.binary(max_size=12),
    "datetime": st.builds(
        lambda value, zone, fold: value.replace(tzinfo=zone, fold=fold), st.datetimes(), zones, st.integers(0, 1)
    ),
    "date": st.dates(),
    "time": st.builds(
        lambda value, zone, fold: value.replace(tzinfo=zone, fold=fold), st.times(), zones, st.integers(0, 1)
    ),
    "timedelta": st.timedeltas(),
    "decimal": st.one_of(st.decimals(), st.sampled_from(["sNaN12", "-NaN", "1E+40", "-0.00"]).map(Decimal)),
    "uuid": st.uuids(),
    "complex": st.complex_numbers(),
    "path": st.one_of(path_texts.map(Path), path_texts.map(PurePosixPath), path_texts.map(PureWindowsPath)).filter(
        lambda path: type(path)(str(path)) == path  # a Windows path such as '//a/' is not its own text: it is refused
    ),
    "enum": st.sampled_from([*Colour, *Level, *Word, *Bits]),
}

MAY_BE_NAN = {"float", "complex", "decimal"}
leaves = st.one_of(*KINDS.values())
hashable_leaves = st.one_of(numbers_without_nan, *(KINDS[kind] for kind in KINDS if kind not in MAY_BE_NAN))
hashables = st.recursive(
    hashable_leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(tuple),
        st.lists(inner, max_size=3).map(frozenset),
        st.builds(Pair, inner, inner),
        st.builds(Record, inner, inner),
    ),
    max_leaves=4,
)


def box_of(label: str, content: Any) -> Box:
    box = Box()
    box.label, box.content = label, content
    return box


def own_of(items: list[int]) -> Own:
    own = Own()
    own.items = items
    return own


names = st.one_of(texts, st.sampled_from(["$tuple", "$dict", "$", "$x", "_type", "class"]))
values = st.recursive(
    st.one_of(leaves, st.lists(st.integers(0, 9), max_size=2).map(own_of)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(names, inner, max_size=3),
        st.lists(st.tuples(hashables, inner), max_size=3).map(dict),
        st.lists(hashables, max_size=3).map(set),
        st.lists(hashables, max_size=3).map(frozenset),
        st.builds(Point, inner, inner),
        st.builds(Record, inner, inner),
        st.builds(lambda name, extra: Model(theName=name, tags=(1,), extra=extra), texts, inner),
        st.builds(box_of, texts, inner),
    ),
    max_leaves=12,
)
