"""Files that are written whole or not at all."""

import os
from pathlib import Path
from uuid import uuid4


def write_atomically(path: Path, content: bytes, *, mode: int = 0o666) -> None:
    """Write a file so that after a crash there is the old one or the new one; `mode` is who may read a new one."""
    temporary = path.with_name(f".{path.name}.{uuid4().hex}")
    try:
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
