"""The user's module of the other tests, as it has become since; and plans for jobs from before."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.commands import documents, finish, let_go_on, read_until, start
from tests.patience import until

CHANGES = {
    "renamed": [
        ('"order", handler=self.bill', '"bill", handler=self.bill'),
        ('"billing", "order")', '"billing", "bill")'),
    ],
    "stricter": [
        ("def bill(self, number: int, amount: Money)", "def bill(self, number: int, amount: Money, tax: int)")
    ],
    "reconfigured": [
        ("seven = 7", 'def new_config(old):\n    return {"currency": old.get("currency", "EUR")}'),
        ("context = self", 'assert self.get_config("currency") == "EUR"\n        context = self'),
    ],
}


@pytest.fixture
def changed(folder: Path) -> None:
    """Modules beside the user's: the same code after an edit. Each is for a process of its own."""
    for name, edits in CHANGES.items():
        text = (folder / "shop.py").read_text()
        for old, new in edits:
            assert old in text, old
            text = text.replace(old, new)
        (folder / f"{name}.py").write_text(text)


@pytest.fixture
def paused(folder: Path, gate: Path) -> str:
    """A job that was interrupted while it handled the second of three orders."""
    process = start(folder, "run", "shop:flow", "--entry", "orders", "--param", "amounts=[1, 2, 3]", GATE=str(gate))
    read_until(process, "billing 1")
    process.terminate()
    read_until(process, "starts nothing more")
    let_go_on(gate, process)
    assert finish(process)[0] == 130
    job_id: str = documents("jobs", "--status", "paused")[-1]["job_id"]
    return job_id


@pytest.fixture
def orphan(folder: Path, gate: Path) -> str:
    """One whose process was killed then."""
    with start(folder, "run", "shop:flow", "--entry", "orders", "--param", "amounts=[1, 2, 3]", GATE=str(gate)) as lost:
        read_until(lost, "billing 1")
        job_id: str = documents("jobs", "--status", "running")[0]["job_id"]
        until(lambda: documents("show", job_id)["document"]["slot_data"].get("billing"))  # on disk, within the window
        lost.kill()
        lost.wait(60)
    return job_id


def plan_file(folder: Path, name: str = "plan.json", **plan: Any) -> str:
    (folder / name).write_text(json.dumps(plan))
    return name
