"""`routilux run`, and what Ctrl-C makes of it."""

import json
import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from routilux.stores import open_store
from tests.cli.commands import documents, finish, held_open, in_process, let_go_on, read_until, routilux, start
from tests.patience import until

RUN = ("run", "shop:flow", "--entry", "orders")
AMOUNTS = ("--param", "amounts=[20, 130, 50]")


def stored_job(folder: Path) -> str:
    with open_store(f"sqlite:///{folder}/routilux.db") as store:
        (job,) = store.jobs()
        return job.job_id


def test_a_job_runs_to_its_end_in_the_users_own_folder(folder: Path) -> None:
    code, output, errors = in_process(folder, *RUN, *AMOUNTS)
    assert (code, errors) == (0, "")
    assert f"job {stored_job(folder)} is completed: 4 activations" in output
    assert "billing 2" in output


def test_it_prints_one_document(folder: Path) -> None:
    code, output, errors = in_process(folder, *RUN, *AMOUNTS, "--json")
    document = json.loads(output)
    assert (code, errors.count("billing")) == (0, 3)
    assert document.pop("seconds") >= 0
    assert document == {
        "job_id": stored_job(folder),
        "flow_id": "shop",
        "status": "completed",
        "activations": 4,
        "events": 3,
        "errors": 0,
        "retries": 0,
        "error": None,
        "lost": None,
        "command": None,
    }


def test_a_command_that_is_given_again_with_its_jobs_id_does_not_start_it_twice(folder: Path) -> None:
    first, again = [routilux(*RUN, *AMOUNTS, "--job-id", "order-17") for _ in range(2)]
    assert (first.exit_code, stored_job(folder)) == (0, "order-17")
    assert (again.exit_code, again.stdout) == (1, "")
    assert again.stderr.startswith("routilux: the store has a job 'order-17' already, which is completed; ")


def test_a_function_that_makes_a_flow_will_do(folder: Path) -> None:
    assert routilux("run", "shop:make_flow", "--entry", "orders", *AMOUNTS).exit_code == 0


def test_a_job_that_fails_says_where_in_one_line(folder: Path) -> None:
    code, _, errors = in_process(folder, *RUN, "--param", "amounts=[-5]")
    lines = (folder / "shop.py").read_text().splitlines()
    line = next(number for number, text in enumerate(lines, 1) if "raise ValueError" in text)
    job_id = stored_job(folder)
    assert (code, errors) == (
        1,
        f"routilux: job {job_id} failed: ValueError in routine 'billing': a bill of -5 "
        f"({folder}/shop.py:{line}, in bill); once more: routilux retry {job_id} --app shop:flow\n",
    )


def test_a_failed_job_is_a_document_too(folder: Path) -> None:
    result = routilux(*RUN, "--param", "amounts=[-5]", "--json")
    document = json.loads(result.stdout)
    assert (result.exit_code, document["status"], document["errors"], document["retries"]) == (1, "failed", 2, 1)
    assert document["error"]["place"]["function"] == "bill"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_pauses_and_prints_what_resumes(folder: Path, gate: Path, number: signal.Signals) -> None:
    process = start(folder, *RUN, *AMOUNTS, GATE=str(gate))
    read_until(process, "billing 1")
    process.send_signal(number)
    read_until(process, f"{number.name}: pausing")
    read_until(process, "starts nothing more")
    let_go_on(gate, process)
    command = read_until(process, "routilux resume").strip()
    assert (finish(process)[0], command) == (130, f"routilux resume {stored_job(folder)} --app shop:flow")
    code, output, errors = in_process(folder, *command.split()[1:])
    assert (code, errors) == (0, "")
    assert [line for line in output.splitlines() if line.startswith("billing")] == ["billing 2"]


def test_a_second_signal_leaves_at_once_and_nothing_is_lost(folder: Path, gate: Path) -> None:
    process = start(folder, *RUN, *AMOUNTS, GATE=str(gate))
    read_until(process, "billing 1")
    process.send_signal(signal.SIGINT)
    read_until(process, "pausing")
    process.send_signal(signal.SIGINT)
    command = read_until(process, "routilux resume").strip()
    assert finish(process)[0] == 130
    os.remove(gate)
    code, output, errors = in_process(folder, *command.split()[1:])
    assert (code, errors) == (0, "")
    assert [line for line in output.splitlines() if line.startswith("billing")] == ["billing 1", "billing 2"]
    shown = json.loads(in_process(folder, "show", stored_job(folder), "--json")[1])
    assert shown["document"]["shared_data"]["billed"] == 200


def test_a_signal_while_the_entry_handler_runs_pauses_after_it(folder: Path, gate: Path) -> None:
    (folder / "slow.py").write_text(SLOW)
    process = start(folder, "run", "slow:flow", "--entry", "slow", GATE=str(gate))
    read_until(process, "reading")
    process.send_signal(signal.SIGINT)
    read_until(process, "starts nothing more")
    let_go_on(gate, process)
    assert "--app slow" in read_until(process, "routilux resume")
    assert finish(process)[0] == 130


SLOW = """
import os
from routilux import Flow, Routine
from serilux import register_serializable

@register_serializable
class Slow(Routine):
    def __init__(self):
        super().__init__()
        self.define_slot("trigger", handler=self.read)

    def read(self):
        print("reading", flush=True)
        with open(os.environ["GATE"]) as gate:
            gate.read()

flow = Flow("slow")
flow.add_routine(Slow(), "slow")
"""


def test_a_second_signal_is_heard_while_users_code_holds_up_a_commit(folder: Path, gate: Path) -> None:
    (folder / "stuck.py").write_text(STUCK)
    process = start(folder, "run", "stuck:flow", "--entry", "stuck", GATE=str(gate))
    read_until(process, "merging")
    process.send_signal(signal.SIGINT)
    read_until(process, "SIGINT: pausing")
    process.send_signal(signal.SIGTERM)
    assert "--app stuck" in read_until(process, "routilux resume")
    assert finish(process)[0] == 130


STUCK = """
import os
from routilux import Flow, Routine
from serilux import register_serializable

def merge(old, new):
    print("merging", flush=True)
    with open(os.environ["GATE"]) as gate:
        gate.read()
    return new

@register_serializable
class Stuck(Routine):
    def __init__(self):
        super().__init__()
        self.define_slot("trigger", handler=self.read, merge_strategy=merge)

    def read(self):
        pass

flow = Flow("stuck")
flow.add_routine(Stuck(), "stuck")
"""


@pytest.fixture
def unread() -> Iterator[int]:
    """The writing end of a pipe that nobody reads, and that takes nothing more."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with suppress(BlockingIOError):
        while True:
            os.write(writing, bytes(65536))
    os.set_blocking(writing, True)
    yield writing
    os.close(reading)
    os.close(writing)


def is_pausing(folder: Path) -> bool:
    with open_store(f"sqlite:///{folder}/routilux.db") as store:
        return any(store._seen(job.job_id).closing is not None for job in store.jobs())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_are_heard_although_nobody_reads_what_it_shows(
    folder: Path, gate: Path, unread: int, number: signal.Signals
) -> None:
    process = start(folder, *RUN, *AMOUNTS, GATE=str(gate), stdout=unread)
    held = held_open(gate, process)
    process.send_signal(number)
    until(lambda: is_pausing(folder))
    process.send_signal(number)
    assert finish(process)[0] == 130
    assert held is not None
    os.close(held)
    os.remove(gate)
    code, output, errors = in_process(folder, "resume", stored_job(folder), "--app", "shop")
    assert (code, errors) == (0, "")
    assert [line for line in output.splitlines() if line.startswith("billing")] == ["billing 1", "billing 2"]


def test_one_signal_pauses_although_nobody_reads_that(folder: Path, gate: Path, unread: int) -> None:
    process = start(folder, *RUN, *AMOUNTS, GATE=str(gate), stdout=unread)
    held = held_open(gate, process)
    process.send_signal(signal.SIGTERM)
    until(lambda: is_pausing(folder))
    assert held is not None
    os.close(held)
    with open_store(f"sqlite:///{folder}/routilux.db") as store:
        until(lambda: [str(job.status) for job in store.jobs()] == ["paused"])
    process.send_signal(signal.SIGTERM)
    assert finish(process)[0] == 130


def test_an_interrupted_job_is_a_document_too(folder: Path, gate: Path) -> None:
    process = start(folder, *RUN, *AMOUNTS, "--json", GATE=str(gate))
    read_until(process, "billing 1", errors=True)
    process.send_signal(signal.SIGINT)
    read_until(process, "starts nothing more", errors=True)
    let_go_on(gate, process)
    code, output, _ = finish(process)
    document = json.loads(output)
    assert (code, document["status"]) == (130, "paused")
    assert document["command"] == f"routilux resume {stored_job(folder)} --app shop:flow"


def test_the_store_of_the_environment_is_used_and_not_repeated(folder: Path) -> None:
    code, output, _ = in_process(folder, *RUN, "--param", "amounts=[-1]", "--json", ROUTILUX_STORE="sqlite:///other.db")
    assert (code, (folder / "other.db").exists(), "--store" in output) == (1, True, False)


def test_another_store_is_named_in_the_next_command(folder: Path) -> None:
    result = routilux(*RUN, "--param", "amounts=[-1]", "--store", "sqlite:///other.db", "--json")
    assert json.loads(result.stdout)["command"].endswith("--store sqlite:///other.db --app shop:flow")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["shop:flow"], "Missing option '--entry'."),
        (["shop", "--entry", "orders"], "Invalid value for MODULE:FLOW: 'shop' is not like 'package.module:flow'"),
        (["shop:flaw", "--entry", "orders"], "module 'shop' has no attribute 'flaw'; its flows are: 'flow'"),
        (["shop:seven", "--entry", "orders"], "'shop:seven' is no Flow but int"),
        (["shop:broken", "--entry", "orders"], "shop:broken() raised RuntimeError: no flow today"),
        (["shop:make_flaw", "--entry", "orders"], "functions without parameters: 'make_flow', 'broken'"),
        (["shopp:flow", "--entry", "orders"], "there is no module 'shopp'"),
        (["shop:flow", "--entry", "orders", "--param", "x"], "'x' is not like 'name=value'"),
        (["shop:flow", "--entry", "orders", "--param", "x=1", "--param", "x=2"], "'x' is given twice"),
    ],
)
def test_what_cannot_be_understood_is_one_line_and_exit_code_2(
    folder: Path, arguments: list[str], message: str
) -> None:
    result = routilux("run", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr
    assert result.stderr.count("\n") == 1
    assert not (folder / "routilux.db").exists()


def test_a_module_that_raises_is_told_with_its_line(folder: Path) -> None:
    (folder / "bad.py").write_text("\nimport no_such_thing\n")
    result = routilux("run", "bad:flow", "--entry", "orders")
    assert result.exit_code == 2
    assert f"raised ModuleNotFoundError: No module named 'no_such_thing' ({folder}/bad.py:2)" in result.stderr


def test_what_a_library_raises_is_told_with_the_line_of_the_module(folder: Path) -> None:
    (folder / "bad.py").write_text("import os\n\nos.environ['NOT_SET']\n")
    result = routilux("run", "bad:flow", "--entry", "orders")
    assert (result.exit_code, "--app" in result.stderr) == (2, False)
    assert f"raised KeyError: 'NOT_SET' ({folder}/bad.py:3)" in result.stderr


def test_every_activation_is_on_disk_if_asked(folder: Path) -> None:
    assert routilux(*RUN, *AMOUNTS, "--durability", "strict").exit_code == 0
    assert documents("show", stored_job(folder))["document"]["durability"] == "strict"


def test_an_unknown_entry_is_refused(folder: Path) -> None:
    result = routilux("run", "shop:flow", "--entry", "ordres", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stderr)["error"]["type"] == "DefinitionError"


def test_parameters_are_json_or_text(folder: Path) -> None:
    (folder / "echo.py").write_text(ECHO)
    arguments = [argument for value in ("a=1", "b=[true]", "c=1.5.2", "d=", 'e="7"') for argument in ("--param", value)]
    code, output, _ = in_process(folder, "run", "echo:flow", "--entry", "echo", *arguments)
    assert code == 0
    assert "{'a': 1, 'b': [True], 'c': '1.5.2', 'd': '', 'e': '7'}" in output.splitlines()


ECHO = """
from routilux import Flow, Routine
from serilux import register_serializable

@register_serializable
class Echo(Routine):
    def __init__(self):
        super().__init__()
        self.define_slot("trigger", handler=self.echo)

    def echo(self, **params):
        print(params, flush=True)

flow = Flow("echo")
flow.add_routine(Echo(), "echo")
"""
