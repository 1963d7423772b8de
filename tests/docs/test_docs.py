"""Every block of Python in docs/ runs, those of a page in their order, and prints what the page says that it prints."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from routilux._core.journal import _READERS
from tests.docs.page_program import Block, blocks_of, printed_by_each, program_of

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(str(path.relative_to(DOCS)) for path in DOCS.rglob("*.md"))
LINK = re.compile(r"\]\((?!https?:)([^)#]+)")


@pytest.mark.parametrize("name", PAGES)
def test_the_blocks_of_a_page_print_what_it_says(name: str, tmp_path: Path) -> None:
    blocks = blocks_of((DOCS / name).read_text(encoding="utf-8"))
    (tmp_path / "page.py").write_text(program_of(blocks), encoding="utf-8")
    command = [sys.executable, "-W", "error", "page.py"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert (run.returncode, run.stderr) == (0, "")
    assert printed_by_each(run.stdout) == [block.printed for block in blocks]


@pytest.mark.parametrize("path", [*DOCS.rglob("*.md"), *ROOT.glob("*.md")], ids=str)
def test_what_a_page_links_to_is_there(path: Path) -> None:
    links = LINK.findall(path.read_text(encoding="utf-8"))
    assert [link for link in links if not (path.parent / link).exists()] == []


def test_the_site_builds_without_a_warning_and_every_page_is_in_its_contents(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-n", str(DOCS), str(tmp_path)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (run.returncode, run.stderr) == (0, "")


def test_a_page_becomes_a_program_with_the_lines_of_the_page() -> None:
    page = "# Title\n\n```python\nx = 1\n```\n\nWords.\n\n```python\nprint(x)\n```\n\n```text\n1\n```\n"
    blocks = blocks_of(page)
    assert blocks == [Block(4, "x = 1\n", ""), Block(10, "print(x)\n", "1\n")]
    lines = program_of(blocks).splitlines()
    assert (lines[3], lines[9]) == ("x = 1", "print(x)")


def test_every_kind_of_line_in_a_journal_is_described() -> None:
    page = (DOCS / "reference" / "store-format.md").read_text(encoding="utf-8")
    (table,) = re.findall(r"\| kind \| then .*?\n\n", page, re.DOTALL)
    assert re.findall(r"^\| `(\w+)`", table, re.MULTILINE) == list(_READERS)
