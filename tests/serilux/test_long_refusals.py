"""What a hostile document can make a refusal cost, and what one must not do on its way (design law 8)."""

import sys
import time
from typing import Any

import pytest

from routilux import Flow
from serilux import (
    CombinedError,
    DocumentError,
    SeriluxError,
    collected,
    decode,
    read_object,
    resolve_reference,
    rooted,
)
from serilux._json import did_you_mean, shown, step_to
from tests.serilux.samples import Box


def test_a_reason_quotes_no_more_than_it_must() -> None:
    error = DocumentError("x" * 5_000)
    assert (len(error.reason), error.reason[-4:]) == (2_000, "x...")
    assert DocumentError("x" * 2_000).reason == "x" * 2_000


def test_a_path_quotes_no_more_of_a_name_than_it_must() -> None:
    assert step_to("x" * 60) == "." + "x" * 60
    assert step_to("x" * 61) == "['" + "x" * 56 + "...]"


@pytest.mark.parametrize(
    "value", ["\ud800" * 100_000, b"\x00" * 100_000, "x" * 100_000], ids=["text", "bytes", "plain"]
)
def test_a_long_value_is_shown_shortly(value: object) -> None:
    assert len(shown(value)) == 60


def test_what_is_shown_of_a_long_value_is_all_that_is_looked_at() -> None:
    assert shown("x" * 1_000 + "'") == shown("x" * 1_000)  # whole, it would be in other quotation marks


def test_a_number_that_python_would_not_write_is_shown() -> None:
    assert shown(10**5000) == "<int of 16610 bits>"
    assert shown(10**30) == "1" + "0" * 30
    with pytest.raises(SeriluxError, match="int of 16610 bits"):
        resolve_reference(10**5000, Box())


def test_no_name_is_suggested_for_one_that_is_too_long_to_be_a_slip() -> None:
    assert did_you_mean("labels", ["label"]) == " (did you mean 'label'?)"
    assert did_you_mean("x" * 61, ["x" * 60]) == ""


def test_twenty_unknown_fields_are_listed() -> None:
    document = {f"odd{index}": index for index in range(100_000)}
    start = time.process_time()
    with pytest.raises(DocumentError, match="odd19 is unknown; 99980 more are unknown; the fields are: 'a'"):
        read_object(document, "", optional=["a"])
    assert time.process_time() - start < 1.0
    with pytest.raises(DocumentError, match="odd19 is unknown; the fields are"):
        read_object(dict(list(document.items())[:20]), "", optional=["a"])


def test_a_hundred_problems_are_enough() -> None:
    problems: list[SeriluxError] = [DocumentError("odd", f"a[{index}]") for index in range(98)]
    with collected(problems):
        raise DocumentError("odd", "a[98]")
    with pytest.raises(CombinedError, match="100 problems or more") as caught, collected(problems):
        raise DocumentError("odd", "a[99]")
    assert len(caught.value.problems) == 100


def test_the_path_of_a_whole_document_begins_with_a_name() -> None:
    for path, expected in (("", "$"), (".a.b", "a.b"), ("a", "a"), ("[0]", "[0]")):
        with pytest.raises(DocumentError) as caught, rooted():
            raise DocumentError("odd", path)
        assert caught.value.path == expected
    combined = CombinedError([DocumentError("odd", ".a"), DocumentError("odd")])
    with pytest.raises(CombinedError), rooted():
        raise combined
    assert (combined.path, [problem.path for problem in combined.problems]) == ("a", ["a", "$"])


@pytest.mark.parametrize(
    "document", [None, {}, {"odd": 1}, [1], {"_type": "Flow", "format": 1, "flow_id": "f", "odd": 1}]
)
def test_a_refused_flow_names_a_path(document: Any) -> None:
    with pytest.raises(SeriluxError) as caught:
        Flow().deserialize(document)
    assert caught.value.path


@pytest.mark.parametrize("zone", ["Europ/Paris", "No/Such/Zone", "tzdata", "__init__", "America"])
def test_no_module_is_looked_for_by_the_name_of_a_time_zone(zone: str) -> None:
    imported: list[str] = []
    watching = [True]

    def hook(event: str, args: tuple[Any, ...]) -> None:
        if event == "import" and watching:
            imported.append(args[0])

    sys.addaudithook(hook)
    try:
        with pytest.raises(DocumentError, match=r"no (time zone of this system|name of a time zone)"):
            decode({"$datetime": ["2024-01-01T00:00:00", 0, zone]})
    finally:
        watching.clear()
    assert imported == []


def test_where_the_system_has_no_time_zones_they_are_those_of_tzdata(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr("serilux._leaves._SYSTEM_ZONES", ())
    monkeypatch.setattr("serilux._leaves.ZoneInfo", asked.append)
    with pytest.raises(SeriluxError):
        decode({"$datetime": ["2024-01-01T00:00:00", 0, "Some/Zone"]})
    assert asked == ["Some/Zone"]


def test_a_long_path_is_shortened_where_it_is_told() -> None:
    error = DocumentError("wrong", f"start.{'x' * 100_000}.end")
    assert (len(str(error)), str(error)[:8], str(error)[-11:]) == (2_010, "start.xx", ".end: wrong")
    assert str(DocumentError("wrong", "x" * 2_000)) == "x" * 2_000 + ": wrong"
    assert len(error.path) == 100_010
