"""Every block in the documentation is run, or read, and is what its page says that it is."""

import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from routilux._core.journal import _READERS
from tests.docs.fences import Fence, fences_of
from tests.docs.page_program import Block, blocks_of, files_of, is_output, printed_by_each, program_of
from tests.docs.transcripts import agrees, as_shown, commands_of, is_said_only, masked

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PROGRAMS = sorted(str(path.relative_to(DOCS)) for path in DOCS.rglob("*.md") if blocks_of(path.read_text("utf-8")))
OTHERS = [*ROOT.glob("*.md"), ROOT / "examples" / "README.md"]
EVERYWHERE = [*sorted(DOCS.rglob("*.md")), *OTHERS]
CLI = DOCS / "reference" / "cli"
LINK = re.compile(r"\]\((?!https?:)([^)#]+)")
READ = {"json": json.loads, "toml": tomllib.loads}
DIRECTIVES = {
    "{toctree}",
    "{eval-rst}",
    "{include} ../../ARCHITECTURE.md",
    "{include} ../../bench/RESULTS.md",
}  # which Sphinx obeys, or warns
PROVED_ELSEWHERE = {("README.md", "python"): "test_readme", ("ARCHITECTURE.md", ""): "test_architecture"}


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the module and the store that the pages of the command line are about."""
    folder = tmp_path_factory.mktemp("shop")
    for name, content in files_of((CLI / "index.md").read_text(encoding="utf-8")).items():
        (folder / name).write_text(content, encoding="utf-8")
    command = [sys.executable, "-W", "error", str(Path(__file__).with_name("shop_jobs.py"))]
    subprocess.run(command, cwd=folder, check=True, timeout=60)
    return folder


@pytest.fixture
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """An empty folder, or for a page of the command line the shop."""
    if (DOCS / request.getfixturevalue("name")).parent == CLI:
        shutil.copytree(request.getfixturevalue("shop"), tmp_path, dirs_exist_ok=True)
    return tmp_path


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_blocks_of_a_page_print_what_it_says(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = blocks_of(page(name))
    (folder / "page.py").write_text(program_of(blocks), encoding="utf-8")
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=":")
    monkeypatch.setenv("PYTHONWARNINGS", "error")
    run = subprocess.run(
        [sys.executable, "page.py"], cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )
    assert (run.returncode, run.stderr) == (0, "")
    assert [seen(block, printed) for block, printed in zip(blocks, printed_by_each(run.stdout), strict=True)] == [
        block.printed for block in blocks
    ]


def seen(block: Block, printed: str) -> str:
    """What a block has printed; where only what differs from run to run is not as on the page, what is there."""
    if not block.is_transcript:
        return printed
    return block.printed if agrees(block.printed, printed) else masked(as_shown(printed))


@pytest.mark.parametrize("path", EVERYWHERE, ids=named)
def test_every_block_is_of_a_kind_that_something_runs_or_reads(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    fences = fences_of(text)
    assert [
        fence for before, fence in zip([None, *fences], fences, strict=False) if not known(path, before, fence)
    ] == []


def known(path: Path, before: Fence | None, fence: Fence) -> bool:
    text = path.read_text(encoding="utf-8")
    if fence.kind in READ:
        return READ[fence.kind](fence.content) is not None
    if fence.kind == "console":
        return DOCS in path.parents or all(map(is_said_only, commands_of(fence.content)))
    if fence.kind == "python":
        return DOCS in path.parents or (named(path), "python") in PROVED_ELSEWHERE
    if fence.kind == "text" and before is not None:
        return is_output(text, before, fence)
    return fence.kind in DIRECTIVES or (named(path), fence.kind) in PROVED_ELSEWHERE


SAID = sorted(
    {
        command.split("  #")[0]
        for path in EVERYWHERE
        for fence in fences_of(path.read_text(encoding="utf-8"))
        if fence.kind == "console"
        for command in commands_of(fence.content)
        if is_said_only(command)
    }
)


@pytest.mark.parametrize("command", SAID)
def test_what_is_said_and_not_run_can_be_done(command: str) -> None:
    if command.startswith("make"):
        subprocess.run(["make", "-n", *command.split()[1:]], cwd=ROOT, capture_output=True, check=True, timeout=60)
    elif command.startswith("pip install"):
        extras: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
            "optional-dependencies"
        ]
        (wanted,) = re.findall(r"pip install '?(?:\.|routilux)(?:\[(\w+(?:,\w+)*)\])?'?$", command)
        assert set(filter(None, wanted.split(","))) <= extras.keys()
    else:
        assert command in ("python3 -m venv .venv", ". .venv/bin/activate")


@pytest.mark.parametrize("path", EVERYWHERE, ids=named)
def test_what_a_page_links_to_is_there(path: Path) -> None:
    links = LINK.findall(path.read_text(encoding="utf-8"))
    assert [link for link in links if not (path.parent / link).exists()] == []


def test_every_kind_of_line_in_a_journal_is_described() -> None:
    (table,) = re.findall(r"\| kind \| then .*?\n\n", page("reference/store-format.md"), re.DOTALL)
    assert re.findall(r"^\| `(\w+)`", table, re.MULTILINE) == list(_READERS)
