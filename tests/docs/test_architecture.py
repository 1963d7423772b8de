"""The map in ARCHITECTURE.md names every module there is, and no other."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def modules(package: Path) -> set[str]:
    files = {path.stem for path in package.rglob("*.py") if path.stem != "__init__"}
    return files | {path.parent.name for path in package.glob("*/__init__.py")}


@pytest.mark.parametrize("package", ["routilux", "serilux"])
def test_the_map_names_every_module_and_no_other(package: str) -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text()
    (drawing,) = re.findall(rf"^src/{package}/.*?\n((?:  .*\n)*)", text, re.MULTILINE)
    names = {name for line in drawing.splitlines() for name in re.split(r"\s{4,}", line.strip())[0].split()}
    assert {name.rstrip("/") for name in names} == modules(ROOT / "src" / package)
