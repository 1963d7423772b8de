"""Boxes, arrows and words as an SVG that is light or dark as its reader is, and fetches nothing."""

from collections.abc import Sequence
from xml.sax.saxutils import escape

Point = tuple[float, float]

_STYLE = """
text { font: 14px system-ui, -apple-system, "Segoe UI", "Liberation Sans", Arial, sans-serif; fill: #1f2328; }
.quiet { fill: #59636e; font-size: 13px; }
.strong { font-weight: 600; }
.code { font-family: ui-monospace, "Liberation Mono", Menlo, Consolas, monospace; font-size: 13px; }
.plain { fill: #f6f8fa; stroke: #8c959f; }
.blue { fill: #ddf4ff; stroke: #0969da; }
.green { fill: #dafbe1; stroke: #1a7f37; }
.amber { fill: #fff8c5; stroke: #9a6700; }
.red { fill: #ffebe9; stroke: #cf222e; }
.line { stroke: #59636e; fill: none; }
.head { fill: #59636e; }
.kill { stroke: #cf222e; fill: none; }
.danger { fill: #cf222e; }
.dashed { stroke-dasharray: 5 4; }
rect, path, line { stroke-width: 1.5; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; }
  .quiet { fill: #a3acb5; }
  .plain { fill: #1c2128; stroke: #7d8590; }
  .blue { fill: #10243f; stroke: #58a6ff; }
  .green { fill: #10291a; stroke: #56d364; }
  .amber { fill: #2f2507; stroke: #e3b341; }
  .red { fill: #3a1316; stroke: #ff7b72; }
  .line { stroke: #a3acb5; }
  .head { fill: #a3acb5; }
  .kill { stroke: #ff7b72; }
  .danger { fill: #ff7b72; }
}
"""
_LINE_HEIGHT = 19.0


class Drawing:
    """A picture of a given size in pixels; what is added later lies on top."""

    def __init__(self, width: int, height: int, title: str) -> None:
        self._size = width, height
        self._title = title
        self._parts: list[str] = []

    def box(self, x: float, y: float, width: float, height: float, *lines: str, kind: str = "plain") -> None:
        """A box with its lines in the middle; a line behind `#` is strong, one behind `~` is code."""
        self._parts.append(f'<rect class="{kind}" x="{x}" y="{y}" width="{width}" height="{height}" rx="8"/>')
        top = y + height / 2 - _LINE_HEIGHT * (len(lines) - 1) / 2
        for number, line in enumerate(lines):
            self.words(x + width / 2, top + number * _LINE_HEIGHT + 5, line, anchor="middle")

    def words(self, x: float, y: float, line: str, *, anchor: str = "start", style: str = "") -> None:
        """One line of words; `#` and `~` as in a box."""
        marks = {"#": "strong", "~": "code"}
        classes = " ".join(filter(None, [marks.get(line[:1], ""), style]))
        attribute = f' class="{classes}"' if classes else ""
        self._parts.append(
            f'<text{attribute} x="{x}" y="{y}" text-anchor="{anchor}">{escape(line.lstrip("#~"))}</text>'
        )

    def notes(self, x: float, y: float, *lines: str, anchor: str = "start", style: str = "quiet") -> None:
        """Lines beneath each other."""
        for number, line in enumerate(lines):
            self.words(x, y + number * _LINE_HEIGHT, line, anchor=anchor, style=style)

    def line(self, points: Sequence[Point], style: str = "line") -> None:
        """A line from point to point, with round corners."""
        self._parts.append(f'<path class="{style}" d="{_path(points)}"/>')

    def arrow(self, *points: Point, style: str = "line") -> None:
        """A line that ends in a head."""
        self.line(points, style)
        self._parts.append(f'<path class="head" d="{_head(points[-2], points[-1])}"/>')

    def cross(self, x: float, y: float, size: float = 7) -> None:
        """Where a process dies."""
        self._parts.append(
            f'<path class="kill" stroke-width="3" d="M{x - size} {y - size} L{x + size} {y + size} '
            f'M{x - size} {y + size} L{x + size} {y - size}"/>'
        )

    def dot(self, x: float, y: float, kind: str = "head") -> None:
        """A small dot."""
        self._parts.append(f'<circle class="{kind}" cx="{x}" cy="{y}" r="4"/>')

    def svg(self) -> str:
        """The picture as a file."""
        width, height = self._size
        return "\n".join(
            [
                f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
                f'height="{height}" role="img" aria-label="{escape(self._title, {chr(34): "&quot;"})}">',
                f"<title>{escape(self._title)}</title>",
                f"<style>{_STYLE}</style>",
                *self._parts,
                "</svg>\n",
            ]
        )


def _path(points: Sequence[Point], radius: float = 8) -> str:
    steps = [f"M{points[0][0]:g} {points[0][1]:g}"]
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        entry, leave = _towards(corner, before, radius), _towards(corner, after, radius)
        steps.append(f"L{entry[0]:g} {entry[1]:g} Q{corner[0]:g} {corner[1]:g} {leave[0]:g} {leave[1]:g}")
    return " ".join([*steps, f"L{points[-1][0]:g} {points[-1][1]:g}"])


def _towards(start: Point, end: Point, distance: float) -> Point:
    length = max(((end[0] - start[0]) ** 2 + (end[1] - start[1]) ** 2) ** 0.5, 1e-9)
    part = min(distance / length, 0.5)
    return round(start[0] + (end[0] - start[0]) * part, 2), round(start[1] + (end[1] - start[1]) * part, 2)


def _head(before: Point, tip: Point, size: float = 9) -> str:
    back = _towards(tip, before, size)
    across = (tip[1] - back[1]) * 0.5, (back[0] - tip[0]) * 0.5
    left, right = (back[0] + across[0], back[1] + across[1]), (back[0] - across[0], back[1] - across[1])
    return f"M{tip[0]:g} {tip[1]:g} L{left[0]:g} {left[1]:g} L{right[0]:g} {right[1]:g} Z"
