"""Where things are in a transfer file. Of the payload nothing is interpreted here.

    8   what tells such a file from others
    2   version of this layout, big-endian
    4   length of the header, big-endian
    n   header: JSON
    32  digest: SHA-256 of all before and of the payload
    s   signature of all before: 0, 32 or 64 bytes, as the header says
    m   payload: as many bytes as the header says. Nothing comes after it.

The signature vouches for the payload by way of the digest, so that a file is refused before its payload is even read.
"""

import hashlib
import hmac
import struct
from typing import BinaryIO, NamedTuple

import msgspec

from routilux.errors import TransferDamagedError, TransferFormatError, TransferTooLargeError
from routilux.transfer.header import Header
from routilux.transfer.keys import SIGNATURE_SIZES, Key

MAGIC = b"\x89RTLX\r\n\n"
"""As that of PNG: no text, and altered by whatever takes it for text."""
LAYOUT = 1
MAX_HEADER = 65_536
DIGEST_SIZE = 32
_PREFIX = struct.Struct(">8sHI")
_PIECE = 1 << 20


class Front(NamedTuple):
    """What stands before the payload. `head` is what comes before the digest, `signed` what was signed."""

    head: bytes
    header: Header
    digest: bytes
    signature: bytes

    @property
    def signed(self) -> bytes:
        """What the signature is of."""
        return self.head + self.digest


def write_head(header: Header) -> bytes:
    """The head of a file; TransferTooLargeError for a header that is too long to be read."""
    content = msgspec.json.encode(header)
    if len(content) > MAX_HEADER:
        raise TransferTooLargeError(
            f"the header has {len(content)} bytes, and {MAX_HEADER} at most; shorten the ids of its keys"
        )
    return _PREFIX.pack(MAGIC, LAYOUT, len(content)) + content


def write_file(head: bytes, payload: bytes, key: Key | None) -> bytes:
    """A whole file, signed where there is a key."""
    digest = digest_of(head, payload)
    signature = b"" if key is None else key.sign(head + digest)
    return b"".join((head, digest, signature, payload))


def digest_of(head: bytes, payload: bytes) -> bytes:
    """What tells whether a file is what was written."""
    digest = hashlib.sha256(head)
    digest.update(payload)
    return digest.digest()


def read_front(first: bytes, file: BinaryIO) -> Front:
    """What stands before the payload, of a file of which the `first` bytes, `MAGIC` among them, have been read.

    TransferFormatError, TransferTooLargeError or TransferDamagedError say what is wrong with it.
    """
    prefix = first + _exactly(file, _PREFIX.size - len(first), "the head")
    _, layout, size = _PREFIX.unpack(prefix)
    if layout != LAYOUT:
        raise TransferFormatError(
            f"its layout is version {layout}, and this routilux reads version {LAYOUT}; upgrade routilux on this host"
        )
    if size > MAX_HEADER:
        raise TransferTooLargeError(f"its header is said to have {size} bytes, and {MAX_HEADER} are allowed")
    content = _exactly(file, size, "the header")
    header = _read_header(content)
    signature_size = 0 if header.signature is None else SIGNATURE_SIZES.get(header.signature.algorithm, 0)
    digest = _exactly(file, DIGEST_SIZE, "the digest")
    return Front(prefix + content, header, digest, _exactly(file, signature_size, "the signature"))


def read_payload(file: BinaryIO, front: Front, max_size: int) -> bytes:
    """The payload, which is as it was written; TransferDamagedError or TransferTooLargeError where it is not."""
    size = front.header.size
    if size > max_size:
        raise TransferTooLargeError(f"its payload has {size} bytes, and {max_size} are allowed; see max_size")
    payload = _exactly(file, size, "the payload")
    if file.read(1):
        raise TransferDamagedError("there is more in it than its header says; it was not written like that")
    if not hmac.compare_digest(digest_of(front.head, payload), front.digest):
        raise TransferDamagedError("its digest is another: something in it was altered; have it written again")
    return payload


def _read_header(content: bytes) -> Header:
    try:
        return msgspec.json.decode(content, type=Header)
    except (ValueError, RecursionError) as error:
        raise TransferDamagedError(f"its header cannot be read: {error}") from error


def _exactly(file: BinaryIO, size: int, what: str) -> bytes:
    """So many bytes, read in pieces, so that a size that is a lie takes no room."""
    pieces, missing = [], size
    while missing and (piece := file.read(min(missing, _PIECE))):
        pieces.append(piece)
        missing -= len(piece)
    if missing:
        raise TransferDamagedError(f"it is cut off: {what} has {size} bytes, of which {missing} are missing")
    return b"".join(pieces)
