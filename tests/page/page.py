"""The user's page, and its code blocks by their line numbers in `serialization.txt`."""

import ast
import re
import textwrap
from pathlib import Path
from typing import Any

PAGE = Path(__file__).with_name("serialization.txt")
LINES = PAGE.read_text(encoding="utf-8").splitlines()

# A block starts at the first line and ends with the last; the parts of one block that run on different hosts or at
# different moments are listed apart.
BLOCKS = (
    (9, 19),
    (25, 39),
    (45, 49),
    (55, 61),
    (67, 67),
    (91, 107),
    (111, 126),
    (166, 185),
    (236, 244),
    (247, 254),
    (260, 262),
    (294, 303),
    (307, 316),
    (334, 421),
    (425, 428),
    (444, 484),
    (488, 532),
    (538, 543),
    (547, 553),
    (557, 567),
    (571, 582),
    (586, 596),
    (603, 609),
    (613, 618),
    (622, 633),
    (637, 651),
    (664, 678),
    (704, 715),
    (765, 780),
    (806, 811),
    (813, 815),
    (831, 843),
    (869, 876),
    (882, 895),
    (899, 911),
    (915, 927),
    (934, 936),
    (940, 941),
    (945, 946),
    (950, 953),
    (957, 961),
    (965, 969),
    (973, 976),
)
NOT_PYTHON = {(260, 262): "an error's text", (425, 428): "a program's output"}


def lines(first: int, last: int) -> str:
    """The text of these lines, without the page's line numbers and indentation."""
    found = LINES[first - 1 : last]
    if all(re.match(rf" ?{number}", line) for number, line in enumerate(found, 1)) and len(found) > 1:
        found = [line[2:] for line in found]
    return textwrap.dedent("\n".join(found)) + "\n"


def code(first: int) -> str:
    """The block that starts at this line."""
    return lines(first, dict(BLOCKS)[first])


def run(first: int, **names: Any) -> dict[str, Any]:
    """Run a block with these names defined, as if it stood in a module of its own; its names come back."""
    namespace = {"__name__": "tests.page.block", **names}
    exec(compile(code(first), f"<the page, line {first}>", "exec"), namespace)
    return namespace


def functions(source: str) -> dict[str, str]:
    """Functions and classes of a source text by name, without layout and comments."""
    found = ast.parse(source).body
    return {node.name: ast.dump(node) for node in found if isinstance(node, ast.FunctionDef | ast.ClassDef)}
