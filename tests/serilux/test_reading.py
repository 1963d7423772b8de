"""A whole that is read from its parts says where each problem is, and all of them at once (STYLE: errors)."""

import pickle
from typing import Any

import pytest

from serilux import (
    CombinedError,
    DocumentError,
    Serializable,
    SeriluxError,
    UnknownClassError,
    collected,
    construct,
    raise_together,
    read_part,
)
from tests.serilux.samples import Box


class Grumpy:
    def __init__(self) -> None:
        raise RuntimeError("not today")


class Careless(Serializable):
    def deserialize(self, data: dict[str, Any]) -> None:
        raise LookupError("lost")


def combined() -> CombinedError:
    return CombinedError([DocumentError("odd", ".a"), UnknownClassError("unknown", "Box.b")])


def test_a_part_says_where_it_is_in_the_whole() -> None:
    with pytest.raises(DocumentError) as caught:
        read_part(Box(), {"_type": "Box", "content": {"$bogus": 1}}, "parts[3]")
    assert caught.value.path == "parts[3].content"


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (lambda: construct(Grumpy, "parts[0]"), "parts[0]: Grumpy refused its data: RuntimeError: not today"),
        (lambda: read_part(Careless(), {}, "parts[1]"), "parts[1]: Careless refused its data: LookupError: lost"),
    ],
)
def test_what_users_code_raises_is_an_error_of_the_document(read: Any, text: str) -> None:
    with pytest.raises(DocumentError) as caught:
        read()
    assert str(caught.value) == text
    assert isinstance(caught.value.__cause__, RuntimeError | LookupError)


def test_an_object_that_can_be_built_is() -> None:
    assert type(construct(Box, "parts")) is Box


def test_nothing_wrong_is_nothing_raised() -> None:
    problems: list[SeriluxError] = []
    with collected(problems):
        pass
    raise_together(problems)
    assert problems == []


def test_one_problem_is_raised_as_it_is() -> None:
    problems: list[SeriluxError] = []
    problem = UnknownClassError("unknown", "a")
    with collected(problems):
        raise problem
    with pytest.raises(UnknownClassError) as caught:
        raise_together(problems)
    assert caught.value is problem
    assert caught.value.problems == (problem,)


def test_several_are_raised_together_each_with_its_path() -> None:
    problems: list[SeriluxError] = []
    for path in ("a", "b[1]"):
        with collected(problems):
            raise DocumentError("odd", path)
    with pytest.raises(CombinedError) as caught:
        raise_together(problems)
    assert str(caught.value) == "2 problems:\n  - a: odd\n  - b[1]: odd"
    assert caught.value.path == "a"
    assert caught.value.problems == tuple(problems)


def test_those_of_an_inner_whole_are_among_them() -> None:
    error = CombinedError([combined(), DocumentError("last", ".c")])
    assert [problem.reason for problem in error.problems] == ["odd", "unknown", "last"]


def test_each_gets_the_place_of_the_whole() -> None:
    error = combined()
    error.under("Box")
    error.without_root("Box")
    error.under("outer")
    assert [problem.path for problem in error.problems] == ["outer.a", "outer.Box.b"]
    assert error.path == "outer.a"


def test_a_long_list_is_cut_short_in_the_message_only() -> None:
    error = CombinedError([DocumentError("odd", f"a[{index}]") for index in range(22)])
    assert str(error).startswith("22 problems:\n  - a[0]: odd")
    assert str(error).endswith("\n  - a[19]: odd\n  - and 2 more")
    assert len(error.problems) == 22


def test_it_survives_a_pickle() -> None:
    again = pickle.loads(pickle.dumps(combined()))
    assert str(again) == str(combined())
