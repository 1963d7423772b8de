"""What came out: the census as tables, what the crash cost, and whether anything has changed the result."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.table import Table

from examples.census.starts import Start
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


def print_crash(
    console: Console, recovered: JobState, on_a: list[Start], on_b: list[Start], uninterrupted: JobState
) -> None:
    """What was started on both hosts because of the crash, and what of that shows in the job: nothing."""
    again = [start for start in on_b if start in set(on_a)]
    committed, expected = committed_records(recovered), committed_records(uninterrupted)
    table = Table("the crash", "count", "which", title="What the crash cost")
    table.add_row("activations started on host A", f"{len(on_a):,}")
    table.add_row("activations started on host B", f"{len(on_b):,}")
    table.add_row("started on both: not yet on disk", f"{len(again):,}", by_routine(again))
    table.add_row("records committed twice", f"{(committed - expected).total():,}")
    table.add_row("records lost", f"{(expected - committed).total():,}")
    console.print(table)


def by_routine(starts: list[Start]) -> str:
    """How many of them are of which routine."""
    counts = Counter(start.routine_id for start in starts)
    return ", ".join(f"{count} of {routine_id}" for routine_id, count in counts.items())


def committed_records(job_state: JobState) -> Counter[str]:
    """How often each record is in a job's history, the time aside."""
    return Counter(json.dumps(record, sort_keys=True) for record in what_happened(job_state))


def differences(interrupted: JobState, uninterrupted: JobState) -> list[str]:
    """In what the job that was interrupted differs from the other one: an empty list, or the library is wrong."""
    return list(_differences(interrupted, uninterrupted))


def _differences(interrupted: JobState, uninterrupted: JobState) -> Iterator[str]:
    if (interrupted.status, uninterrupted.status) != ("completed", "completed"):
        yield f"status: {interrupted.status} and {uninterrupted.status}"
    our_census, their_census = interrupted.shared_data.get("census", {}), uninterrupted.shared_data.get("census", {})
    for name in sorted(our_census.keys() | their_census.keys()):
        if our_census.get(name) != their_census.get(name):
            yield f"{name}: {our_census.get(name)} and {their_census.get(name)}"
    ours, theirs = what_happened(interrupted), what_happened(uninterrupted)
    if len(ours) != len(theirs):
        yield f"history: {len(ours)} and {len(theirs)} records"
    for number, (our, their) in enumerate(zip(ours, theirs, strict=False)):
        if our != their:
            yield f"history, record {number}: {our} and {their}"
            return


def what_happened(job_state: JobState) -> list[tuple[str, str, dict[str, Any]]]:
    """A job's history without the times."""
    return [(record.routine_id, record.event_name, record.data) for record in job_state.execution_history]
