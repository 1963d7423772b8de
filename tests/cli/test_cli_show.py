"""`routilux show`: what a job is like, without any of its classes."""

import json
from pathlib import Path

from routilux import Flow, Plan, Routine
from routilux.stores import open_store
from routilux.testing import StepRunner
from serilux import register_serializable
from tests.cli.commands import documents, in_process, routilux


def test_it_shows_the_document_of_the_job(folder: Path, failed: str) -> None:
    with open_store("sqlite:///routilux.db") as store:
        _, job_state = store.load(failed)
    assert documents("show", failed)["document"] == job_state.serialize()


def test_it_needs_none_of_the_users_classes(folder: Path, completed: str) -> None:
    (folder / "shop.py").unlink()
    code, output, errors = in_process(folder, "show", completed, "--json")
    assert (code, errors) == (0, "")
    assert json.loads(output)["document"]["shared_data"] == {
        "billed": 150,
        "last": {"$object": {"class": "Money", "fields": {"amount": 130}}},
    }


def test_its_text_says_how_far_the_job_is(folder: Path, failed: str) -> None:
    lines = routilux("show", failed).stdout.splitlines()
    assert lines[0] == f"job {failed} of flow 'shop' is failed, epoch 0"
    assert [line.split() for line in lines if line.startswith(("orders ", "billing "))] == [
        ["orders", "completed", "1", "3", "0", "0"],
        ["billing", "failed", "4", "0", "2", "1"],
    ]
    assert f"failed task {failed}:4 for billing.order" in lines
    assert "shared billed = 70" in lines


UNKNOWN = "the store has no job 'nobody'; `routilux jobs` lists all"


def test_an_unknown_job_is_refused_in_one_line(folder: Path, completed: str) -> None:
    result = routilux("show", "nobody")
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", f"routilux: {UNKNOWN}\n")


def test_it_is_refused_as_a_document(folder: Path, completed: str) -> None:
    error = json.loads(routilux("show", "nobody", "--json").stderr)
    assert error == {"error": {"type": "UnknownJobError", "message": UNKNOWN}}


def test_it_tells_of_plans_and_under_which_name_a_renamed_routine_is_now(folder: Path) -> None:
    runner = StepRunner()
    flow, renamed = two_steps(runner, "clean"), two_steps(runner, "scrub")
    with open_store("sqlite:///routilux.db") as store:
        job_state = flow.execute("source", store=store)
        runner.step()
        flow.pause(job_state)
        renamed.resume(store.load_job(job_state.job_id), plan=Plan(routines={"clean": "scrub"}, reason="2.3")).wait()
    lines = routilux("show", job_state.job_id).stdout.splitlines()
    assert [line.split("  ")[0] for line in lines if "now" in line] == ["clean"]
    (told,) = [line for line in lines if line.startswith("changed by a plan at ")]
    assert told.endswith(
        " (2.3): routine 'clean' is 'scrub' since; what history says of before then, it says of 'clean'"
    )


@register_serializable
class ShownStep(Routine):
    def __init__(self) -> None:
        super().__init__()
        self.define_slot("trigger", self.start)
        self.define_slot("work", self.work)
        self.define_event("out")

    def start(self) -> None:
        for n in range(2):
            self.emit("out", n=n)

    def work(self, n: int) -> None:
        pass


def two_steps(runner: StepRunner, name: str) -> Flow:
    flow = Flow("steps", engine_factory=runner.engine)
    flow.add_routine(ShownStep(), "source")
    flow.add_routine(ShownStep(), name)
    flow.connect("source", "out", name, "work")
    return flow
