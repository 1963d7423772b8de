"""Stores and flows that are let go while the interpreter ends: its threads stand still by then, whatever they have."""

import subprocess
import sys
from pathlib import Path

import pytest

from routilux import recover
from routilux.stores import open_store
from tests.patience import PATIENCE
from tests.stores.patients import patient

BEGUN = """
import sys
from routilux.stores import open_store
from tests.stores.patients import patient

def in_a_generator(opened):
    with opened:
        yield opened

class WhenCollected:
    def __init__(self, call):
        self.call = call

    def __del__(self):
        self.call()

store = open_store(sys.argv[1])
"""

ENDINGS = {
    "a store": "kept = in_a_generator(store); next(kept)",
    "a store of memory": "kept = in_a_generator(open_store('memory:')); next(kept)",
    "a store that a thread was just writing": """
kept = in_a_generator(store); next(kept)
store.ledger._writing.acquire()
""",
}

JOB_WAITS = {
    "a store": """
kept = in_a_generator(store); next(kept)
patient().execute("patient", store=store, job_id="a", durability="strict")
""",
    "a flow": """
kept = in_a_generator(patient()); next(kept).execute("patient", store=store, job_id="a", durability="strict")
""",
    "a flow that is shut down": """
flow = patient(); job = flow.execute("patient", store=store, job_id="a", durability="strict")
kept = WhenCollected(flow.shutdown)
""",
}


def ended(tmp_path: Path, ending: str) -> str:
    """What a program prints that ends like that, and says nothing else."""
    command = [sys.executable, "-c", BEGUN + ending, f"sqlite:///{tmp_path}/jobs.db"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (run.returncode, run.stderr) == (0, "")
    return run.stdout


@pytest.mark.parametrize("ending", ENDINGS.values(), ids=ENDINGS)
def test_they_do_not_keep_it_from_ending(tmp_path: Path, ending: str) -> None:
    assert ended(tmp_path, ending) == ""


@pytest.mark.parametrize("ending", JOB_WAITS.values(), ids=JOB_WAITS)
def test_a_job_that_runs_then_is_taken_up_by_others(tmp_path: Path, ending: str) -> None:
    assert ended(tmp_path, ending) == ""
    with open_store(f"sqlite:///{tmp_path}/jobs.db") as store, patient() as flow:
        (job_state,) = recover(store, flows=[flow])
        flow.deliver(job_state, "patient", "answer", {"text": "heard"})
        assert job_state.wait(PATIENCE)


def test_what_is_asked_of_a_store_then_is_answered(tmp_path: Path) -> None:
    assert ended(tmp_path, "kept = WhenCollected(lambda: print(store.jobs()))") == "[]\n"
