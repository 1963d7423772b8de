"""Documents in files, which are written whole or not at all. What that needs is loaded with the first of them."""

import json
import os
from errno import EEXIST
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
    with Draft(path, mode=mode) as draft:
        draft.write(content)
        draft.keep()


class Draft:
    """A file beside the one that it is to become; one that is not kept goes at the end, unless it `stays`.

    What was written is on disk, also before it is kept.
    """

    def __init__(self, path: Path, *, mode: int = 0o666) -> None:
        self.path = path.with_name(f".{path.name}.{uuid4().hex}")
        self.stays = self.is_kept = False
        self._final = path
        self._mode = mode

    def write(self, content: bytes) -> None:
        """Let this be all that is in it."""
        with open(os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, self._mode), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        _sync_folder(self.path.parent)

    def keep(self) -> None:
        """Let it take the place of the file."""
        os.replace(self.path, self._final)
        self.is_kept = True
        _sync_folder(self.path.parent)

    def keep_as_new(self) -> None:
        """Let it be the file; FileExistsError where there is one, however late that has come."""
        try:
            os.link(self.path, self._final)
        except FileExistsError:
            raise
        except OSError:  # not every file system has links
            check_new(self._final)
            os.rename(self.path, self._final)
        self.is_kept = True
        self.path.unlink(missing_ok=True)
        _sync_folder(self.path.parent)

    def __enter__(self) -> "Draft":
        return self

    def __exit__(self, *_: object) -> None:
        if not self.stays:
            self.path.unlink(missing_ok=True)


def check_new(path: Path) -> None:
    """FileExistsError where there is a file already."""
    if path.exists():
        raise FileExistsError(EEXIST, "there is a file, which may hold a job; name a new one", str(path))


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
