"""Where in the user's code something was raised: from a traceback, or from one that was stored as text."""

import re
from types import TracebackType
from typing import NamedTuple

_FRAME = re.compile(r'^[ |]*File "(.+)", line (\d+), in (.+)$', re.MULTILINE)
_LIBRARY = re.compile(
    r"^<frozen|[/\\](site-packages|dist-packages|python3\.\d+)[/\\]|[/\\]src[/\\](routilux|serilux)[/\\]"
)
_HERE = __file__.removesuffix("_places.py")


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


def without_our_way_in(trace: TracebackType | None) -> TracebackType | None:
    """A traceback from the first frame that is not of this library; as it is where all of them are."""
    frame = trace
    while frame is not None and frame.tb_frame.f_code.co_filename.startswith(_HERE):
        frame = frame.tb_next
    return trace if frame is None else frame
