"""What is wired to what.

list --source--> parse --parsed--> functions --+
  |                |   --parsed--> classes   --+--measured--> collect
  |                |   --parsed--> imports   --+                 ^
  |                +--counted, broken----------------------------+
  +--listed------------------------------------------------------+
"""

from pathlib import Path

from examples.census.routines import (
    CollectCensus,
    ListSources,
    MeasureClasses,
    MeasureFunctions,
    MeasureImports,
    ParseSource,
)
from routilux import ErrorHandler, Flow

# Above the 0 of the files that wait to be parsed: one file is parsed, measured and collected before the next.
SOON = 1


def census_flow(starts: Path | None = None) -> Flow:
    """The flow of the census; with `starts` each start of a handler is noted there.

    It is sequential. Parsing holds the interpreter's lock, so threads would only take turns and gain nothing; and one
    activation after the other gives the same history, record by record, wherever the job is cut.
    """
    flow = Flow("census", execution_strategy="sequential")
    flow.add_routine(ListSources(), "list")
    flow.add_routine(parser(), "parse")
    flow.add_routine(CollectCensus(), "collect")
    flow.connect("list", "source", "parse", "source")
    flow.connect("list", "listed", "collect", "findings", priority=SOON)
    flow.connect("parse", "counted", "collect", "findings", priority=SOON)
    flow.connect("parse", "broken", "collect", "findings", priority=SOON)
    for name, measure in (
        ("functions", MeasureFunctions()),
        ("classes", MeasureClasses()),
        ("imports", MeasureImports()),
    ):
        flow.add_routine(measure, name)
        flow.connect("parse", "parsed", name, "path", priority=SOON)
        flow.connect(name, "measured", "collect", "findings", priority=SOON)
    for routine in flow.routines.values():
        routine.set_config(starts=None if starts is None else str(starts))
    return flow


def parser() -> ParseSource:
    """A file that cannot be parsed is an error that the job goes on after; what was emitted of it is kept."""
    routine = ParseSource()
    routine.set_error_handler(ErrorHandler(strategy="continue"))
    return routine
