"""What came out: the census as tables, and whether the move has changed anything."""

from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.table import Table

from routilux import JobState


def print_census(console: Console, census: dict[str, Any]) -> None:
    """Totals, the most complex functions, the most imported modules, the files that are no Python."""
    console.print(totals(census), most_complex(census), most_imported(census), sep="\n")
    if census["broken"]:
        console.print(broken(census))


def totals(census: dict[str, Any]) -> Table:
    table = Table("files", "parsed", "lines", "classes", "functions", "mean complexity", title="Census")
    functions = census["functions"]
    mean = census["complexity"] / functions if functions else 0.0
    counts = (census["files"], census["files"] - len(census["broken"]), census["lines"], census["classes"], functions)
    table.add_row(*(f"{count:,}" for count in counts), f"{mean:.2f}")
    return table


def most_complex(census: dict[str, Any]) -> Table:
    table = Table("function", "place", "complexity", title="Most complex functions")
    for complexity, path, line, name in census["most_complex"]:
        table.add_row(name, f"{path}:{line}", str(complexity))
    return table


def most_imported(census: dict[str, Any]) -> Table:
    table = Table("module", "files that import it", title="Most imported modules")
    for module, files in census["most_imported"]:
        table.add_row(module, str(files))
    return table


def broken(census: dict[str, Any]) -> Table:
    table = Table("file", "why", title="Files that could not be parsed")
    for file in census["broken"]:
        table.add_row(file["path"], file["why"])
    return table


def differences(moved: JobState, uninterrupted: JobState) -> list[str]:
    """In what the job that has moved differs from the one that has not: an empty list, or the library is wrong."""
    return list(_differences(moved, uninterrupted))


def _differences(moved: JobState, uninterrupted: JobState) -> Iterator[str]:
    if (moved.status, uninterrupted.status) != ("completed", "completed"):
        yield f"status: {moved.status} and {uninterrupted.status}"
    our_census, their_census = moved.shared_data.get("census", {}), uninterrupted.shared_data.get("census", {})
    for name in sorted(our_census.keys() | their_census.keys()):
        if our_census.get(name) != their_census.get(name):
            yield f"{name}: {our_census.get(name)} and {their_census.get(name)}"
    ours, theirs = what_happened(moved), what_happened(uninterrupted)
    if len(ours) != len(theirs):
        yield f"history: {len(ours)} and {len(theirs)} records"
    for number, (our, their) in enumerate(zip(ours, theirs, strict=False)):
        if our != their:
            yield f"history, record {number}: {our} and {their}"
            return


def what_happened(job_state: JobState) -> list[tuple[str, str, dict[str, Any]]]:
    """A job's history without the times."""
    return [(record.routine_id, record.event_name, record.data) for record in job_state.execution_history]
