"""What is lost when the process ends: jobs that still run, and that no store keeps."""

import atexit
from collections import defaultdict
from collections.abc import Collection
from typing import Protocol
from weakref import WeakSet

from routilux._core.job import Job

SHOWN = 5


class Unsettled(Protocol):
    """A job that runs in this process."""

    job: Job

    @property
    def custody(self) -> object | None:
        """What keeps it in a store, if something does."""


class Running(Protocol):
    """What jobs run on."""

    @property
    def jobs(self) -> Collection[Unsettled]:
        """Those that run."""


_RUNNING: WeakSet[Running] = WeakSet()


def watch(running: Running) -> None:
    """Look, when the process ends, whether jobs run there that nobody keeps."""
    _RUNNING.add(running)


@atexit.register
def tell_what_is_lost() -> None:
    """Tell operators of the jobs that are lost, by their flows."""
    lost: dict[str, list[str]] = defaultdict(list)
    for running in list(_RUNNING):
        for unsettled in list(running.jobs):
            if unsettled.custody is None:
                lost[unsettled.job.flow_id].append(unsettled.job.job_id)
    for flow_id, job_ids in lost.items():
        _tell(flow_id, job_ids)


def _tell(flow_id: str, job_ids: list[str]) -> None:
    from routilux._logging import logger  # noqa: PLC0415 - it is slow to import, and most processes lose nothing

    more = f" and {len(job_ids) - SHOWN} more" if len(job_ids) > SHOWN else ""
    logger.warning(
        "the process ends while flow %r runs jobs that no store keeps: %s%s. What they have not done is lost: wait for "
        "them, or pause and save them (job.save), or give them a store",
        flow_id,
        ", ".join(job_ids[:SHOWN]),
        more,
        extra={"action": "exit", "flow_id": flow_id, "job_id": job_ids[0]},
    )
