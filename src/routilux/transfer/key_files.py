"""Key rings in files: JSON that only its owner can read, the newest key first."""

import os
import shlex
import stat
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
    """The keys in a file; TransferKeyError where there are none.

    On POSIX it is refused too if it has secret keys, belongs to the user who reads it, and others have any access to
    it, as ssh refuses its keys.
    """
    with open(path, "rb") as file:
        content, status = file.read(MAX_KEY_FILE), os.fstat(file.fileno())
    try:
        read = msgspec.json.decode(content, type=_RingDocument)
        ring = KeyRing(Key(key.key_id, key.algorithm, key.secret, key.public, retired=key.retired) for key in read.keys)
    except (ValueError, RecursionError) as error:
        raise _refusal(f"no keys can be read from it: {error}", path) from error
    if _is_open_to_others(status) and any(key.secret is not None for key in ring.keys):
        raise _refusal(
            f"others have access to its secret keys (its mode is {stat.S_IMODE(status.st_mode):04o}); run "
            f"`chmod 600 {shlex.quote(str(path))}`, and make new keys if somebody may have read them",
            path,
        )
    return ring


def _is_open_to_others(status: os.stat_result) -> bool:
    return os.name == "posix" and status.st_uid == os.getuid() and bool(status.st_mode & (stat.S_IRWXG | stat.S_IRWXO))


def _refusal(problem: str, path: str | os.PathLike[str]) -> TransferKeyError:
    refusal = TransferKeyError(problem)
    refusal.file = str(path)
    return refusal
