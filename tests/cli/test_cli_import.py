"""`routilux import`: exactly one copy of a moved job can go on."""

import json
from pathlib import Path

import pytest

from tests.cli.commands import documents, in_process, routilux

OTHER = ("--store", "sqlite:///other.db")


@pytest.fixture
def transfer(folder: Path, failed: str) -> Path:
    path = folder / "transfer.json"
    path.write_text(routilux("export", failed).stdout)
    return path


def test_a_moved_job_goes_on_in_the_other_store(
    folder: Path, failed: str, transfer: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    imported = documents("import", str(transfer), *OTHER)
    assert (imported["job_id"], imported["status"]) == (failed, "failed")
    monkeypatch.setenv("FORGIVING", "yes")
    assert routilux("retry", failed, "--app", "shop", *OTHER, "--json").exit_code == 0
    assert documents("show", failed, *OTHER)["document"]["shared_data"]["billed"] == 65


def test_it_reads_stdin(folder: Path, failed: str, transfer: Path) -> None:
    result = routilux("import", *OTHER, input=transfer.read_text())
    assert (result.exit_code, documents("jobs", *OTHER)[0]["job_id"]) == (0, failed)


def test_a_second_import_is_refused(folder: Path, transfer: Path) -> None:
    routilux("import", str(transfer), *OTHER)
    result = routilux("import", str(transfer), *OTHER)
    assert (result.exit_code, "is in this store already" in result.stderr) == (1, True)


def test_where_the_job_comes_from_it_is_refused_too(folder: Path, transfer: Path) -> None:
    result = routilux("import", str(transfer))
    assert (result.exit_code, "was moved out of this store" in result.stderr) == (1, True)


@pytest.mark.parametrize("text", ["{", "[]", '{"format": 1}', "[" * 100_000])
def test_anything_else_is_refused_in_one_line_and_no_store_is_made(folder: Path, text: str) -> None:
    (folder / "odd.json").write_text(text)
    result = routilux("import", "odd.json", *OTHER)
    assert (result.exit_code, result.stderr.count("\n"), "odd.json" in result.stderr) == (1, 1, True)
    assert not (folder / "other.db").exists()


def test_into_a_store_that_is_there_it_is_refused_too(folder: Path, failed: str) -> None:
    (folder / "odd.json").write_text("{}")
    result = routilux("import", "odd.json")
    assert (result.exit_code, "odd.json" in result.stderr) == (1, True)


def test_a_job_comes_back_to_where_it_was_if_it_is_reclaimed(folder: Path, failed: str, transfer: Path) -> None:
    assert routilux("import", str(transfer)).exit_code == 1
    assert documents("import", str(transfer), "--reclaim")["status"] == "failed"
    assert documents("jobs")[0]["status"] == "failed"


def test_the_command_that_goes_on_is_the_one_that_fits_and_works(folder: Path, failed: str, transfer: Path) -> None:
    code, output, _ = in_process(folder, "import", str(transfer), "--app", "shop", *OTHER)
    command = f"routilux retry {failed} --store sqlite:///other.db --app shop"
    assert (code, output) == (0, f"job {failed} is failed; it goes on with: {command}\n")
    assert in_process(folder, *command.split()[1:], FORGIVING="yes")[0] == 0


def test_where_the_modules_given_lack_a_class_it_is_named_and_no_command_is(
    folder: Path, failed: str, transfer: Path
) -> None:
    (folder / "other.py").write_text(
        "import dataclasses, serilux\n"
        "Money = serilux.register_serializable(dataclasses.make_dataclass('Money', [('amount', int)]))\n"
    )
    code, output, errors = in_process(folder, "import", str(transfer), "--app", "other", *OTHER)
    assert errors == ""
    lines = output.splitlines()
    assert (code, lines[0]) == (
        0,
        f"job {failed} is failed; it cannot go on with the modules given: 2 problems:",
    )
    assert (
        "class 'Orders' is not registered here; the module given (other) does not register it; was it renamed, or is "
        "it another module's?"
    ) in output
    assert lines[-1].endswith(
        "; `routilux check --store sqlite:///other.db --app other` says of all that have not settled what they need; "
        "with a flow of your code (--app MODULE:FLOW) and a --plan it may say otherwise, and "
        f"`routilux retry {failed} --store sqlite:///other.db --app other` too"
    )
    code, output, _ = in_process(
        folder, "import", str(transfer), "--app", "other", "--store", "sqlite:///third.db", "--json"
    )
    imported = json.loads(output)
    assert (imported["command"], "'Orders' is not registered" in imported["problem"]) == (None, True)


def test_of_a_job_that_has_completed_there_is_none(folder: Path, completed: str) -> None:
    routilux("export", completed, "-o", "done.json")
    result = routilux("import", "done.json", *OTHER)
    assert (result.exit_code, result.stdout) == (0, f"job {completed} is completed\n")
    assert documents("import", "done.json", "--store", "sqlite:///third.db")["command"] is None


def test_a_file_that_is_not_there_is_told(folder: Path) -> None:
    result = routilux("import", "missing.json", *OTHER, "--json")
    assert (result.exit_code, json.loads(result.stderr)["error"]["type"]) == (1, "FileNotFoundError")


@pytest.fixture
def keys(folder: Path) -> str:
    for name in ("HMAC-SHA256", "AES-256-GCM"):
        routilux("keys", "keys.json", "--add", name, "--id", name)
    return "keys.json"


@pytest.fixture
def signed(folder: Path, failed: str, keys: str) -> str:
    content = routilux("export", failed, "--key-file", keys, "--encrypt", "--compress").stdout_bytes
    (folder / "job.transfer").write_bytes(content)
    return "job.transfer"


def test_a_signed_file_is_taken_with_its_keys(folder: Path, failed: str, signed: str, keys: str) -> None:
    assert documents("import", signed, "--key-file", keys, *OTHER)["job_id"] == failed
    assert routilux("import", "--key-file", keys, *OTHER, input=(folder / signed).read_bytes()).exit_code == 1


def refused(*arguments: str) -> str:
    result = routilux("import", *arguments, *OTHER, "--json")
    assert result.exit_code == 1
    kind: str = json.loads(result.stderr)["error"]["type"]
    return kind


def test_what_is_not_as_the_keys_ask_for_is_refused(folder: Path, signed: str, keys: str) -> None:
    content = (folder / signed).read_bytes()
    (folder / "cut").write_bytes(content[:-1])
    (folder / "plain.json").write_text("{}")
    routilux("keys", "other.json", "--add", "HMAC-SHA256")
    assert refused(signed) == "TransferForeignError"
    assert refused(signed, "--key-file", "other.json") == "TransferForeignError"
    assert refused("cut", "--key-file", keys) == "TransferDamagedError"
    assert refused("plain.json", "--key-file", keys) == "TransferUnsignedError"
    assert refused(signed, "--key-file", keys, "--max-size", "10") == "TransferTooLargeError"
    assert not (folder / "other.db").exists()
    assert documents("import", signed, "--key-file", keys, *OTHER)["status"] == "failed"
    assert refused(signed, "--key-file", keys) == "TransferReplayedError"


def test_an_old_file_is_refused_where_the_job_has_gone_on(folder: Path, failed: str, signed: str, keys: str) -> None:
    routilux("import", signed, "--key-file", keys, *OTHER)
    again = routilux("export", failed, "--key-file", keys, *OTHER).stdout_bytes
    assert refused(signed, "--key-file", keys) == "TransferReplayedError"
    (folder / "back").write_bytes(again)
    assert documents("import", "back", "--key-file", keys)["job_id"] == failed


OLD = """
from dataclasses import dataclass

from routilux import Flow, Routine
from serilux import register_serializable


@register_serializable
@dataclass
class Money:
    amount: int


@register_serializable
class Asking(Routine):
    def __init__(self):
        super().__init__()
        self.define_slot("trigger", handler=self.ask)
        self.define_slot("answer", handler=self.hear)

    def ask(self):
        context = self.get_execution_context()
        context.job_state.shared_data["price"] = Money(5)
        self.expect("answer")
        context.flow.pause(context.job_state)

    def hear(self):
        self.get_execution_context().job_state.update_shared_data("paid", lambda _: True)


flow = Flow("asking")
flow.add_routine(Asking(), "asking")
"""
PLAN = """{"classes": {"Money": "Amount"}}"""


def test_classes_of_values_are_called_as_a_plan_says(folder: Path) -> None:
    (folder / "old_prices.py").write_text(OLD)
    (folder / "new_prices.py").write_text(OLD.replace("Money", "Amount"))
    (folder / "plan.json").write_text(PLAN)
    assert in_process(folder, "run", "old_prices:flow", "--entry", "asking", "--job-id", "p1")[0] == 130  # it pauses
    assert in_process(folder, "export", "p1", "-o", "p1.json", "--app", "old_prices:flow")[0] == 0
    code, _, errors = in_process(folder, "import", "p1.json", "--app", "new_prices:flow", *OTHER)
    assert (code, "class 'Money' is not registered here" in errors) == (1, True)
    taken = ("import", "p1.json", "--app", "new_prices:flow", "--plan", "plan.json", *OTHER)
    assert in_process(folder, *taken)[0] == 0
    assert (
        in_process(folder, "deliver", "p1", "asking", "answer", "--data", "{}", "--app", "new_prices", *OTHER)[0] == 0
    )
    assert in_process(folder, "resume", "p1", "--app", "new_prices", "--plan", "plan.json", *OTHER)[0] == 0
    assert documents("show", "p1", *OTHER)["document"]["shared_data"]["paid"] is True
