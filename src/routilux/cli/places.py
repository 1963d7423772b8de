"""The place in the user's code where something was raised, from a traceback that was stored as text."""

import re
from pathlib import Path
from typing import NamedTuple

_FRAME = re.compile(r'^[ |]*File "(.+)", line (\d+), in (.+)$', re.MULTILINE)
_LIBRARY = re.compile(
    r"^<frozen|[/\\](site-packages|dist-packages|python3\.\d+)[/\\]|[/\\]src[/\\](routilux|serilux)[/\\]"
)
_HERE = str(Path(__file__).parents[1])


class Place(NamedTuple):
    """A line of a file, and the function that it is in."""

    file: str
    line: int
    function: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}, in {self.function}"


def users_place(trace: str) -> Place | None:
    """The innermost frame that is neither of this library nor of an installed one; None where there is none."""
    frames = [Place(file, int(line), function) for file, line, function in _FRAME.findall(trace)]
    own = [frame for frame in frames if not _LIBRARY.search(frame.file) and not frame.file.startswith(_HERE)]
    return own[-1] if own else None
