"""A page of the documentation as a program, and what it says that its blocks print."""

import re
from typing import NamedTuple

_BLOCK = re.compile(r"^```python\n(?P<code>.*?)^```\n(?:\n```text\n(?P<printed>.*?)^```\n)?", re.DOTALL | re.MULTILINE)
_END = "--- end of block ---"


class Block(NamedTuple):
    """One block of Python, the number of its first line on the page, and what is said to be printed by it."""

    line: int
    code: str
    printed: str


def blocks_of(page: str) -> list[Block]:
    """The blocks of Python on a page; a block of text right behind one says what it prints, else it is silent."""
    return [
        Block(page.count("\n", 0, match.start("code")) + 1, match["code"], match["printed"] or "")
        for match in _BLOCK.finditer(page)
    ]


def program_of(blocks: list[Block]) -> str:
    """All blocks in one namespace, each in the lines that it has on its page, so that tracebacks point there."""
    program = ""
    for block in blocks:
        program += "\n" * (block.line - 1 - program.count("\n")) + block.code + f"print({_END!r}, flush=True)\n"
    return program


def printed_by_each(output: str) -> list[str]:
    """What each block has printed."""
    return output.split(f"{_END}\n")[:-1]
