"""Documents in files, which are written whole or not at all. What that needs is loaded with the first of them."""

import json
import os
from pathlib import Path
from typing import Any
from uuid import uuid4

from serilux.errors import DocumentError, LimitError


def write_document(path: str | os.PathLike[str], document: dict[str, Any]) -> None:
    """Write a document as JSON for people."""
    write_atomically(Path(path), json.dumps(document, allow_nan=False, indent=2).encode())


def read_document(path: str | os.PathLike[str]) -> Any:
    """What a file holds; DocumentError or LimitError where that is no JSON."""
    try:
        return json.loads(Path(path).read_bytes())
    except ValueError as error:
        raise DocumentError(f"the file is no JSON: {error}", str(path)) from error
    except RecursionError as error:
        raise LimitError("nested too deeply to be read; it is no document of serialize()", str(path)) from error


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
