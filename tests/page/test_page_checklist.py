"""`checklist.txt` is the page, with the tests of each sentence and code block below it."""

import ast
from pathlib import Path

from tests.page import page

FOLDER = Path(__file__).parent
TICK = "    [x] "
TITLES = {
    "Serialization",
    "Serializing Objects",
    "Deserializing Objects",
    "Saving to JSON",
    "Loading from JSON",
    "Serializable Fields",
    "Serialization Validation",
    "Constructor Requirements",
    "Special Handling",
    "Handler Method Validation",
    "Flow and JobState Separation",
    "Cross-Host Serialization and Execution",
    "Serialization Best Practices",
    "When to Use Pause vs Direct Serialization",
    "Option 1: Pause Before Serialization (Recommended for Active Executions)",
    "Option 2: Direct Serialization (For Quick Saves)",
    "Automatic Task Recovery",
    "Expected Behavior After Recovery",
    "Best Practices Summary",
}


def checklist() -> list[tuple[str, list[str]]]:
    """Each line of the page with the tests below it."""
    found: list[tuple[str, list[str]]] = []
    for line in (FOLDER / "checklist.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith(TICK):
            found[-1][1].append(line.removeprefix(TICK))
        else:
            found.append((line, []))
    return found


def existing_tests() -> set[str]:
    return {
        node.name
        for file in FOLDER.glob("test_*.py")
        for node in ast.parse(file.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


def test_without_its_ticks_the_checklist_is_the_page():
    assert [line for line, _ in checklist()] == page.LINES


def test_every_sentence_and_every_code_block_is_ticked():
    in_blocks = {number for first, last in page.BLOCKS for number in range(first, last)}
    ends = {last for _, last in page.BLOCKS}
    unticked = [
        f"{number}: {line}"
        for number, (line, tests) in enumerate(checklist(), 1)
        if not tests and number not in in_blocks and line.strip()
        if number in ends or not (line in TITLES or line.endswith(":"))
    ]
    assert unticked == []


def test_every_ticked_test_exists():
    ticked = {test for _, tests in checklist() for test in tests}
    assert ticked - existing_tests() == set()


def test_every_line_outside_of_the_blocks_is_prose():
    in_blocks = {number for first, last in page.BLOCKS for number in range(first, last + 1)}
    code_like = [
        f"{number}: {line}"
        for number, line in enumerate(page.LINES, 1)
        if number not in in_blocks and _looks_like_code(line)
    ]
    assert code_like == []


def _looks_like_code(line: str) -> bool:
    text = line.strip()
    return text.startswith(("#", "@", "import ", "from ", "def ", "class ", "assert ", "print(")) or (
        " = " in text and "routine = RoutineClass()" not in text
    )


def test_every_python_block_of_the_page_compiles():
    for first, last in page.BLOCKS:
        if (first, last) not in page.NOT_PYTHON:
            compile(page.code(first), f"line {first}", "exec")
