"""What is not as it was written is refused, by name, before anything in it is interpreted."""

import io
import struct
import tracemalloc
import zlib
from typing import Any

import msgspec
import pytest

from routilux.errors import (
    RoutiluxError,
    TransferDamagedError,
    TransferError,
    TransferForeignError,
    TransferForgedError,
    TransferFormatError,
    TransferKeyError,
    TransferReplayedError,
    TransferTooLargeError,
    TransferUnsignedError,
)
from routilux.transfer import Key, KeyRing, dumps, loads, pack, read, unpack
from routilux.transfer.container import MAX_HEADER
from tests.transfer.transfers import AES, ED25519, HMAC, SIGNED, WAYS, interpreted, parts_of, paused_job, written


def refusal(content: bytes, keys: KeyRing | None, **options: Any) -> TransferError:
    """How a file is refused; nothing of it is interpreted."""
    with interpreted() as calls, pytest.raises(TransferError) as caught:
        loads(content, keys=keys, **options)
    assert calls == []
    return caught.value


# Every byte.


@pytest.mark.parametrize("name", WAYS)
@pytest.mark.parametrize("change", [0x01, 0x80, 0xFF])
def test_a_file_of_which_any_byte_was_altered_is_refused(name: str, change: int) -> None:
    content, keys = written(name), WAYS[name].reading
    for place in range(len(content)):
        altered = bytearray(content)
        altered[place] ^= change
        refusal(bytes(altered), keys)


@pytest.mark.parametrize("name", WAYS)
def test_a_file_that_was_cut_off_anywhere_is_refused(name: str) -> None:
    content, keys = written(name), WAYS[name].reading
    for size in range(len(content)):
        error = refusal(content[:size], keys)
        assert isinstance(error, TransferFormatError if size < 8 else TransferDamagedError)


@pytest.mark.parametrize("name", WAYS)
@pytest.mark.parametrize("more", [b"\0", b"\n", b"{}", b"x" * 100_000])
def test_a_file_with_something_behind_it_is_refused(name: str, more: bytes) -> None:
    error = refusal(written(name) + more, WAYS[name].reading)
    assert isinstance(error, TransferDamagedError)
    assert "more in it than its header says" in str(error)


# Without the key.


@pytest.mark.parametrize("name", SIGNED)
def test_a_file_that_somebody_without_the_key_has_mended_is_refused(name: str) -> None:
    parts, keys = parts_of(written(name)), WAYS[name].reading
    for place in range(len(parts.payload)):
        payload = bytearray(parts.payload)
        payload[place] ^= 1
        assert isinstance(refusal(parts.with_payload(bytes(payload)).put_together(), keys), TransferForgedError)
    for changes in ({"epoch": 9}, {"job_id": "x"}, {"flow_id": "x"}, {"created_at": "2020-01-01T00:00:00Z"}):
        changed = parts.with_header(**changes).put_together()
        assert isinstance(refusal(changed, keys), TransferForgedError)


@pytest.mark.parametrize("name", SIGNED)
@pytest.mark.parametrize("size", [0, 32, 64])
def test_a_file_whose_signature_was_taken_off_is_refused(name: str, size: int) -> None:
    parts = parts_of(written("plain"))._replace(signature=b"")
    assert isinstance(refusal(parts.put_together(), WAYS[name].reading), TransferUnsignedError)
    of_another = parts_of(written(name))
    if of_another.signature:
        stripped = of_another._replace(signature=b"").with_header(signature=None)
        assert isinstance(refusal(stripped.put_together(), WAYS[name].reading), TransferUnsignedError)
        short = of_another._replace(signature=b"\0" * size)
        refusal(short.put_together(), WAYS[name].reading)


def test_where_keys_are_set_plain_json_is_refused_too() -> None:
    document = unpack(written("plain"))
    assert unpack(msgspec.json.encode(document)) == document
    error = refusal(msgspec.json.encode(document), WAYS["hmac"].reading)
    assert isinstance(error, TransferUnsignedError)
    assert str(error) == "it is plain JSON, which nobody has signed; keys are set here, so it is refused"


@pytest.mark.parametrize("name", ["plain", "compressed"])
@pytest.mark.parametrize("keys", [KeyRing([HMAC]), KeyRing([ED25519]), KeyRing([AES]), KeyRing([AES, HMAC])])
def test_where_keys_are_set_a_file_that_is_not_signed_is_refused(name: str, keys: KeyRing) -> None:
    error = refusal(written(name), keys)
    assert isinstance(error, TransferUnsignedError)
    assert str(error) == "it is not signed; keys are set here, so it is refused"


def test_where_keys_for_signatures_are_set_encryption_is_not_enough() -> None:
    assert isinstance(refusal(written("aes"), KeyRing([AES, HMAC])), TransferUnsignedError)


@pytest.mark.parametrize(
    ("name", "keys", "said"),
    [
        ("hmac", None, "it is signed with key 'hmac', which is not known here; the keys are: none"),
        ("aes", None, "it is encrypted with key 'aes', which is not known here; the keys are: none"),
        ("hmac", KeyRing([ED25519]), "it is signed with key 'hmac', which is not known here; the keys are: 'ed'"),
        ("all", KeyRing([ED25519]), "it is encrypted with key 'aes', which is not known here; the keys are: 'ed'"),
        ("hmac", KeyRing([HMAC]).retired("hmac"), "it is signed with key 'hmac', which is retired"),
        ("aes", KeyRing([AES]).retired("aes"), "it is encrypted with key 'aes', which is retired"),
    ],
)
def test_a_file_of_a_key_that_is_not_ours_is_foreign(name: str, keys: KeyRing | None, said: str) -> None:
    error = refusal(written(name), keys)
    assert isinstance(error, TransferForeignError)
    assert (str(error), error.key_id) == (said, said.split("'")[1])


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("hmac", Key("hmac", "HMAC-SHA256", bytes(32))),
        ("ed25519", Key("ed", "Ed25519", bytes(32))),
        ("aes", Key("aes", "AES-256-GCM", bytes(32))),
        ("hmac", Key("hmac", "Ed25519", bytes(32))),
        ("ed25519", Key("ed", "HMAC-SHA256", bytes(32))),
    ],
)
def test_a_file_of_another_key_of_that_id_is_forged(name: str, key: Key) -> None:
    error = refusal(written(name), KeyRing([key]))
    assert (type(error), getattr(error, "key_id", None)) == (TransferForgedError, key.key_id)


def test_a_public_key_taken_for_a_secret_signs_nothing() -> None:
    """The algorithm is the key's, not the one that a file names."""
    public = ED25519.for_others()
    assert public.public is not None
    as_secret = Key("ed", "HMAC-SHA256", public.public)
    forged = dumps(*paused_job(), keys=KeyRing([as_secret]))
    assert isinstance(refusal(forged, KeyRing([public])), TransferForgedError)


@pytest.mark.parametrize("algorithm", ["AES-256-GCM", "Ed25519"])
def test_a_header_that_names_another_algorithm_is_forged(algorithm: str) -> None:
    parts = parts_of(written("hmac")).with_header(signature={"algorithm": algorithm, "key": "hmac"})
    parts = parts._replace(signature=b"\0" * {"AES-256-GCM": 0, "Ed25519": 64}[algorithm])
    assert isinstance(refusal(parts.put_together(), KeyRing([HMAC])), TransferForgedError)
    as_aes = parts_of(written("plain")).with_header(signature={"algorithm": "AES-256-GCM", "key": "aes"})
    assert isinstance(refusal(as_aes.put_together(), KeyRing([AES, HMAC])), TransferForgedError)


def test_a_key_for_signatures_is_none_for_encryption() -> None:
    header = {"algorithm": "HMAC-SHA256", "key": "hmac", "nonce": "AAAAAAAAAAAAAAAA"}
    document = unpack(written("plain"))
    parts = parts_of(pack(document, keys=KeyRing([HMAC]))).with_header(encryption=header)
    signed = parts._replace(signature=b"").put_together()
    signed = parts._replace(signature=HMAC.sign(signed[: len(signed) - len(parts.payload)])).put_together()
    assert isinstance(refusal(signed, KeyRing([HMAC])), TransferForgedError)


# What it says of itself.


@pytest.mark.parametrize(
    "content", [b"", b"x", b"not a transfer file at all", b"\x89PNG\r\n\x1a\n" + b"x" * 100, b"[1]"]
)
def test_something_else_is_no_transfer_file(content: bytes) -> None:
    error = refusal(content, None)
    assert (type(error), str(error)) == (TransferFormatError, "it is no transfer file, nor the JSON of one")


def test_a_newer_layout_is_refused_by_its_number() -> None:
    error = refusal(parts_of(written()).put_together(layout=2), None)
    assert isinstance(error, TransferFormatError)
    assert "its layout is version 2, and this routilux reads version 1; upgrade" in str(error)


class Watched(io.BytesIO):
    """A file that knows how much of it was asked for."""

    asked = 0

    def read(self, size: int | None = -1) -> bytes:
        assert size is not None
        assert size >= 0
        self.asked = max(self.asked, size)
        return super().read(size)


def test_a_header_that_is_said_to_be_huge_is_not_read() -> None:
    file = Watched(written()[:10] + struct.pack(">I", 2**32 - 1) + b"x" * 1000)
    with pytest.raises(TransferTooLargeError, match=f"4294967295 bytes, and {MAX_HEADER} are allowed"):
        read(file)
    assert file.tell() == 14


def test_a_payload_that_is_said_to_be_huge_takes_no_room() -> None:
    lie = parts_of(written()).with_header(size=2**27).put_together()
    tracemalloc.start()
    try:
        assert isinstance(refusal(lie, None), TransferDamagedError)
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()
    assert isinstance(refusal(parts_of(written()).with_header(size=2**40).put_together(), None), TransferTooLargeError)


@pytest.mark.parametrize(
    "header", [b"", b"{", b"[]", b"[" * 60_000, b'{"flow_id": "x"}', b"\xff", b'{"epoch": -1}', b"null", b"1e999"]
)
def test_a_header_that_says_something_else_is_damaged(header: bytes) -> None:
    content = written()[:10] + struct.pack(">I", len(header)) + header + bytes(100)
    assert isinstance(refusal(content, None), TransferDamagedError)


@pytest.mark.parametrize(
    "changes",
    [
        {"more": 1},
        {"epoch": 2**63},
        {"epoch": "1"},
        {"size": -1},
        {"flow_id": ""},
        {"created_at": "2020-01-01T00:00:00"},
        {"compression": "zstd"},
        {"signature": {"algorithm": "none", "key": "x"}},
        {"encryption": {"algorithm": "AES-256-GCM", "key": "aes"}},
    ],
)
def test_a_header_with_fields_that_are_not_so_is_damaged(changes: dict[str, Any]) -> None:
    assert isinstance(refusal(parts_of(written()).with_header(**changes).put_together(), None), TransferDamagedError)


# What is in it.


def unpack_refusal(content: bytes, **options: Any) -> RoutiluxError:
    with pytest.raises(TransferError) as caught:
        unpack(content, **options)
    return caught.value


def test_a_bomb_is_not_expanded() -> None:
    bomb = zlib.compress(bytes(1 << 28), 9)
    parts = parts_of(written("compressed"))
    for said, kind in ((10**6, TransferDamagedError), (10**12, TransferTooLargeError)):
        content = parts.with_payload(bomb, expanded=said).put_together()
        tracemalloc.start()
        try:
            error = unpack_refusal(content)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert (type(error), peak < 10**7) == (kind, True)


@pytest.mark.parametrize(
    ("payload", "expanded"), [(zlib.compress(b"x" * 9), 8), (zlib.compress(b"x" * 9), 10), (b"no zlib", 7), (b"", 0)]
)
def test_what_does_not_expand_to_what_was_said_is_damaged(payload: bytes, expanded: int) -> None:
    content = parts_of(written("compressed")).with_payload(payload, expanded=expanded).put_together()
    assert isinstance(unpack_refusal(content), TransferDamagedError)


def test_what_is_behind_the_compressed_content_is_no_part_of_it() -> None:
    parts = parts_of(written("compressed"))
    assert isinstance(unpack_refusal(parts.with_payload(parts.payload + b"x").put_together()), TransferDamagedError)
    assert isinstance(unpack_refusal(parts.with_payload(parts.payload[:-1]).put_together()), TransferDamagedError)


@pytest.mark.parametrize("content", [b"{", b"[]", b"null", b"[" * 100_000, b'{"format": 1}', b"\xff\xfe", b"NaN"])
def test_content_that_is_no_exported_job_is_refused(content: bytes) -> None:
    file = parts_of(written()).with_payload(content, expanded=len(content)).put_together()
    assert isinstance(unpack_refusal(file), TransferFormatError)
    assert isinstance(unpack_refusal(content), TransferFormatError)


@pytest.mark.parametrize("field", ["job_id", "flow_id", "epoch", "status"])
def test_a_header_that_speaks_of_another_job_than_what_is_in_it_is_refused(field: str) -> None:
    content = parts_of(written()).with_header(**{field: 77 if field == "epoch" else "other"}).put_together()
    error = unpack_refusal(content)
    assert (type(error), f"its header says {field} " in str(error)) == (TransferDamagedError, True)


def test_a_job_that_is_no_object_is_refused() -> None:
    document = msgspec.json.encode({"format": 1, "flow": {}, "graph": {}, "job": []})
    content = parts_of(written()).with_payload(document, expanded=len(document)).put_together()
    assert isinstance(unpack_refusal(content), TransferDamagedError)


@pytest.mark.parametrize("name", ["plain", "compressed"])
def test_more_than_is_allowed_is_refused(name: str) -> None:
    content = written(name, count=50)
    document = unpack(content)
    assert isinstance(unpack_refusal(content, max_size=100), TransferTooLargeError)
    assert isinstance(unpack_refusal(content, max_size=len(msgspec.json.encode(document)) - 1), TransferTooLargeError)
    assert unpack(content, max_size=len(msgspec.json.encode(document))) == document


def test_more_plain_json_than_is_allowed_is_refused() -> None:
    document = unpack(written())
    content = msgspec.json.encode(document)
    assert unpack(content, max_size=len(content)) == document
    assert isinstance(unpack_refusal(content, max_size=len(content) - 9), TransferTooLargeError)


# How it is told.


def test_the_file_is_named(tmp_path: Any) -> None:
    path = tmp_path / "job.transfer"
    path.write_bytes(b"something else")
    with pytest.raises(TransferFormatError) as caught:
        read(path)
    assert str(caught.value) == f"{path}: it is no transfer file, nor the JSON of one"
    assert caught.value.file == str(path)


def test_every_kind_of_refusal_is_a_value_error_of_its_own() -> None:
    kinds = set(TransferError.__subclasses__()) | {TransferForgedError}
    assert kinds == {
        TransferDamagedError,
        TransferForeignError,
        TransferForgedError,
        TransferFormatError,
        TransferKeyError,
        TransferReplayedError,
        TransferTooLargeError,
        TransferUnsignedError,
    }
    assert all(issubclass(kind, ValueError) for kind in kinds)
