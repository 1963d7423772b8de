"""A job and the handles that users have of it."""

import gc
from collections.abc import Iterator
from typing import Any
from weakref import ref

import pytest

from routilux import JobState, Routine
from routilux.testing import StepRunner
from tests.engine.engine_parts import flow_of, routine

seen: list[Any] = []


@pytest.fixture(autouse=True)
def nothing_seen() -> None:
    seen.clear()


@pytest.fixture
def no_garbage_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def look(self: Routine) -> None:
    context = self.get_execution_context()
    assert context is not None
    seen.append(context.job_state)


def test_a_handler_is_given_the_handle_that_somebody_has() -> None:
    job_state = flow_of(StepRunner(), a=routine(look)).execute("a")
    assert seen[0] is job_state


def test_a_handler_is_given_a_handle_where_nobody_has_one() -> None:
    runner = StepRunner()
    flow = flow_of(runner, a=routine(look))
    job_id = runner.start(flow, "a").job_id
    runner.run()
    (handle,) = seen
    assert (type(handle), handle.job_id, handle.status) == (JobState, job_id, "completed")


def test_the_handle_of_a_job_that_was_read_is_the_one_that_it_was_read_into() -> None:
    read = JobState()
    read.deserialize(flow_of(StepRunner(), a=routine(look)).execute("a").serialize())
    assert read._live.job_state is read


@pytest.mark.usefixtures("no_garbage_collector")
def test_a_job_that_is_over_goes_with_its_handle() -> None:
    source = routine(lambda self: self.emit("out"), "out")
    with flow_of(a=source, b=routine(lambda self: None), links=("a.out>b",), max_workers=1) as flow:
        job_state = flow.execute("a")
        assert job_state.wait(10.0)
        live = ref(job_state._live)
        del job_state
        flow.execute("a").wait(10.0)  # the worker that has served it serves another by now
        assert live() is None
