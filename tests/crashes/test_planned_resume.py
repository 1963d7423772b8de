"""Law 7 across real deaths: a plan is applied whole or not at all, wherever the process dies that applies it."""

from signal import SIGKILL

import pytest

from routilux._engine.fault_points import FaultPoint
from routilux.stores import open_store
from tests.crashes.hosts import Host
from tests.crashes.millers import End
from tests.crashes.planners import COUNT, PLAN, STOPS_AT, begin, go_on, go_on_as_stored

POINTS = [point for point in FaultPoint if point is not FaultPoint.OWNER_LEAVES]


def interrupted(url: str) -> str:
    host = Host(begin, url)
    executed, _ = sorted(host.hear(2))  # and that it waits: all before that is on disk
    host.kill()
    return executed.split()[1]


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("point", POINTS)
def test_a_job_outlives_a_death_at(url: str, point: FaultPoint, times: int) -> None:
    job_id = interrupted(url)
    dying = Host(go_on, url, End(point, times))
    heard = dying.ended()
    assert (dying.exit(), heard) in ((-SIGKILL, []), (0, ["finished"]))  # some are passed but once
    with open_store(url) as store:
        was_applied = bool(store.peek(job_id).document.get("plans"))
    assert was_applied or heard == []
    assert Host(go_on_as_stored if was_applied else go_on, url).ended() == ["finished"]
    with open_store(url) as store:
        document = store.peek(job_id).document
    assert document["status"] == "completed"
    assert document["shared_log"] == [["worker" if n < STOPS_AT else "laborer", n] for n in range(COUNT)]
    assert document["routine_states"]["laborer"]["state"] == {"sum": sum(range(COUNT))}
    assert [applied["plan"] for applied in document["plans"]] == [PLAN.document()]
    dropped = [task["data"]["n"] for task in document["plans"][0]["dropped_tasks"]]
    assert dropped == list(range(COUNT))
