"""The store that the pages of the command line are about; run in the folder of its `shop.py`.

Four jobs, whose ids are the same each time: one completed, one failed, one paused, one whose process died.
"""

import os
import sys
from typing import Any

from routilux.stores import Store, open_store
from routilux.testing import StepRunner

URL = "sqlite:///routilux.db"
COMPLETED, FAILED, PAUSED, ORPHAN = (digit * 8 + "5a1e4c0c9d3e2b7a8c4f1d02" for digit in "1234")


class NamedRunner(StepRunner):
    """Gives the next job this id."""

    def __init__(self, job_id: str) -> None:
        super().__init__()
        self.new_id = lambda: job_id  # type: ignore[method-assign]


def begin(store: Store, job_id: str, amounts: list[int]) -> tuple[Any, Any]:
    """Start a job, and run no more than its entry."""
    import shop  # noqa: PLC0415 - the page's, in the current folder

    flow = shop.shop(engine_factory=NamedRunner(job_id).engine)
    return flow, flow.execute("orders", {"amounts": amounts}, store=store)


def make() -> None:
    """Write the store."""
    with open_store(URL) as store:
        begin(store, COMPLETED, [20, 50])[1].wait()
        begin(store, FAILED, [20, 5000])[1].wait()
        flow, paused = begin(store, PAUSED, [20, 130])
        flow.pause(paused, "for lunch")
    if (worker := os.fork()) == 0:
        begin(open_store(URL), ORPHAN, [700])
        os._exit(1)
    os.waitpid(worker, 0)


if __name__ == "__main__":
    sys.path.insert(0, os.getcwd())
    make()
