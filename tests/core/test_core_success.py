"""What nearly every activation does is applied in fewer steps, and the same becomes of it as by the general way."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from routilux._core.facts import Effect
from routilux._core.history import BoundedHistory
from routilux._core.job import Job, PauseRequest
from routilux._core.transition import succeed
from routilux._graph import Route, RoutineNode
from routilux._records import Changes, RoutineState
from tests.core.hand_made import (
    ANSWER,
    EARLIER,
    LATER,
    OUT,
    SINK,
    WORKER,
    WRONG,
    apply,
    done,
    expectation,
    fields_of,
    job,
    record,
    task,
)

ROUTES = st.lists(
    st.builds(
        Route,
        st.just(OUT),
        st.sampled_from([WORKER, SINK, ANSWER]),
        st.sampled_from([None, {"x": "y"}, {}]),
        st.sampled_from([0, 0, 5, -5]),
    ),
    max_size=3,
)
OTHERS = [task(7), task(8, priority=3), task(9, due=LATER), expectation(10)]
STATES = [
    {},
    {"closing": PauseRequest("", {})},
    {"closing": WRONG},
    {"hold_until": LATER},
    {"routines": {"source": RoutineState()}},
    {"history": BoundedHistory((), 2)},
]


def in_flight(others: list[int], fields: dict[str, Any]) -> Job:
    """A job in the middle of task 1; each a job of its own."""
    own = {name: BoundedHistory((), 2) if name == "history" else value for name, value in fields.items()}
    own = {name: dict(value) if name == "routines" else value for name, value in own.items()}
    return job(active=(task(1),), tasks=[OTHERS[index] for index in others], **own)


@given(
    ROUTES,
    st.lists(st.sampled_from(["out", "unheard"]), max_size=3),
    st.booleans(),
    st.lists(st.sampled_from(range(4)), unique=True),
    st.sampled_from(STATES),
)
def test_an_outbox_is_published_as_one_that_says_nothing_of_its_routing(
    routes: list[Route], events: list[str], started: bool, others: list[int], fields: dict[str, Any]
) -> None:
    source = RoutineNode("source", "Source", {"out": tuple(routes), "unheard": ()})
    outbox = [record("source", event, x=number) for number, event in enumerate(events)]
    shortly, generally = in_flight(others, fields), in_flight(others, fields)
    effects = [
        succeed(state, source, done(state.active[1], *outbox, routing=routing, started=started), None, LATER)
        for state, routing in ((shortly, None), (generally, {}))
    ]
    assert (fields_of(shortly), effects[0]) == (fields_of(generally), effects[1])


def test_a_mapping_counts_for_its_own_connection_only() -> None:
    routes = (Route(OUT, WORKER, {"x": "y"}), Route(OUT, WORKER), Route(OUT, WORKER, {"x": "z"}))
    state = job(active=(task(1),))
    succeed(
        state, RoutineNode("source", "Source", {"out": routes}), done(task(1), record("source", "out", x=1)), None, 1
    )
    assert [entry.data for entry in state.ready] == [{"y": 1}, {"x": 1}, {"z": 1}]


def test_a_job_that_goes_on_only_if_somebody_delivers_is_told_to_be_stuck() -> None:
    state = job(active=(task(1),), tasks=[expectation(2)])
    assert apply(state, done(state.active[1])) == (Effect.STUCK,)


def test_a_job_with_anything_else_to_do_is_not() -> None:
    others = [task(3), task(3, due=LATER)]
    states = [job(active=(task(1),), tasks=[expectation(2), other]) for other in others]
    states.append(job(active=(task(1), task(3, since=EARLIER)), tasks=[expectation(2)]))
    assert [apply(state, done(state.active[1]), concurrent=True) for state in states] == [(), (), ()]


def test_a_change_of_data_is_no_reason_to_look_at_the_timers() -> None:
    state = job(active=(task(1),), tasks=[task(2)])
    assert apply(state, done(state.active[1], changes=Changes({"a": 1}))) == ()
