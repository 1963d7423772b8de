"""Jobs to be transferred, keys, and files that are not what was written."""

import hashlib
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple
from unittest.mock import patch

import msgspec

from routilux import Flow, JobState
from routilux.testing import StepRunner
from routilux.transfer import Key, KeyRing, dumps, packing
from routilux.transfer.container import MAGIC
from tests.engine.engine_parts import pipeline

HMAC = Key("hmac", "HMAC-SHA256", bytes(range(32)))
ED25519 = Key("ed", "Ed25519", bytes(range(1, 33)))
AES = Key("aes", "AES-256-GCM", bytes(range(2, 34)))


class Way(NamedTuple):
    """How files are written, and which keys their readers have."""

    keys: KeyRing | None
    compress: bool
    encrypt: bool
    reading: KeyRing | None

    @property
    def writing(self) -> dict[str, Any]:
        return {"keys": self.keys, "compress": self.compress, "encrypt": self.encrypt}


def way(*keys: Key, compress: bool = False, encrypt: bool = False, reading: KeyRing | None = None) -> Way:
    ring = KeyRing(keys) if keys else None
    return Way(ring, compress, encrypt, reading or ring)


WAYS = {
    "plain": way(),
    "compressed": way(compress=True),
    "hmac": way(HMAC),
    "ed25519": way(ED25519, reading=KeyRing([ED25519.for_others()])),
    "aes": way(AES, encrypt=True),
    "all": way(ED25519, AES, compress=True, encrypt=True, reading=KeyRing([ED25519.for_others(), AES])),
}
SIGNED = [name for name, each in WAYS.items() if each.keys is not None]


def paused_job(count: int = 2, runner: StepRunner | None = None) -> tuple[Flow, JobState]:
    """A job that has begun, and is paused."""
    runner = runner or StepRunner()
    flow = pipeline(runner)
    job_state = runner.start(flow, "source", {"count": count})
    runner.step()
    runner.step()
    flow.pause(job_state, "moving")
    return flow, job_state


def written(name: str = "plain", count: int = 1) -> bytes:
    """A file."""
    return dumps(*paused_job(count), **WAYS[name].writing)


class Parts(NamedTuple):
    """A file, taken apart."""

    header: dict[str, Any]
    signature: bytes
    payload: bytes

    def put_together(self, layout: int = 1) -> bytes:
        """A file of these parts, with the digest that it should have."""
        header = msgspec.json.encode(self.header)
        head = MAGIC + struct.pack(">HI", layout, len(header)) + header
        return head + hashlib.sha256(head + self.payload).digest() + self.signature + self.payload

    def with_header(self, **changes: Any) -> "Parts":
        return self._replace(header=self.header | changes)

    def with_payload(self, payload: bytes, **changes: Any) -> "Parts":
        return self._replace(payload=payload).with_header(size=len(payload), **changes)


def parts_of(content: bytes) -> Parts:
    """Take a file apart, by its description: another way than that of the code."""
    (size,) = struct.unpack_from(">I", content, 10)
    header = msgspec.json.decode(content[14 : 14 + size])
    rest = content[14 + size + 32 :]
    return Parts(header, rest[: len(rest) - header["size"]], rest[len(rest) - header["size"] :])


@contextmanager
def interpreted() -> Iterator[list[str]]:
    """What of a file is expanded, parsed or read while this lasts."""
    calls: list[str] = []

    def recording(name: str, real: Any) -> Any:
        def call(*arguments: Any) -> Any:
            calls.append(name)
            return real(*arguments)

        return call

    with (
        patch.object(packing, "expanded", recording("expanded", packing.expanded)),
        patch.object(packing, "parsed", recording("parsed", packing.parsed)),
        patch.object(Flow, "deserialize", recording("flow", Flow.deserialize)),
        patch.object(JobState, "deserialize", recording("job", JobState.deserialize)),
    ):
        yield calls
