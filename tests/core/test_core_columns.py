"""What is said quickly of a long list, and so of most, is what would be said of it slowly."""

from routilux._core.checked import copied, most_nodes, written
from routilux._core.columns import are_alike
from routilux._core.instants import seconds_each, times_each


def test_values_are_alike_where_each_equals_the_first() -> None:
    columns: list[list[str | None]] = [[], ["a"], ["a", "a"], [None, None], ["a", "b"], ["a", None]]
    assert [are_alike(column) for column in columns] == [False, True, True, True, False, False]


def test_a_copy_is_another_object_with_the_same_data_and_no_copy_is_made_of_what_is_no_data() -> None:
    data = {"a": [1]}
    copy = copied(data)
    assert (copy, copy is data, copied(data | {"a": object()})) == ({"a": [1]}, False, None)


def test_of_no_times_there_are_none() -> None:
    assert (times_each([], str), seconds_each([], str)) == ([], [])


def test_a_part_has_no_more_nodes_than_its_text_has_bytes() -> None:
    assert (written([1, {}]), most_nodes([1, {}])) == (b"[1,{}]", 6)
    assert (written(object()), most_nodes(object())) == (None, None)
