"""What the pages name in passing is there: `flow.resume(job)` in a sentence is a method of Flow."""

import re
from importlib import import_module
from pathlib import Path

import pytest

from routilux import ExecutionContext, Flow, JobState, Routine
from routilux.stores import Store
from routilux.testing import StepRunner

ROOT = Path(__file__).parents[2]
PAGES = [*sorted((ROOT / "docs").rglob("*.md")), *sorted(ROOT.glob("*.md"))]
MEANT = {
    "flow": Flow, "Flow": Flow, "job": JobState, "job_state": JobState, "JobState": JobState, "store": Store,
    "other_store": Store, "Store": Store, "context": ExecutionContext, "runner": StepRunner(), "StepRunner": StepRunner,
    "self": Routine, "Routine": Routine,
}  # fmt: skip
FENCE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
CODE = re.compile(r"`([^`\n]+)`")
MEMBER = re.compile(rf"(?<![\w./])({'|'.join(MEANT)})\.([a-z]\w*)")
DOTTED = re.compile(r"(?<![\w./])((?:routilux|serilux)(?:\.\w+)+)")


def inline_code(path: Path) -> list[str]:
    return CODE.findall(FENCE.sub("", path.read_text(encoding="utf-8")))


def found(name: str) -> object:
    """What a dotted name leads to: a module, or something in one; None where it leads to nothing."""
    outer, _, attribute = name.rpartition(".")
    try:
        return import_module(name)
    except ModuleNotFoundError:
        return getattr(found(outer), attribute, None) if outer else None


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_method_that_a_sentence_names_exists(path: Path) -> None:
    named = [pair for code in inline_code(path) for pair in MEMBER.findall(code)]
    assert [f"{receiver}.{name}" for receiver, name in named if not hasattr(MEANT[receiver], name)] == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_dotted_name_that_a_sentence_gives_exists(path: Path) -> None:
    named = {name for code in inline_code(path) for name in DOTTED.findall(code)}
    assert sorted(name for name in named if found(name) is None) == []


def test_a_name_that_is_not_there_would_be_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("Call `flow.frobnicate(job)`.\n\n```python\nflow.unseen()\n```\n")
    assert inline_code(page) == ["flow.frobnicate(job)"]
    assert MEMBER.findall("flow.frobnicate(job)") == [("flow", "frobnicate")]
    assert not hasattr(Flow, "frobnicate")
    assert found("routilux.Flow.resume") is Flow.resume
    assert found("routilux.errors.NoSuchError") is None
