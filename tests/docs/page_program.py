"""A page of the documentation as a program, and what it says that its blocks print.

A block of Python is part of the program, unless its first line names a file, `# shop.py`: then the file is written. A
block of text right behind one says what it prints; else it is silent. A block of `console` is run by a shell.
"""

import re
from collections.abc import Iterator
from itertools import zip_longest
from typing import NamedTuple

from tests.docs.fences import Fence, fences_of
from tests.docs.transcripts import script_of

_FILE = re.compile(r"# (?P<name>\w+\.\w+)\n")
_END = "--- end of block ---"


class Block(NamedTuple):
    """What is run of one block: the line of its page it begins at, its program, and what that has to print."""

    line: int
    code: str
    printed: str
    is_transcript: bool = False


def blocks_of(page: str) -> list[Block]:
    """What is run of a page."""
    fences = fences_of(page)
    return [_block(fence, _printed(page, fence, following)) for fence, following in _runnable(fences)]


def files_of(page: str) -> dict[str, str]:
    """The files that a page shows, by name."""
    found = ((_FILE.match(fence.content), fence) for fence in fences_of(page) if fence.kind == "python")
    return {match["name"]: fence.content for match, fence in found if match}


def _runnable(fences: list[Fence]) -> Iterator[tuple[Fence, Fence | None]]:
    for fence, following in zip_longest(fences, fences[1:]):
        if fence.kind in ("python", "console"):
            yield fence, following


def _printed(page: str, fence: Fence, following: Fence | None) -> str:
    if fence.kind == "console":
        return fence.content
    return following.content if following is not None and is_output(page, fence, following) else ""


def is_output(page: str, fence: Fence, following: Fence) -> bool:
    """Whether a block of text is right behind a block of Python: then it is what that prints."""
    between = page.splitlines()[fence.line + fence.content.count("\n") : following.line - 2]
    return fence.kind == "python" and following.kind == "text" and not any(between)


def _block(fence: Fence, printed: str) -> Block:
    if fence.kind == "console":
        shell = f"__import__('subprocess').run(['bash', '-c', {script_of(fence.content)!r}], check=False)\n"
        return Block(fence.line, shell, printed, is_transcript=True)
    if match := _FILE.match(fence.content):
        return Block(fence.line, f"__import__('pathlib').Path({match['name']!r}).write_text({fence.content!r})\n", "")
    return Block(fence.line, fence.content, printed)


def program_of(blocks: list[Block]) -> str:
    """All blocks in one namespace, each in the lines that it has on its page, so that tracebacks point there."""
    program = ""
    for block in blocks:
        program += "\n" * (block.line - 1 - program.count("\n")) + block.code + f"print({_END!r}, flush=True)\n"
    return program


def printed_by_each(output: str) -> list[str]:
    """What each block has printed."""
    return output.split(f"{_END}\n")[:-1]
