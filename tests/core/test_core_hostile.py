"""What is not a job's document is refused, with the path of what is wrong (law 8)."""

import copy
import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routilux._core.document import read_job
from routilux._core.long_lists import LONG_LISTS
from serilux.errors import DocumentError, SeriluxError
from tests.core.hand_made import document_of
from tests.core.rich_job import rich_document

REAL = rich_document()
Path = tuple[str | int, ...]

# Parts that hold values of the user's own.
FREE = ("data", "merged", "metadata", "checkpoint", "state", "shared_data", "shared_log", "slot_data")

# Parts that are kept as JSON, and read by nobody but people (tests/core/test_core_planning.py says what they may be).
KEPT = ("plan", "dropped_tasks", "dropped_data")


def nodes(node: Any, path: Path = ()) -> Iterator[Path]:
    """The path of every node of a document, itself included."""
    yield path
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, item in items:
        yield from nodes(item, (*path, key))


def at(document: Any, path: Path) -> Any:
    for step in path:
        document = document[step]
    return document


def with_node(path: Path, value: Any, document: Any = REAL) -> Any:
    """The real document, or another, with another value in one place."""
    if not path:
        return value
    document = copy.deepcopy(document)
    at(document, path[:-1])[path[-1]] = value
    return document


def without_node(path: Path) -> Any:
    document = copy.deepcopy(REAL)
    del at(document, path[:-1])[path[-1]]
    return document


def written(path: Path) -> str:
    """A path as errors write it."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return text.removeprefix(".") or "$"


def refusal(document: Any) -> SeriluxError:
    with pytest.raises(SeriluxError) as caught:
        read_job(document)
    assert isinstance(caught.value, ValueError | TypeError)
    assert caught.value.path
    return caught.value


def is_free(path: Path) -> bool:
    return any(step in FREE or step in KEPT for step in path)


FIXED_NODES = [path for path in nodes(REAL) if not is_free(path)]
FIXED_OBJECTS = [path for path in FIXED_NODES if isinstance(at(REAL, path), dict) and path[-1:] != ("routine_states",)]
FREE_OBJECTS = [
    path
    for path in nodes(REAL)
    if path and path[-1] in FREE and isinstance(at(REAL, path), dict) and not is_free(path[:-1])
]
REQUIRED = [
    *[(name,) for name in ("_type", "format", "flow_id", "job_id", "status")],
    *[("pending_tasks", 1, name) for name in ("routine_id", "slot", "data")],
    ("pending_tasks", 0, "connection", "source_event"),
    ("pending_tasks", 0, "connection", "source_routine_id"),
    *[("execution_history", 0, name) for name in ("routine_id", "event_name", "data", "timestamp")],
    ("pause_points", 0, "timestamp"),
    ("error", "type"),
    ("routine_states", "sink", "status"),
    ("routine_states", "worker", "error", "type"),
]
TIMES = [path for path in FIXED_NODES if isinstance(at(REAL, path), str) and at(REAL, path).startswith("1970-")]
NUMBERS = [path for path in FIXED_NODES if type(at(REAL, path)) in (int, float)]
COUNTS = [path for path in NUMBERS if path[-1] != "priority"]


def by_path(paths: list[Path]) -> Any:
    return pytest.mark.parametrize("path", paths, ids=written)


@pytest.mark.parametrize("name", ["job_id", "flow_id"])
def test_an_id_that_no_store_can_hold_is_refused_by_path(name: str) -> None:
    for odd, said in (("a\x00b", "printable characters only"), ("x" * 256, "at most 255 characters, not 256")):
        with pytest.raises(DocumentError, match=f"{name}: an id has {said}"):
            read_job(REAL | {name: odd})


def test_the_real_document_can_be_read() -> None:
    assert document_of(read_job(REAL))["job_id"] == "j"


class Thing:
    """A type that is no JSON."""


@by_path([path for path in FIXED_NODES if path not in [(name,) for name in ("_type", "format")]])
def test_a_wrong_type_is_refused_by_path(path: Path) -> None:
    wrong: Any = {} if isinstance(at(REAL, path), list) else []
    assert refusal(with_node(path, wrong)).path == written(path)


@by_path(FIXED_NODES)
def test_what_is_no_json_is_refused_by_path(path: Path) -> None:
    assert refusal(with_node(path, Thing())).path == written(path)


@by_path(list(nodes(REAL)))
def test_a_lone_surrogate_is_refused_by_path_wherever_it_is(path: Path) -> None:
    error = refusal(with_node(path, "\ud800"))
    assert error.path.replace("['", ".").replace("']", "") == written(path)


@by_path(list(nodes(REAL)))
def test_what_contains_itself_is_refused_wherever_it_is(path: Path) -> None:
    loop: list[Any] = []
    loop.append(loop)
    refusal(with_node(path, loop))


@by_path(FIXED_OBJECTS)
def test_an_unknown_field_is_refused_by_its_object(path: Path) -> None:
    unknown = with_node((*path, "bogus"), 1)
    assert (refusal(unknown).path, "`bogus`" in refusal(unknown).reason) == (written(path), True)


@by_path(REQUIRED)
def test_a_missing_field_is_refused_by_its_object(path: Path) -> None:
    at_itself = path[-1] in ("_type", "format")
    assert refusal(without_node(path)).path == written(path if at_itself else path[:-1])


FREE_PARTS = [*FREE_OBJECTS, ("shared_log",), ("slot_data", "sink"), ("slot_data", "sink", "items")]


@by_path(FREE_PARTS)
def test_a_wrong_type_where_data_belongs_is_refused_by_path(path: Path) -> None:
    wrong: Any = {} if isinstance(at(REAL, path), list) else []
    assert refusal(with_node(path, wrong)).path == written(path)


@by_path([path for path in FREE_OBJECTS if path != ("slot_data",)])
def test_data_without_names_is_refused_by_path(path: Path) -> None:
    assert refusal(with_node(path, {"$tuple": []})).path == written(path)


@by_path([path for path in FREE_OBJECTS if path != ("slot_data",)])
def test_an_unknown_tag_in_data_is_refused_by_path(path: Path) -> None:
    assert refusal(with_node((*path, "x"), {"$bogus": []})).path == f"{written(path)}.x"


def test_an_unknown_tag_in_the_shared_log_is_refused_by_path() -> None:
    assert refusal(REAL | {"shared_log": [{"$bogus": []}]}).path == "shared_log[0]"


@by_path([path for path in FREE_OBJECTS if path != ("slot_data",)])
def test_a_class_that_nobody_registered_is_refused_by_path(path: Path) -> None:
    stranger = {"$object": {"class": "os.system", "fields": {}}}
    assert refusal(with_node((*path, "x"), stranger)).path == f"{written(path)}.x"


@by_path([path for path in FREE_OBJECTS if path != ("slot_data",)])
def test_data_that_is_too_deep_is_refused(path: Path) -> None:
    deep: Any = 1
    for _ in range(300):
        deep = [deep]
    assert refusal(with_node((*path, "x"), deep)).path.startswith(f"{written(path)}.x[0]")


# The same where all data in the lists is plain, so that it is not decoded value by value.


def plain_document() -> dict[str, Any]:
    """The real document with plain data in all records and tasks."""
    document: dict[str, Any] = copy.deepcopy(REAL)
    for record in document["execution_history"]:
        record["data"] = {"x": [1, {"y": 0.5}]}
    for task in [*document["pending_tasks"], *document["failed_tasks"]]:
        task.update(data={"x": 1}, merged={"x": 1}, metadata={"m": 1}, seen={"x": 1})
    return document


PLAIN = plain_document()
LISTED = [path for path in nodes(PLAIN) if len(path) > 1 and path[0] in LONG_LISTS]


def test_the_plain_document_can_be_read() -> None:
    assert document_of(read_job(PLAIN))["job_id"] == "j"


@pytest.mark.parametrize("wrong", ["\ud800", Thing(), (1,), 2**64])
@by_path(LISTED)
def test_what_is_no_json_is_refused_by_path_in_a_plain_document(path: Path, wrong: Any) -> None:
    assert refusal(with_node(path, wrong, PLAIN)).path == written(path)


@by_path([path for path in LISTED if path[-1:] == ("data",)])
def test_data_has_names_in_a_plain_document(path: Path) -> None:
    assert refusal(with_node(path, [], PLAIN)).path == written(path)


@by_path([path for path in nodes(PLAIN) if path[0:1] == ("execution_history",) and path[-1] == "data"])
def test_a_record_always_has_data(path: Path) -> None:
    assert refusal(with_node(path, None, PLAIN)).path == written(path)


def test_a_name_that_stands_there_often_is_kept_once() -> None:
    document = json.loads(json.dumps(PLAIN | {"execution_history": PLAIN["execution_history"] * 2}))
    history = read_job(document).records()
    assert history[0].routine_id is history[-1].routine_id


# The same far down a long list, which is read part by part.

LONG = 1500
FAR = LONG - 100
FAR_WRONGS: dict[str, tuple[Path, Any]] = {
    "a wrong type": (("execution_history", FAR, "routine_id"), 1),
    "a bad time": (("execution_history", FAR, "timestamp"), "yesterday"),
    "no data": (("execution_history", FAR, "data"), None),
    "data of another type": (("execution_history", FAR, "data"), []),
    "an unknown tag": (("execution_history", FAR, "data"), {"x": {"$bogus": 1}}),
    "a surrogate in a name": (("execution_history", FAR, "event_name"), "\ud800"),
    "a surrogate for a number": (("pending_tasks", FAR, "priority"), "\ud800"),
    "a bad id": (("pending_tasks", FAR, "task_id"), "k:1"),
    "the id of another": (("pending_tasks", FAR, "task_id"), "j:1"),
    "a bad deadline": (("pending_tasks", FAR, "deadline"), "9999-12-31T23:59:59.999999Z"),
    "merged without data": (("pending_tasks", FAR, "data"), None),
}


def long_document() -> dict[str, Any]:
    (record, *_), (task, *_) = PLAIN["execution_history"], PLAIN["pending_tasks"]
    tasks = [task | {"task_id": f"j:{number + 1}"} for number in range(LONG)]
    listed = {"execution_history": [record] * LONG, "pending_tasks": tasks, "failed_tasks": [], "history_limit": None}
    document: dict[str, Any] = json.loads(json.dumps(PLAIN | listed))
    return document


LONG_DOCUMENT = long_document()


def test_a_long_document_is_read_whole_and_in_order() -> None:
    state = read_job(LONG_DOCUMENT)
    numbers = [task.number for task in state.pending()]
    assert (len(state.records()), sorted(numbers)) == (LONG, list(range(1, LONG + 1)))


@pytest.mark.unmeasured
@pytest.mark.parametrize("what", FAR_WRONGS)
def test_what_is_wrong_far_down_a_long_list_is_refused_by_path(what: str) -> None:
    path, wrong = FAR_WRONGS[what]
    at_fault = {"an unknown tag": (*path, "x"), "merged without data": (*path[:-1], "merged")}
    assert refusal(with_node(path, wrong, LONG_DOCUMENT)).path == written(at_fault.get(what, path))


BAD_TIMES = {
    "naive": "1970-01-01T00:16:30",
    "no time": "yesterday",
    "a date": "1970-01-01",
    "a day that is none": "1970-02-30T00:00:00Z",
    "before all times": "0001-01-01T00:00:00+14:00",
    "after all times": "9999-12-31T23:59:59.999999Z",
    "empty": "",
    "a number as text": "1000",
}


@pytest.mark.parametrize("what", BAD_TIMES)
@by_path(TIMES)
def test_a_bad_time_is_refused_by_path(path: Path, what: str) -> None:
    assert refusal(with_node(path, BAD_TIMES[what])).path == written(path)


BAD_NUMBERS = {
    "inf": float("inf"),
    "minus inf": float("-inf"),
    "nan": float("nan"),
    "huge": 10**400,
    "beyond 64 bits": 2**64,
    "beyond any count": 2**62,
    "bool": True,
    "text": "1",
    "too many digits to be shown": 10**5000,
}


@pytest.mark.parametrize("what", BAD_NUMBERS)
@by_path(NUMBERS)
def test_a_bad_number_is_refused_by_path(path: Path, what: str) -> None:
    assert refusal(with_node(path, BAD_NUMBERS[what])).path == written(path)


@by_path(COUNTS)
def test_a_negative_count_is_refused_by_path(path: Path) -> None:
    assert refusal(with_node(path, -1)).path == written(path)


BAD_IDS = [
    "",
    "j:",
    "j:0",
    "j:01",
    "j:-1",
    "j:1.5",
    "k:1",
    "1",
    "j:x",
    "j:²",
    "j:٣",
    "j: 1",
    "j:1,7",
    "j:1\nj:7",
    "j:1]",
]
BAD_IDS += ["j:" + "9" * 17, "j:1\n", "\nj:1", "j:1e1"]


@pytest.mark.parametrize("task_id", BAD_IDS)
@by_path([("pending_tasks", 1, "task_id"), ("failed_tasks", 0, "task_id")])
def test_a_bad_task_id_is_refused_by_path(path: Path, task_id: str) -> None:
    assert refusal(with_node(path, task_id)).path == written(path)


@by_path([("pending_tasks", 2, "task_id"), ("failed_tasks", 0, "task_id")])
def test_two_tasks_of_one_id_are_refused_by_path(path: Path) -> None:
    error = refusal(with_node(path, REAL["pending_tasks"][0]["task_id"]))
    assert str(error) == f"{written(path)}: two tasks have the id 'j:5'"


@pytest.mark.parametrize("task_id", [f"j:{2**53}", "j:" + "9" * 16])
def test_tasks_are_numbered_up_to_an_end(task_id: str) -> None:
    assert refusal(with_node(("pending_tasks", 0, "task_id"), task_id)).path == "next_task"


def test_the_last_number_that_a_task_can_have_is_read() -> None:
    assert read_job(with_node(("pending_tasks", 0, "task_id"), f"j:{2**53 - 1}")).next_number == 2**53


@pytest.mark.parametrize("outcome", ["pending", "running"])
def test_an_outcome_is_how_a_task_ended(outcome: str) -> None:
    assert str(refusal(with_node(("routine_states", "sink", "outcome"), outcome))) == (
        "routine_states.sink.outcome: "
        f"an outcome is one of completed, skipped, error_continued, failed, cancelled, not {outcome}"
    )


def test_what_waits_for_its_data_has_merged_nothing() -> None:
    path = ("pending_tasks", 2, "merged")
    assert (REAL["pending_tasks"][2]["data"], refusal(with_node(path, {})).path) == (None, written(path))


def test_what_waits_for_its_data_has_seen_nothing() -> None:
    error = refusal(with_node(("pending_tasks", 2, "seen"), {}))
    assert str(error) == "pending_tasks[2].merged: a task that waits for its data has merged nothing yet"


@pytest.mark.parametrize("name", LONG_LISTS)
def test_a_long_list_is_a_list(name: str) -> None:
    assert refusal(with_node((name,), {})).reason.startswith("Expected `array`, got `object`")


STATUSES = [path for path in FIXED_NODES if path and path[-1] in ("status", "outcome")]


@by_path(STATUSES)
def test_an_unknown_status_is_refused_by_path(path: Path) -> None:
    assert refusal(with_node(path, "bogus")).path == written(path)


WHOLE = {
    "nothing": (None, "$", "a JobState document is an object, not NoneType"),
    "a list": ([], "$", "a JobState document is an object, not list"),
    "text": ("{}", "$", "a JobState document is an object, not str"),
    "of another type": (
        REAL | {"_type": "Flow"},
        "_type",
        "the document says it is 'Flow', but 'JobState' is read here; give the document to the class it names",
    ),
    "of format 0": (REAL | {"format": 0}, "format", "a format is a whole number from 1, not 0"),
    "of a format in words": (REAL | {"format": "1"}, "format", "a format is a whole number from 1, not '1'"),
    "of a true format": (REAL | {"format": True}, "format", "a format is a whole number from 1, not True"),
    "of a newer format": (
        REAL | {"format": 2},
        "format",
        "JobState format 2 is newer than this routilux, which reads up to 1; upgrade routilux on this host",
    ),
}


@pytest.mark.parametrize("what", WHOLE)
def test_a_document_is_refused_that_is(what: str) -> None:
    document, path, reason = WHOLE[what]
    error = refusal(document)
    assert (error.path, error.reason) == (path, reason)


@pytest.mark.parametrize("name", ["error", "status"])
def test_a_state_of_a_routine_that_says_what_only_the_library_says_is_refused_by_path(name: str) -> None:
    path = ("routine_states", "worker", "state", name)
    assert str(refusal(with_node(path, 1))) == (
        f"{written(path)}: get_routine_state uses this name itself; choose another"
    )


def test_a_refusal_says_what_to_do() -> None:
    assert str(refusal(REAL | {"epoch": "1"})) == (
        "epoch: Expected `int`, got `str`; write such documents with serialize()"
    )


# Anything at all.

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=5),
    st.text(st.characters(codec=None), max_size=3),
    st.sampled_from(["j:1", "j:5", "running", "failed", "cancelled", "1970-01-01T00:00:00Z", "9999-12-31T23:59:59Z"]),
)
names = st.one_of(st.text(max_size=4), st.sampled_from(["$tuple", "$dict", "$object", "$int", "data", "task_id", "x"]))
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3), max_leaves=6
)


@st.composite
def mutants(draw: st.DrawFn) -> Any:
    """A real document in which some nodes are replaced, dropped, doubled or given another name."""
    document = copy.deepcopy(REAL)
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(list(nodes(document))))
        if not path:
            return draw(anything)
        parent = at(document, path[:-1])
        match draw(st.sampled_from(["replace", "drop", "double", "graft"])):
            case "replace":
                parent[path[-1]] = draw(anything)
            case "drop":
                del parent[path[-1]]
            case "double" if isinstance(parent, list):
                parent.append(copy.deepcopy(parent[path[-1]]))
            case "double":
                parent[draw(names)] = parent[path[-1]]
            case _:
                parent[path[-1]] = copy.deepcopy(at(document, draw(st.sampled_from(list(nodes(document))))))
    return document


def read_or_refused(document: Any) -> Any:
    """The job, or None where the document was refused as it should be."""
    with suppress(SeriluxError):
        return read_job(document)
    refusal(document)
    return None


@given(mutants())
def test_a_document_is_read_or_refused_and_never_changed(document: Any) -> None:
    before = copy.deepcopy(document)
    read_or_refused(document)
    assert repr(document) == repr(before)


@given(mutants())
def test_whatever_can_be_read_can_be_written_and_read_again(document: Any) -> None:
    state = read_or_refused(document)
    if state is not None:
        again = document_of(state)
        assert document_of(read_job(json.loads(json.dumps(again)))) == again
