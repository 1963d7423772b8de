"""Whatever users' code prints, from any thread or child process, kept out of what this command prints."""

import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout

from routilux.cli.streams import ESCAPED

STDOUT, STDERR = 1, 2
_PATIENCE = 1.0


@contextmanager
def users_output(*, as_json: bool) -> Iterator[None]:
    """Send to stderr what users' code prints, where stdout is for one JSON document."""
    if not as_json:
        yield
        return
    sys.stdout.flush()
    kept = os.dup(STDOUT)
    os.dup2(STDERR, STDOUT)
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        os.dup2(kept, STDOUT)
        os.close(kept)


class Captured:
    """Gives each line that is written to some descriptors to `tell`, on a thread of its own, until it is closed."""

    def __init__(self, descriptors: Sequence[int], tell: Callable[[str], None]) -> None:
        _flush()
        self._tell = tell
        self._kept = {descriptor: os.dup(descriptor) for descriptor in descriptors}
        self._end, writing = os.pipe()
        for descriptor in descriptors:
            os.dup2(writing, descriptor)
        os.close(writing)
        self._reader = threading.Thread(target=self._read, name="routilux-output", daemon=True)
        self._reader.start()

    def _read(self) -> None:
        with os.fdopen(self._end, encoding=sys.stdout.encoding, errors=ESCAPED) as lines:
            for line in lines:
                self._tell(line.rstrip("\n"))

    def close(self) -> None:
        """Let things be printed as before. A child process that still writes is not waited for."""
        _flush()
        for descriptor, kept in self._kept.items():
            os.dup2(kept, descriptor)
            os.close(kept)
        self._reader.join(_PATIENCE)


def _flush() -> None:
    sys.stdout.flush()
    sys.stderr.flush()
