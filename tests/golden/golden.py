"""The golden documents in the repository: read by tests, and never edited."""

import json
from pathlib import Path
from typing import Any, NamedTuple

FORMATS = sorted(Path(__file__).parent.glob("format_*"))
"""Of each format, as `format_1`; what it can say since then is in `format_1_later`.

Stores have formats of their own: those of the second, with documents of format 1, are in `format_1_stores_2`, and with
snapshots that say when tasks are due in `format_1_due_stores_2`.
"""
BY_HAND = "by_hand"
"""Documents with nothing but what has to be there, as somebody would write them; written again they have more."""


class Golden(NamedTuple):
    """A folder with documents and their story: at which time they were written, what is to be done, how that ends."""

    folder: Path

    def read(self, name: str) -> Any:
        """One of its documents."""
        return json.loads((self.folder / name).read_text(encoding="utf-8"))

    @property
    def story(self) -> dict[str, Any]:
        """What is to become of it."""
        story: dict[str, Any] = self.read("story.json")
        return story


def folders(kind: str) -> list[Golden]:
    """The golden documents of a kind, in all formats."""
    return [Golden(path) for root in FORMATS for path in sorted((root / kind).glob("*/")) if path.is_dir()]


def number_of(root: Path) -> int:
    """The format of golden documents."""
    return int(root.name.split("_")[1])


def store_format(root: Path) -> int:
    """The format of golden stores."""
    return int(root.name.rpartition("_stores_")[2]) if "_stores_" in root.name else number_of(root)


def named(golden: Golden) -> str:
    """How a test calls it."""
    return f"{golden.folder.parents[1].name}-{golden.folder.name}"
