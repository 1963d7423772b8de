"""What can be known of a transfer file without any of its classes, and without reading what is in it."""

from datetime import datetime
from typing import BinaryIO

import msgspec

from routilux.errors import TransferDamagedError, TransferError, TransferFormatError
from routilux.transfer.container import LAYOUT, MAGIC, Front, read_front, read_payload
from routilux.transfer.header import Compression, Encryption, Signature
from routilux.transfer.keys import KeyRing
from routilux.transfer.packing import MAX_SIZE, check_signature, checked_keys, decrypted, read_first, unpack
from routilux.transfer.passing import File, opened


class Inspection(msgspec.Struct, frozen=True, kw_only=True):
    """What a file says of itself, and what of that is so.

    `layout` is None for plain JSON, which has no more than the job's own document. `created_at` is aware and in UTC.
    `intact` says whether its digest is right. `verified` says whether the keys vouch for it, None without keys;
    `problem` says why not, or what is wrong with it.
    """

    layout: int | None
    flow_id: str
    job_id: str
    epoch: int
    status: str
    created_at: datetime | None = None
    size: int
    expanded: int
    compression: Compression = Compression.NONE
    encryption: Encryption | None = None
    signature: Signature | None = None
    digest: str | None = None
    intact: bool = True
    verified: bool | None = None
    problem: str | None = None


def inspect(file: File, *, keys: KeyRing | None = None, max_size: int = MAX_SIZE) -> Inspection:
    """Look at a file: which job is in it, as of when, how it was made, and whether it is whole.

    None of its classes need be known, and what is in it is not interpreted (but for plain JSON, which says nothing
    else). With `keys` it is checked as `read` does. TransferError where it is no transfer file.
    """
    ring = checked_keys(keys)
    with opened(file) as stream:
        first = read_first(stream)
        if first != MAGIC:
            return _plain(first + stream.read(max_size + 1), keys, max_size)
        return _inspected(stream, read_front(first, stream), ring if keys is not None else None, max_size)


def _inspected(stream: BinaryIO, front: Front, keys: KeyRing | None, max_size: int) -> Inspection:
    header, verified, problem, payload = front.header, None, None, None
    try:
        payload = read_payload(stream, front, max_size)
    except TransferDamagedError as error:
        problem = str(error)
    if keys is not None and payload is not None:
        problem = _refusal(front, payload, keys)
        verified = problem is None
    return Inspection(
        layout=LAYOUT,
        digest=front.digest.hex(),
        intact=payload is not None,
        verified=False if keys is not None and payload is None else verified,
        problem=problem,
        **{name: getattr(header, name) for name in header.__struct_fields__},
    )


def _refusal(front: Front, payload: bytes, keys: KeyRing) -> str | None:
    """Why the keys do not vouch for a file, if they do not."""
    try:
        check_signature(front, keys, given=True)
        decrypted(payload, front, keys)
    except TransferError as error:
        return str(error)
    return None


def _plain(content: bytes, keys: KeyRing | None, max_size: int) -> Inspection:
    """What is to be seen of a document that is no more than JSON."""
    job = unpack(content, max_size=max_size)["job"]
    if not isinstance(job, dict) or not all(isinstance(job.get(name), kind) for name, kind in _KNOWN_BY.items()):
        raise TransferFormatError(f"its job does not say {', '.join(_KNOWN_BY)}, by which jobs are known")
    return Inspection(
        layout=None,
        size=len(content),
        expanded=len(content),
        verified=None if keys is None else False,
        problem=None if keys is None else "it is plain JSON, which nobody has signed",
        **{name: job[name] for name in _KNOWN_BY},
    )


_KNOWN_BY = {"flow_id": str, "job_id": str, "epoch": int, "status": str}
