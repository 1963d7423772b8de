"""Key rings in files: JSON that only its owner can read, the newest key first."""

import os
from pathlib import Path
from typing import Literal

import msgspec

from routilux._files import write_atomically
from routilux.errors import TransferKeyError
from routilux.transfer.keys import Key, KeyAlgorithm, KeyRing

MAX_KEY_FILE = 1 << 20


class _KeyDocument(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    key_id: str
    algorithm: KeyAlgorithm
    secret: bytes | None = None
    public: bytes | None = None
    retired: bool = False


class _RingDocument(msgspec.Struct, forbid_unknown_fields=True):
    format: Literal[1]
    keys: list[_KeyDocument]


def save_keys(path: str | os.PathLike[str], ring: KeyRing) -> None:
    """Write keys to a file that only its owner can read, atomically."""
    keys = [_KeyDocument(key.key_id, key.algorithm, key.secret, key.public, key.retired) for key in ring.keys]
    content = msgspec.json.format(msgspec.json.encode(_RingDocument(1, keys)), indent=1)
    write_atomically(Path(path), content + b"\n", mode=0o600)


def load_keys(path: str | os.PathLike[str]) -> KeyRing:
    """The keys in a file; TransferKeyError where there are none."""
    with open(path, "rb") as file:
        content = file.read(MAX_KEY_FILE)
    try:
        read = msgspec.json.decode(content, type=_RingDocument)
        return KeyRing(Key(key.key_id, key.algorithm, key.secret, key.public, retired=key.retired) for key in read.keys)
    except (ValueError, RecursionError) as error:
        refusal = TransferKeyError(f"no keys can be read from it: {error}")
        refusal.file = str(path)
        raise refusal from error
