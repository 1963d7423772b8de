"""The command that describes documents: schema."""

from enum import StrEnum
from typing import Annotated

import typer

from routilux.cli.options import Json
from routilux.cli.printing import print_json
from routilux.schemas.documents import SCHEMAS


class Kind(StrEnum):
    """The documents that have a schema."""

    FLOW = "flow"
    JOB = "job"
    TRANSFER = "transfer"


KindOfDocument = Annotated[Kind, typer.Argument(metavar="KIND", help="flow, job, or transfer: what `export` writes.")]


def schema(kind: KindOfDocument, json: Json = False) -> int:
    """Print the JSON Schema of a kind of document, to stdout."""
    print_json(SCHEMAS[kind]())
    return 0
