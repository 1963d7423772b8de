"""Python source files: which there are, and what is in one. Knows nothing of workflows."""

import ast
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

INSTALLED = {"site-packages", "dist-packages"}
Function = ast.FunctionDef | ast.AsyncFunctionDef
BLOCKS = ("body", "orelse", "finalbody", "handlers", "cases")
BRANCHES = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.ExceptHandler, ast.match_case)


@dataclass(frozen=True, slots=True)
class Source:
    """A parsed file."""

    lines: int
    statements: tuple[ast.AST, ...]

    def functions(self) -> list[Function]:
        """All functions and methods, inner ones too."""
        return [statement for statement in self.statements if isinstance(statement, Function)]

    def classes(self) -> list[ast.ClassDef]:
        """All classes, inner ones too."""
        return [statement for statement in self.statements if isinstance(statement, ast.ClassDef)]


def list_sources(root: Path, limit: int | None) -> list[str]:
    """The *.py files under `root`, but for installed packages: relative to it, sorted, at most `limit`."""
    paths = (path.relative_to(root) for path in root.rglob("*.py") if path.is_file())
    return sorted(path.as_posix() for path in paths if INSTALLED.isdisjoint(path.parts))[:limit]


@lru_cache(maxsize=1)
def read_source(path: Path) -> Source:
    """Read and parse a file; what `ast.parse` raises for one that is no Python is raised here.

    Only the newest file is kept: the flow has everything measured of one before it goes on to the next.
    """
    text = path.read_bytes()
    with warnings.catch_warnings(action="ignore"):
        tree = ast.parse(text, filename=path)
    return Source(text.count(b"\n"), tuple(statements_in(tree)))


def statements_in(node: ast.AST) -> Iterator[ast.AST]:
    """All statements, `except` and `case` clauses under a node, however deep."""
    waiting = [node]
    while waiting:
        node = waiting.pop()
        inner = [child for block in BLOCKS for child in getattr(node, block, ())]
        yield from inner
        waiting.extend(inner)


def complexity_of(function: Function) -> int:
    """The cyclomatic complexity by statements: one, and one more for each branch."""
    return 1 + sum(isinstance(statement, BRANCHES) for statement in statements_in(function))


def imported_modules(statement: ast.AST) -> Iterator[str]:
    """The top-level modules that a statement imports; none for `from . import name`."""
    if isinstance(statement, ast.Import):
        yield from (alias.name.partition(".")[0] for alias in statement.names)
    elif isinstance(statement, ast.ImportFrom) and statement.module is not None and statement.level == 0:
        yield statement.module.partition(".")[0]
