"""All commands: each has a page that says what it takes, and a file of tests."""

import re
import shlex
import signal
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from routilux.cli.app import app
from tests.cli.commands import ROOT, end_all, read_until, routilux, start

GROUP: Any = get_command(app)
COMMANDS: dict[str, Any] = GROUP.commands
PAGES = ROOT / "docs" / "reference" / "cli"
NAMES = {
    "run", "jobs", "show", "explain", "resume", "recover", "pause", "cancel", "retry", "export", "import", "check",
    "inspect", "keys", "schema", "deliver", "delete", "prune",
}  # fmt: skip


def options(command: Any) -> set[str]:
    return {name for parameter in command.params for name in parameter.opts if name.startswith("--")}


def test_the_commands_are_these() -> None:
    assert set(COMMANDS) == NAMES


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_a_page_that_names_its_options_and_no_others(name: str) -> None:
    page = (PAGES / f"{name}.md").read_text()
    assert page.startswith(f"# routilux {name}\n")
    table = set(re.findall(r"^\| `(--[a-z-]+)", page, re.MULTILINE))
    assert table == options(COMMANDS[name]) - {"--help"}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_tests(name: str) -> None:
    tests = Path(__file__).with_name(f"test_cli_{name}.py").read_text()
    assert re.search(rf'"{name}"', tests)
    assert re.search(r"^def test_", tests, re.MULTILINE)


def test_no_page_is_left_over_and_the_index_names_all() -> None:
    assert {page.stem for page in PAGES.glob("*.md")} == NAMES | {"index"}
    assert set(re.findall(r"\]\((\w+)\.md\)", (PAGES / "index.md").read_text())) == NAMES


def said_in_docs() -> list[str]:
    lines = [line for page in PAGES.glob("*.md") for line in page.read_text().splitlines()]
    return sorted({line.removeprefix("$ ") for line in lines if line.startswith("$ routilux ")})


@pytest.mark.parametrize("line", said_in_docs())
def test_every_command_line_of_the_docs_can_be_understood(line: str) -> None:
    _, name, *arguments = shlex.split(re.split(r"[<>|]", line)[0])
    COMMANDS[name].make_context(name, arguments)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name: str) -> None:
    result = routilux(name, "--help")
    assert (result.exit_code, COMMANDS[name].help.splitlines()[0][:40] in result.stdout) == (0, True)


def test_it_says_which_version_it_is() -> None:
    assert (routilux("--version").exit_code, routilux("--version").stdout) == (0, f"routilux {version('routilux')}\n")


@pytest.mark.parametrize("name", ["typer", "rich"])
def test_without_what_it_needs_it_says_what_to_install(name: str) -> None:
    program = f"import sys; sys.modules[{name!r}] = None; from routilux.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "pip install 'routilux[cli]'" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("arguments", [["frobnicate"], ["jobs", "--colour"], ["show"]])
def test_what_is_no_command_is_one_line_and_exit_code_2(arguments: list[str]) -> None:
    result = routilux(*arguments)
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)


def test_what_a_test_has_started_ends_with_it(folder: Path, gate: Path) -> None:
    run = ("run", "shop:flow", "--entry", "orders", "--param", "amounts=[1, 2]")
    waiting, ended = start(folder, *run, GATE=str(gate)), start(folder, "jobs")
    read_until(waiting, " runs")
    ended.communicate(timeout=60)
    end_all()
    assert waiting.returncode == -signal.SIGKILL
    assert waiting.stdout is not None
    assert waiting.stdout.closed
