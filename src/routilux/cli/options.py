"""The arguments that many commands take, and the store that they name."""

import sys
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from routilux.errors import StoreError
from routilux.stores import Store, open_store
from routilux.stores.arguments import MAX_LOST_ATTEMPTS
from routilux.transfer import KeyRing, load_keys
from routilux.transfer.packing import MAX_SIZE

STORE_VARIABLE = "ROUTILUX_STORE"
DEFAULT_STORE = "sqlite:///routilux.db"
LIMIT_VARIABLE = "ROUTILUX_MAX_LOST_ATTEMPTS"
DEFAULT_LIMIT = MAX_LOST_ATTEMPTS
_FILE = "sqlite:///"

StoreUrl = Annotated[
    str,
    typer.Option("--store", metavar="URL", envvar=STORE_VARIABLE, help="The store: sqlite:///... or postgresql://..."),
]
Limit = Annotated[
    int,
    typer.Option(
        "--max-lost-attempts",
        metavar="N",
        min=1,
        envvar=LIMIT_VARIABLE,
        help="How many processes may die in the middle of a task before its job fails.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document; errors too, on stderr.")]
JobId = Annotated[str, typer.Argument(metavar="JOB", help="The id of a job, or how only that one begins.")]
Apps = Annotated[
    list[str] | None,
    typer.Option("--app", metavar="MODULE", help="A module to import: it registers its classes. May be repeated."),
]
Code = Annotated[
    list[str] | None,
    typer.Option(
        "--app",
        metavar="MODULE[:FLOW]",
        help="A module to import, or a flow in one, in which jobs of its id go on. May be repeated.",
    ),
]
PlanFile = Annotated[
    Path | None, typer.Option("--plan", metavar="FILE", help="What has become of names in the job, as JSON.")
]
PlanFiles = Annotated[
    list[Path] | None,
    typer.Option(
        "--plan", metavar="FILE", help="What has become of names in the jobs of a flow, as JSON. May be repeated."
    ),
]
Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it is kept with the job.")]
Patience = Annotated[
    float | None, typer.Option("--timeout", metavar="SECONDS", min=0.0, help="How long to wait until it is so.")
]

FilePath = Annotated[Path, typer.Argument(metavar="FILE", help="What `export` wrote; - is stdin.")]
KeyFile = Annotated[
    Path | None,
    typer.Option("--key-file", metavar="FILE", help="The keys (`routilux keys`): an unsigned file is refused then."),
]
MaxSize = Annotated[
    int, typer.Option("--max-size", metavar="BYTES", min=1, help="How large the file, and what is in it, may be.")
]
STDIN = Path("-")
LARGEST = MAX_SIZE


def keys_in(path: Path | None) -> KeyRing | None:
    """The keys of a file, None where none was given."""
    return None if path is None else load_keys(path)


def transfer_file(path: Path) -> Path | BinaryIO:
    """What a file is read from; BadParameter where that is a stdin which is closed."""
    if path == STDIN and sys.stdin is None:
        raise typer.BadParameter("it is closed; name a file", param_hint="stdin")
    return sys.stdin.buffer if path == STDIN else path


def is_there(url: str) -> bool:
    """Whether no file would have to be made for a store."""
    return not url.startswith(_FILE) or Path(url.removeprefix(_FILE)).exists()


def existing_store(url: str, max_lost_attempts: int = DEFAULT_LIMIT) -> Store:
    """Open a store that is there already; StoreError where a file would have to be made for it."""
    if not is_there(url):
        raise StoreError(f"there is no store {url!r}; name another one with --store or {STORE_VARIABLE}")
    return open_store(url, max_lost_attempts=max_lost_attempts)
