"""The names that programs use, and what they stand for."""

import inspect
import re
from collections.abc import Iterator
from enum import Enum
from importlib import import_module
from pathlib import Path
from types import ModuleType

SOURCES = Path(__file__).parents[2] / "src"
PACKAGES = [
    import_module(".".join(path.relative_to(SOURCES).with_suffix("").parts).removesuffix(".__init__"))
    for path in sorted(SOURCES.rglob("*.py"))
    if re.search(r"^__all__", path.read_text("utf-8"), re.MULTILINE) and not re.match("_[a-z]", path.stem)
]
PUBLIC = [f"{package.__name__}.{name}" for package in PACKAGES for name in package.__all__]
FOR_THE_ENGINE = {"ledger", "custody", "has_custody", "field_values", "set_fields"}


def resolve(name: str) -> object:
    """What a name stands for."""
    module, _, attribute = name.rpartition(".")
    return getattr(import_module(module), attribute)


def members_of(cls: type) -> Iterator[str]:
    """The public methods and properties of a class of ours, inherited ones included."""
    for base in cls.__mro__:
        if not base.__module__.startswith(("routilux", "serilux")) or issubclass(base, tuple | Enum):
            continue
        for name, value in vars(base).items():
            if not name.startswith("_") and (inspect.isroutine(value) or isinstance(value, property)):
                yield name


def errors_of(module: ModuleType) -> list[str]:
    found = vars(module).values()
    return [error.__name__ for error in found if isinstance(error, type) and error.__module__ == module.__name__]
