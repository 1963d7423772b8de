"""The map in ARCHITECTURE.md names every module there is, and no other."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "routilux"


def modules() -> set[str]:
    files = {path.stem for path in PACKAGE.rglob("*.py") if path.stem != "__init__"}
    return files | {path.parent.name for path in PACKAGE.glob("*/__init__.py")}


def test_the_map_names_every_module_and_no_other() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text()
    (drawing,) = re.findall(r"src/routilux/\n(.*?)```", text, re.DOTALL)
    names = {name for line in drawing.splitlines() for name in re.split(r"\s{4,}", line.strip())[0].split()}
    assert {name.rstrip("/") for name in names} == modules()
