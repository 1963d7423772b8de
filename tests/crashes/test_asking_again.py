"""Whoever chooses a job's id may ask for it again, after any crash and from any process: it is done once."""

from pathlib import Path
from signal import SIGKILL

import pytest

from routilux._engine.fault_points import FaultPoint
from routilux.stores import open_store
from tests.crashes.hosts import Host
from tests.crashes.mill import committed, expected, outcome
from tests.crashes.millers import ASKED, ORDER, End, ask

AT_FIRST = (FaultPoint.RECORDS_WAIT, FaultPoint.RECORDS_MADE, FaultPoint.RECORDS_WRITTEN)


@pytest.fixture
def effects(tmp_path: Path) -> str:
    path = tmp_path / "effects"
    path.touch()
    return str(path)


def sees_it_done_once(url: str) -> None:
    with open_store(url) as store:
        assert [each.job_id for each in store.jobs()] == [ASKED]
        job_state = store.load(ASKED)[1]
    assert outcome(job_state) == expected("sequential", ORDER)
    tasks = committed(job_state)
    assert len(tasks) == len(set(tasks))


@pytest.mark.parametrize("point", AT_FIRST)
@pytest.mark.parametrize("times", [1, 2, 3])
def test_a_caller_that_dies_asks_again(url: str, effects: str, point: FaultPoint, times: int) -> None:
    first = Host(ask, url, effects, End(point, times))
    ran = first.ended()
    assert first.exit() == -SIGKILL
    assert not (times == 1 and ran), "it is on disk before anything of it runs"
    again = Host(ask, url, effects)
    said = again.ended()
    is_stored = times > 1 or point is FaultPoint.RECORDS_WRITTEN
    assert (again.exit(), said[-1:], "exists" in said) == (0, ["finished"], is_stored)
    sees_it_done_once(url)


def test_of_many_processes_that_ask_at_once_one_starts_the_job(url: str, effects: str) -> None:
    open_store(url).close()
    hosts = [Host(ask, url, effects) for _ in range(4)]
    said = [host.ended() for host in hosts]
    assert [host.exit() for host in hosts] == [0] * 4
    assert sum("exists" in lines for lines in said) == 3
    sees_it_done_once(url)
