"""A transfer document as a file and back: nothing in a file is interpreted before it is known to be what it should be.

What is read is, in this order: the head, whose header is small and of a fixed shape; who vouches for it; the payload as
bytes, by its digest; its decryption; whether the job is welcome (`Admit`). Only then is it expanded and parsed.
"""

import io
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from typing import BinaryIO, NamedTuple

import msgspec

from routilux._records import Data
from routilux.errors import (
    TransferDamagedError,
    TransferForeignError,
    TransferForgedError,
    TransferFormatError,
    TransferKeyError,
    TransferTooLargeError,
    TransferUnsignedError,
)
from routilux.transfer.container import MAGIC, Front, read_front, read_payload, write_file, write_head
from routilux.transfer.contents import compressed, expanded, parsed
from routilux.transfer.header import Compression, Encryption, Header, Signature
from routilux.transfer.keys import SIGNATURE_SIZES, Key, KeyAlgorithm, KeyRing, ciphers

MAX_SIZE = 1 << 28
"""Bytes that a file, and what is in it, may have unless more is allowed."""
NONCE_SIZE, TAG_SIZE = 12, 16
Admit = Callable[[Header], None]
"""Refuses a job that is not welcome, by what a header says that is vouched for."""


class Packing(NamedTuple):
    """How files are written: made before anything is moved, so that what cannot be done is known by then."""

    signing: Key | None
    encrypting: Key | None
    compression: Compression

    def pack(self, document: Data) -> bytes:
        """A transfer document as a file."""
        content = msgspec.json.encode(document)
        plain = compressed(content, self.compression)
        header = self._header(document["job"], len(content), len(plain))
        head = write_head(header)
        payload = plain
        if self.encrypting is not None and header.encryption is not None:
            assert self.encrypting.secret is not None
            payload = ciphers().encrypt(self.encrypting.secret, header.encryption.nonce, plain, head)
        return write_file(head, payload, self.signing)

    def _header(self, job: Data, expanded: int, size: int) -> Header:
        signing, encrypting = self.signing, self.encrypting
        return Header(
            flow_id=job["flow_id"],
            job_id=job["job_id"],
            epoch=job["epoch"],
            status=job["status"],
            created_at=datetime.now(UTC),
            size=size if encrypting is None else size + TAG_SIZE,
            expanded=expanded,
            compression=self.compression,
            encryption=None if encrypting is None else _encryption(encrypting),
            signature=None if signing is None else Signature(signing.algorithm, signing.key_id),
        )


def _encryption(key: Key) -> Encryption:
    return Encryption(key.algorithm, key.key_id, secrets.token_bytes(NONCE_SIZE))


def packing(keys: KeyRing | None, *, compress: bool, encrypt: bool) -> Packing:
    """How files are written with these keys; TransferKeyError where they cannot be."""
    ring = checked_keys(keys)
    signing, encrypting = ring.newest_that_signs(), ring.newest_that_encrypts() if encrypt else None
    if encrypt and encrypting is None:
        raise TransferKeyError(
            f"there is no key to encrypt with; give a KeyRing with one for {KeyAlgorithm.AES_256_GCM}"
        )
    if keys is not None and signing is None and (encrypting is None or ring.verifies):
        raise TransferKeyError(f"none of the keys can sign: {ring!r}; writers need a secret that is not retired")
    if encrypting is not None or (signing is not None and signing.algorithm is KeyAlgorithm.ED25519):
        ciphers()
    return Packing(signing, encrypting, Compression.ZLIB if compress else Compression.NONE)


def checked_keys(keys: KeyRing | None) -> KeyRing:
    """The keys that were given, which may be none; TransferKeyError where they are something else."""
    if keys is not None and not (isinstance(keys, KeyRing) and keys.keys):
        raise TransferKeyError(
            f"keys are a KeyRing with a Key in it, not {keys!r}"
            if isinstance(keys, KeyRing)
            else f"keys are a KeyRing, not {type(keys).__name__}"
        )
    return keys or KeyRing()


def pack(document: Data, *, keys: KeyRing | None = None, compress: bool = False, encrypt: bool = False) -> bytes:
    """What `Store.export` gives, as a file of its own; `write` says what the settings mean."""
    return packing(keys, compress=compress, encrypt=encrypt).pack(document)


def unpack(content: bytes, *, keys: KeyRing | None = None, max_size: int = MAX_SIZE) -> Data:
    """What `Store.admit` takes, from a file or from the plain JSON of it; `read` says what is refused."""
    return unpack_file(io.BytesIO(content), keys, max_size)


def unpack_file(file: BinaryIO, keys: KeyRing | None, max_size: int, admit: Admit = lambda header: None) -> Data:
    """The transfer document in a file; nothing of it is interpreted before it is known to be what it should be."""
    ring, first = checked_keys(keys), read_first(file)
    if first != MAGIC:
        return _plain(first, file, keys, max_size)
    front = read_front(first, file)
    check_signature(front, ring, given=keys is not None)
    plain = decrypted(read_payload(file, front, max_size), front, ring)
    admit(front.header)
    document = parsed(expanded(plain, front.header, max_size))
    _check_same(front.header, document["job"])
    return document


def read_first(file: BinaryIO) -> bytes:
    """As many bytes as tell what a file is."""
    first = b""
    while len(first) < len(MAGIC) and (piece := file.read(len(MAGIC) - len(first))):
        first += piece
    return first


def _plain(first: bytes, file: BinaryIO, keys: KeyRing | None, max_size: int) -> Data:
    """The document of a file that is nothing but its JSON, which nothing vouches for."""
    if first.lstrip()[:1] != b"{":
        raise TransferFormatError("it is no transfer file, nor the JSON of one")
    if keys is not None:
        raise TransferUnsignedError("it is plain JSON, which nobody has signed; keys are set here, so it is refused")
    rest = file.read(max_size)
    if file.read(1):
        raise TransferTooLargeError(f"it has more than the {max_size} bytes that are allowed; see max_size")
    return parsed(first + rest)


def check_signature(front: Front, ring: KeyRing, *, given: bool) -> None:
    """Refuse what is not signed as the keys ask for, if any were `given`.

    Keys that only encrypt vouch for a file by being what it was encrypted with.
    """
    signature = front.header.signature
    if signature is not None:
        _check_signed(front, signature, _key_of(ring, signature.key, signature.algorithm, "signed"))
    elif ring.verifies or (given and front.header.encryption is None):
        raise TransferUnsignedError("it is not signed; keys are set here, so it is refused")


def _check_signed(front: Front, signature: Signature, key: Key) -> None:
    if signature.algorithm not in SIGNATURE_SIZES or not key.has_signed(front.signed, front.signature):
        raise TransferForgedError(
            f"its signature is not one of key {key.key_id!r}: it was altered, or made with another key of that id",
            key_id=key.key_id,
        )


def _key_of(ring: KeyRing, key_id: str, algorithm: KeyAlgorithm, what: str) -> Key:
    """The key that a file names, if it is one of ours, and for what it is said to be for."""
    key = ring.get(key_id)
    if key is None:
        known = ", ".join(repr(each.key_id) for each in ring.keys) or "none"
        raise TransferForeignError(
            f"it is {what} with key {key_id!r}, which is not known here; the keys are: {known}", key_id=key_id
        )
    if key.retired:
        raise TransferForeignError(f"it is {what} with key {key_id!r}, which is retired", key_id=key_id)
    if key.algorithm is not algorithm:
        raise TransferForgedError(
            f"it is said to be {what} with key {key_id!r} by {algorithm}; that key is for {key.algorithm}",
            key_id=key_id,
        )
    return key


def decrypted(payload: bytes, front: Front, ring: KeyRing) -> bytes:
    """The payload as it was before it was encrypted, if it was."""
    encryption = front.header.encryption
    if encryption is None:
        return payload
    key = _key_of(ring, encryption.key, encryption.algorithm, "encrypted")
    readable = key.encrypts and key.secret is not None
    plain = ciphers().decrypt(key.secret or b"", encryption.nonce, payload, front.head) if readable else None
    if plain is None:
        raise TransferForgedError(
            f"it cannot be decrypted with key {key.key_id!r}: it was altered, or encrypted with another key of that id",
            key_id=key.key_id,
        )
    return plain


def _check_same(header: Header, job: Data) -> None:
    said = {name: getattr(header, name) for name in ("flow_id", "job_id", "epoch", "status")}
    for name, value in said.items():
        if not isinstance(job, dict) or job.get(name) != value:
            raise TransferDamagedError(f"its header says {name} {value!r}, and what is in it says something else")
