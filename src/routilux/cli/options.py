"""The arguments that many commands take, and the store that they name."""

from pathlib import Path
from typing import Annotated

import typer

from routilux.errors import StoreError
from routilux.stores import Store, open_store

STORE_VARIABLE = "ROUTILUX_STORE"
DEFAULT_STORE = "sqlite:///routilux.db"
_FILE = "sqlite:///"

StoreUrl = Annotated[
    str,
    typer.Option("--store", metavar="URL", envvar=STORE_VARIABLE, help="The store: sqlite:///... or postgresql://..."),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document; errors too, on stderr.")]
JobId = Annotated[str, typer.Argument(metavar="JOB", help="The id of a job.")]
Apps = Annotated[
    list[str] | None,
    typer.Option("--app", metavar="MODULE", help="A module to import: it registers its classes. May be repeated."),
]
Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it is kept with the job.")]
Patience = Annotated[
    float | None, typer.Option("--timeout", metavar="SECONDS", min=0.0, help="How long to wait until it is so.")
]


def existing_store(url: str) -> Store:
    """Open a store that is there already; StoreError where a file would have to be made for it."""
    if url.startswith(_FILE) and not Path(url.removeprefix(_FILE)).exists():
        raise StoreError(f"there is no store {url!r}; name another one with --store or {STORE_VARIABLE}")
    return open_store(url)
