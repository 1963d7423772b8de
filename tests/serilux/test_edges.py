"""The last that is accepted, and the first that is not."""

from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from serilux import (
    DocumentError,
    LimitError,
    Limits,
    SeriluxError,
    UnsupportedValueError,
    check_document,
    clone,
    clone_fields,
    decode,
    encode,
    is_fixed,
    set_limits,
)
from serilux._json import did_you_mean, is_flat, shown
from serilux._leaves import is_zone_key
from serilux.errors import CombinedError
from tests.serilux.samples import Own

LARGEST, SMALLEST = 2**63 - 1, -(2**63)


@pytest.mark.parametrize("number", [LARGEST, SMALLEST, -1073741824, 1073741824, -1073741823, 1073741823])
def test_an_integer_of_64_bits_is_its_own_document(number: int) -> None:
    assert (is_flat({"a": number}), is_fixed({"a": number}), encode(number), decode(number)) == (
        True,
        True,
        number,
        number,
    )
    check_document({"é": number})


@pytest.mark.parametrize("number", [LARGEST + 1, SMALLEST - 1])
def test_an_integer_of_more_bits_is_written_with_a_tag(number: int) -> None:
    assert (is_flat({"a": number}), is_fixed({"a": number}), encode(number)) == (False, False, {"$int": hex(number)})
    with pytest.raises(DocumentError):
        decode(number)
    with pytest.raises(DocumentError):
        check_document({"é": number})


@pytest.mark.parametrize(
    ("data", "flat"),
    [
        ({}, True),
        ({"$": 1}, False),
        ({"$a": 1}, False),
        ({"$a": 1, "b": 2}, True),
        ({"a": 1, "$b": 2}, True),
        ({"": 1}, True),
        ({"a$": 1}, True),
        ({"a": 1.5}, True),
        ({"a": None}, True),
        ({"a": False}, True),
        ({"a": float("inf")}, False),
        ({"a": float("nan")}, False),
    ],
)
def test_a_dict_is_flat_unless_it_looks_like_a_tag(data: dict[str, Any], flat: bool) -> None:
    assert is_flat(data) is flat


def test_as_many_fields_as_the_limit_says_are_shared_and_copied() -> None:
    set_limits(Limits(max_nodes=2))
    fields = {"a": 1, "b": 2}
    assert (is_fixed(fields), clone_fields(fields), encode(fields), decode(fields)) == (True, fields, fields, fields)


def test_one_field_more_than_the_limit_is_neither() -> None:
    set_limits(Limits(max_nodes=2))
    fields = {"a": 1, "b": 2, "c": 3}
    assert not is_fixed(fields)
    for refuse in (clone_fields, encode, decode, check_document):
        with pytest.raises(LimitError):
            refuse(fields)


@pytest.mark.parametrize("sign", [1, -1])
def test_an_integer_of_as_many_digits_as_the_limit_says_comes_back(sign: int) -> None:
    set_limits(Limits(max_digits=100))
    number = sign * (16**100 - 1)
    assert decode(encode(number)) == number == clone(number)


@pytest.mark.parametrize("sign", [1, -1])
def test_an_integer_of_one_digit_more_does_not(sign: int) -> None:
    set_limits(Limits(max_digits=100))
    number = sign * 16**100
    for refuse, refused in ((encode, number), (clone, number), (decode, {"$int": hex(number)})):
        with pytest.raises(LimitError):
            refuse(refused)


def test_an_integer_of_64_bits_has_no_digits_too_many() -> None:
    set_limits(Limits(max_digits=1))
    assert clone([SMALLEST, LARGEST]) == [SMALLEST, LARGEST]


def test_an_object_with_its_own_document_is_one_item() -> None:
    own = Own()
    own.items = [1]
    set_limits(Limits(max_nodes=4))
    assert [copy.items for copy in clone([own] * 4)] == [[1]] * 4


def test_a_decimal_of_as_many_digits_as_the_limit_says_comes_back() -> None:
    set_limits(Limits(max_digits=100))
    assert str(decode(encode(Decimal("1" * 100)))) == "1" * 100


def test_a_decimal_of_one_digit_more_does_not() -> None:
    set_limits(Limits(max_digits=100))
    for refuse, refused in ((encode, Decimal("1" * 101)), (decode, {"$decimal": "1" * 101})):
        with pytest.raises(LimitError):
            refuse(refused)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("x" * 58, repr("x" * 58)),
        ("x" * 59, "'" + "x" * 56 + "..."),
        ("x" * 1_000, "'" + "x" * 56 + "..."),
        ("é" * 14, ascii("é" * 14)),
        ("é" * 15, ascii("é" * 15)[:57] + "..."),
        (b"x" * 57, repr(b"x" * 57)),
        (2**240 - 1, str(2**240 - 1)[:57] + "..."),
        (2**240, "<int of 241 bits>"),
        (-(2**240), "<int of 241 bits>"),
        (10**59, str(10**59)),
        (10**60, "1" + "0" * 56 + "..."),
        ([1], "<list>"),
        (None, "None"),
        (True, "True"),
        (1.5, "1.5"),
    ],
)
def test_sixty_characters_of_a_value_are_shown(value: object, text: str) -> None:
    assert shown(value) == text


def test_a_name_of_sixty_letters_is_looked_for() -> None:
    assert did_you_mean("x" * 60, ["x" * 59]) == f" (did you mean {'x' * 59!r}?)"


@pytest.mark.parametrize(
    ("key", "is_one"),
    [
        ("UTC", True),
        ("Z", True),
        ("Europe/Paris", True),
        ("America/Port-au-Prince", True),
        ("Etc/GMT+1", True),
        ("a" * 100, True),
        ("a_b/c-d+e", True),
        ("a" * 101, False),
        ("", False),
        ("a/", False),
        ("/a", False),
        ("a//b", False),
        ("a.b", False),
        ("é", False),
        ("_", False),
        ("-", False),
        ("+", False),
        (None, False),
        (b"UTC", False),
    ],
)
def test_a_time_zone_has_a_plain_name(key: object, is_one: bool) -> None:
    assert is_zone_key(key) is is_one


def test_a_zone_with_a_name_is_written_beside_the_time_that_its_clocks_show() -> None:
    clock = datetime(2024, 1, 2, tzinfo=ZoneInfo("Europe/Paris"))
    assert encode(clock) == {"$datetime": ["2024-01-02T00:00:00", 0, "Europe/Paris"]}


def test_a_zone_that_this_system_does_not_have_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("serilux._leaves._SYSTEM_ZONES", ("/nowhere",))
    with pytest.raises(DocumentError, match=r"payload of '.datetime': no time zone of this system$"):
        decode({"$datetime": ["2024-01-02T00:00:00", 0, "Europe/Paris"]})


def test_an_offset_of_a_second_comes_back() -> None:
    clock = datetime(2024, 1, 2, tzinfo=timezone(timedelta(seconds=1)))
    assert decode(encode(clock)).isoformat() == clock.isoformat()


@pytest.mark.parametrize("sign", [1, -1])
def test_an_offset_of_less_does_not(sign: int) -> None:
    with pytest.raises(UnsupportedValueError, match="less than a second"):
        encode(datetime(2024, 1, 2, tzinfo=timezone(sign * timedelta(microseconds=999_999))))


@pytest.mark.parametrize(
    ("path", "rest"), [("Own", ""), ("Own.a", ".a"), ("Own[0]", "[0]"), ("Owner.a", ".er.a"), ("a", ".a")]
)
def test_a_path_without_its_root_can_stand_behind_another(path: str, rest: str) -> None:
    error = SeriluxError("wrong", path)
    error.without_root("Own")
    assert error.path == rest


def problems(count: int) -> list[SeriluxError]:
    return [SeriluxError(f"problem {at}", f"[{at}]") for at in range(count)]


def test_twenty_problems_are_told() -> None:
    told = str(CombinedError(problems(20)))
    assert told.splitlines() == ["20 problems:", *(f"  - [{at}]: problem {at}" for at in range(20))]


def test_of_more_the_first_twenty() -> None:
    told = str(CombinedError(problems(22), "or more"))
    assert told.splitlines() == [
        "22 problems or more:",
        *(f"  - [{at}]: problem {at}" for at in range(20)),
        "  - and 2 more",
    ]
