"""The page about the documents says of each field, tag and default what the code says."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from routilux import Flow
from routilux.schemas import transfer_schema
from serilux._decode import TAGS
from serilux._leaves import LEAF_OF_TAG
from tests.golden import cast  # noqa: F401  # whose classes a document names

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reference" / "document-format.md").read_text(encoding="utf-8")
SHAPES = {name: shape for name, shape in transfer_schema()["$defs"].items() if "properties" in shape}
HEADINGS = {
    "JobState": "JobDocument",
    "Routine state": "RoutineStateDocument",
    "History record": "HistoryDocument",
    "Task": "TaskDocument",
    "Source of a task": "SourceDocument",
    "Error": "ErrorDocument",
    "Pause point": "PausePointDocument",
    "Applied plan": "AppliedPlanDocument",
    "Plan": "PlanDocument",
    "Flow": "FlowDocument",
    "Routine": "RoutineDocument",
    "Slot": "SlotDocument",
    "Event": "EventDocument",
    "Error handler": "ErrorHandlerDocument",
    "Connection": "ConnectionDocument",
    "Exported job": "Transfer",
    "Graph": "GraphDocument",
}
OF_THE_CLASS = {"_slots", "_events"}
IN_WORDS = {"RoutineNode", "SlotNode", "Route"}
"""Nodes of a graph, whose fields are named within a cell."""


def table_below(heading: str) -> dict[str, str]:
    """The first and the last cell of each row."""
    part = re.split(rf"^##+ {heading}$", PAGE, flags=re.MULTILINE)[1].split("\n#")[0]
    return {row[0].strip("` "): row[-1].strip() for row in rows_of(part)}


def rows_of(part: str) -> list[list[str]]:
    return [line.strip("|").split("|") for line in part.splitlines() if line.startswith("| `")]


def test_every_shape_has_a_heading() -> None:
    assert set(HEADINGS.values()) | IN_WORDS == set(SHAPES) - {"value", "data", "field"}


@pytest.mark.parametrize("heading", HEADINGS)
def test_the_fields_below_a_heading_are_those_that_are_read(heading: str) -> None:
    assert list(table_below(heading)) == list(SHAPES[HEADINGS[heading]]["properties"])


@pytest.mark.parametrize("heading", HEADINGS)
def test_a_field_has_a_default_unless_it_has_to_be_there(heading: str) -> None:
    shape, table = SHAPES[HEADINGS[heading]], table_below(heading)
    assert [field for field, default in table.items() if not default] == shape["required"]
    known = {field: part["default"] for field, part in shape["properties"].items() if "default" in part}
    assert {field: json.loads(table[field].strip("`")) for field in known} == known


@pytest.mark.parametrize("name", sorted(IN_WORDS))
def test_the_nodes_of_a_graph_have_their_fields_named(name: str) -> None:
    part = PAGE.split("### Graph\n")[1].split("\n#")[0]
    assert [field for field in SHAPES[name]["properties"] if f"`{field}`" not in part] == []


def test_what_is_not_there_is_as_if_the_default_were() -> None:
    document = json.loads((ROOT / "tests/golden/format_1/jobs/by_hand/flow.json").read_text())
    flow = Flow()
    flow.deserialize(document)
    written = flow.serialize()
    bank, given = written["routines"]["bank"], document["routines"]["bank"]
    advert = written["routines"]["advert"]["_error_handler"]
    compare("Flow", document, written)
    compare("Routine", document["routines"]["desk"], written["routines"]["desk"])
    compare("Slot", given["_slots"]["order"], bank["_slots"]["order"])
    compare("Event", given["_events"]["charged"], bank["_events"]["charged"])
    compare("Error handler", document["routines"]["advert"]["_error_handler"], advert)
    compare("Connection", document["connections"][0], written["connections"][0])


def compare(heading: str, document: Any, written: Any) -> None:
    said = {field: default.strip("`") for field, default in table_below(heading).items()}
    left_out = {field: value for field, value in written.items() if field not in {*document, *OF_THE_CLASS}}
    assert {field: json.loads(said[field]) for field in left_out} == left_out


def test_keys_are_written_in_the_order_of_the_tables() -> None:
    golden = ROOT / "tests/golden/format_1"
    job = json.loads((golden / "jobs/paused_in_the_middle/job.json").read_text())
    flows = [json.loads((golden / f"flows/{name}.json").read_text()) for name in ("shop", "equipped")]
    routines = [routine for flow in flows for routine in flow["routines"].values()]
    written = {
        "JobState": [job],
        "Task": job["pending_tasks"],
        "Flow": flows,
        "Routine": routines,
        "Slot": [slot for routine in routines for slot in routine["_slots"].values()],
        "Connection": flows[0]["connections"],
    }
    for heading, nodes in written.items():
        order = list(table_below(heading))
        for node in nodes:
            assert [field for field in node if field in order] == [field for field in order if field in node]


def test_every_tag_is_there_in_order() -> None:
    part = PAGE.split("## Values\n")[1].split("\n## ")[0]
    assert [row[0].strip("` ") for row in rows_of(part)] == sorted([*LEAF_OF_TAG, *TAGS])
