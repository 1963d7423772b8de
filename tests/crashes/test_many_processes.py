"""Law 6 among processes that run jobs of one store at once, some of which die, and one of which only seems to."""

import json
import re
from signal import SIGSTOP
from typing import Any

from routilux import JobState, recover
from routilux._engine.fault_points import FaultPoint
from routilux.stores import JobSummary, Store, open_store
from tests.crashes.hosts import Host
from tests.crashes.mill import Order, committed, expected, outcome
from tests.crashes.millers import ORDER, End, run_share

SHARE = 12
LONG = Order(hops=60)
STOPS = End(FaultPoint.RECORDS_MADE, 6, SIGSTOP)


def test_fifty_jobs_outlive_two_deaths_and_a_long_sleep(url: str) -> None:
    alive = Host(run_share, url, [ORDER] * (SHARE + 1))
    dying = [Host(run_share, url, [ORDER] * SHARE) for _ in range(2)]
    sleeping = Host(run_share, url, [LONG, *[ORDER] * SHARE], STOPS)
    for host in dying:
        for _ in range(SHARE):
            host.hear_until("executed")
        host.kill()
    sleeping.wait_until_stopped()
    with open_store(url) as store:
        taken = resume_all([summary for summary in store.jobs("running") if is_run_by(sleeping, summary)], store)
        for job_state in [*taken.values(), *recover(store)]:
            assert job_state.wait(60), job_state.explain()
        assert alive.ended()[-1] == "finished"
        before = histories(store)
        sleeping.wake()
        check_lost(sleeping.ended(), set(taken))
        after = histories(store)
        assert {job_id: after[job_id] for job_id in before} == before
        assert len(after) == 4 * SHARE + 2
        for summary in store.jobs():
            check(summary, store.load(summary.job_id)[1])


def is_run_by(host: Host, summary: JobSummary) -> bool:
    return summary.owner is not None and json.loads(summary.owner)["pid"] == host.process.pid


def resume_all(summaries: list[JobSummary], store: Store) -> dict[str, JobState]:
    resumed = {}
    for summary in summaries:
        flow, job_state = store.load(summary.job_id)
        resumed[summary.job_id] = flow.resume(job_state)
    return resumed


def check_lost(lines: list[str], taken: set[str]) -> None:
    """Who has slept was told of each job that was taken."""
    lost = [line for line in lines if line.startswith("lost")]
    assert {match for line in lost for match in re.findall(r"job '(\w+)' was taken over", line)} == taken
    assert lines[-1] == "finished"


def histories(store: Store) -> dict[str, list[Any]]:
    return {summary.job_id: store.load(summary.job_id)[1].execution_history for summary in store.jobs()}


def check(summary: JobSummary, job_state: JobState) -> None:
    hops = next(record.data["hops"] for record in job_state.execution_history if record.event_name == "item")
    assert outcome(job_state) == expected("sequential", Order(hops=hops))
    tasks = committed(job_state)
    assert len(tasks) == len(set(tasks))
    assert (summary.status, summary.owner) == ("completed", None)
