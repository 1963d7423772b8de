"""What is done: list the files, parse each, measure it in three ways, collect everything.

What travels between routines are paths and numbers. A syntax tree is no JSON, so none travels: whoever needs one
asks `read_source`, on whichever host it happens to run.
"""

from collections import Counter
from collections.abc import Sequence
from heapq import nlargest
from itertools import chain
from pathlib import Path
from typing import Any

from examples.census.sources import Source, complexity_of, imported_modules, list_sources, read_source
from examples.census.starts import Start, note_start
from routilux import Routine
from serilux import register_serializable

LONGEST_LIST = 10
PARTS = ("lines", "functions", "classes", "imports")


class Step(Routine):
    """What all routines of the census have in common."""

    def begin(self) -> None:
        """What a handler does first: its start is noted, where the flow says so (`starts`)."""
        if starts := self.get_config("starts"):
            context = self.get_execution_context()
            note_start(starts, Start(context.task_id, context.routine_id))


@register_serializable
class ListSources(Step):
    """The entry: one event per file."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("trigger", handler=self.list)
        self.define_event("listed", ["total"])
        self.define_event("source", ["path"])

    def list(self, root: str, limit: int | None = None) -> None:
        self.begin()
        self.get_execution_context().job_state.shared_data["root"] = root
        paths = list_sources(Path(root), limit)
        self.emit("listed", total=len(paths))
        for path in paths:
            self.emit("source", path=path)


class SourceReader(Step):
    """What all routines that look into a file have in common."""

    def read(self, path: str) -> Source:
        """A file under the root that `ListSources` has left in the job's shared data."""
        self.begin()
        return read_source(Path(self.get_execution_context().job_state.shared_data["root"], path))


@register_serializable
class ParseSource(SourceReader):
    """Parse a file, or fail. `flow.py` says what a failure means."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("source", handler=self.parse)
        self.define_event("parsed", ["path"])
        self.define_event("counted", ["lines"])
        self.define_event("broken", ["broken"])

    def parse(self, path: str) -> None:
        try:
            source = self.read(path)
        except Exception as error:
            self.emit("broken", broken={"path": path, "why": f"{type(error).__name__}: {error}"})
            raise
        self.emit("counted", lines=source.lines)
        self.emit("parsed", path=path)


@register_serializable
class MeasureFunctions(SourceReader):
    """Count a file's functions and their complexity; name the most complex ones."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("path", handler=self.measure)
        self.define_event("measured", ["functions"])

    def measure(self, path: str) -> None:
        found = [(complexity_of(node), path, node.lineno, node.name) for node in self.read(path).functions()]
        complexity = sum(function[0] for function in found)
        top = [list(function) for function in nlargest(LONGEST_LIST, found)]
        self.emit("measured", functions={"count": len(found), "complexity": complexity, "top": top})


@register_serializable
class MeasureClasses(SourceReader):
    """Count a file's classes."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("path", handler=self.measure)
        self.define_event("measured", ["classes"])

    def measure(self, path: str) -> None:
        self.emit("measured", classes=len(self.read(path).classes()))


@register_serializable
class MeasureImports(SourceReader):
    """Name the modules that a file imports, each once."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("path", handler=self.measure)
        self.define_event("measured", ["imports"])

    def measure(self, path: str) -> None:
        modules = chain.from_iterable(map(imported_modules, self.read(path).statements))
        self.emit("measured", imports=sorted(set(modules)))


def all_have_come(findings: dict[str, Any]) -> bool:
    """Whether each file that was listed is either measured in full or broken."""
    if "total" not in findings:
        return False
    broken = len(findings.get("broken", ()))
    return all(len(findings.get(part, ())) + broken == findings["total"][0] for part in PARTS)


@register_serializable
class CollectCensus(Step):
    """Make one result of all findings.

    The slot appends, so findings wait in the job's own slot data, and move with it to another host. A handler called
    for each of them would be given the ever longer lists each time; `when` has it called once.
    """

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("findings", handler=self.collect, merge_strategy="append", when=all_have_come)

    def collect(
        self,
        total: Sequence[int],
        lines: Sequence[int] = (),
        functions: Sequence[dict[str, Any]] = (),
        classes: Sequence[int] = (),
        imports: Sequence[list[str]] = (),
        broken: Sequence[dict[str, str]] = (),
    ) -> None:
        self.begin()
        importers = Counter(chain.from_iterable(imports))
        census = {
            "files": total[0],
            "lines": sum(lines),
            "functions": sum(file["count"] for file in functions),
            "complexity": sum(file["complexity"] for file in functions),
            "classes": sum(classes),
            "most_complex": nlargest(LONGEST_LIST, chain.from_iterable(file["top"] for file in functions)),
            "most_imported": sorted(map(list, importers.items()), key=by_count)[:LONGEST_LIST],
            "broken": list(broken),
        }
        self.get_execution_context().job_state.shared_data["census"] = census


def by_count(entry: list[Any]) -> tuple[int, str]:
    """Largest count first, then by name."""
    name, count = entry
    return -count, name
