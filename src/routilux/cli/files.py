"""A transfer file in words: how it was made, whether it is whole, and which job is in it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from typing import Any, NamedTuple

from routilux.cli.accounts import shown_state
from routilux.stores.job_view import JobView, view_of_document
from routilux.transfer import Compression, Inspection, KeyRing, inspect, unpack
from routilux.transfer.container import MAX_HEADER
from routilux.transfer.passing import File, named, opened
from serilux.errors import SeriluxError

MOST_AROUND = MAX_HEADER + 1024
"""Bytes of a file beside its payload, at most."""


class Seen(NamedTuple):
    """What is to be seen of a file; there is a `view` of its job where nothing forbids it, or says why not."""

    inspection: Inspection
    view: JobView | None
    unseen: str

    @property
    def problem(self) -> str | None:
        """What is wrong with it."""
        return self.inspection.problem

    def document(self) -> dict[str, Any]:
        """It as JSON."""
        document = None if self.view is None else self.view.document
        return {"file": self.inspection, "document": document}

    def lines(self) -> Iterator[str]:
        """It as lines."""
        found = self.inspection
        yield f"job {found.job_id} of flow {found.flow_id!r} is {found.status}, epoch {found.epoch}"
        yield from _how_it_was_made(found)
        yield f"problem: {self.problem}" if self.problem else "it is whole"
        if self.view is None:
            yield f"what is in it is not shown: {self.unseen}"
        else:
            yield from shown_state(self.view)


def look_into(file: File, keys: KeyRing | None, max_size: int) -> Seen:
    """See what can be seen of a file; TransferError where it is none."""
    with opened(file) as stream:
        content = stream.read(max_size + MOST_AROUND)
    with named(file):
        found = inspect(BytesIO(content), keys=keys, max_size=max_size)
    if unseen := _why_unseen(found):
        return Seen(found, None, unseen)
    try:
        job = unpack(content, keys=keys, max_size=max_size)["job"]
        return Seen(found, view_of_document(job, datetime.now(UTC).timestamp()), "")
    except SeriluxError as error:
        return Seen(found, None, str(error))


def _why_unseen(found: Inspection) -> str:
    if found.problem is not None:
        return "it is not what it should be"
    if found.verified is None and (found.encryption or found.signature):
        return "give its keys with --key-file"
    return ""


def _how_it_was_made(found: Inspection) -> Iterator[str]:
    if found.layout is None:
        yield f"plain JSON, {found.size} bytes, not signed"
        return
    assert found.created_at is not None
    compressed = "" if found.compression is Compression.NONE else f", {found.expanded} before {found.compression}"
    yield f"written {found.created_at.isoformat()}, {found.size} bytes{compressed}"
    if found.encryption is not None:
        yield f"encrypted with key {found.encryption.key!r} ({found.encryption.algorithm})"
    if found.signature is not None:
        checked = {None: "not checked", True: "verified", False: "not accepted"}[found.verified]
        yield f"signed with key {found.signature.key!r} ({found.signature.algorithm}): {checked}"
    else:
        yield "not signed"
    yield f"digest sha256:{found.digest}"
