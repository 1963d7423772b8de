"""Child processes that run jobs, say what they do, and are killed.

They are forked from a server that has imported everything, so that one costs some ten milliseconds.
"""

import atexit
import os
import signal
from collections.abc import Callable, Iterator
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from weakref import WeakSet

Announce = Callable[[str], None]
"""Tell the parent something, in one line; it has it even if the process dies right after."""

LIFE = 120
"""Seconds after which a process ends that does not stand still: whoever waits for it fails, and says where it was."""
_hosts: "WeakSet[Host]" = WeakSet()
_CONTEXT = get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tests.crashes.millers", "routilux._backends.postgres", "pytest"])


class Host:
    """A process that runs `work(announce, *args)`."""

    def __init__(self, work: Callable[..., None], *args: Any) -> None:
        self._heard, theirs = _CONTEXT.Pipe(duplex=False)
        self.process = _CONTEXT.Process(target=_work, args=(theirs, work, args), daemon=True)
        self.process.start()
        _hosts.add(self)
        theirs.close()
        self._lines = self._read()

    def _read(self) -> Iterator[str]:
        with os.fdopen(os.dup(self._heard.fileno())) as lines:
            yield from (line.rstrip("\n") for line in lines)

    def hear(self, count: int) -> list[str]:
        """The next lines, that many, or fewer where it ends before."""
        return [line for _, line in zip(range(count), self._lines, strict=False)]

    def hear_until(self, last: str) -> list[str]:
        """All lines up to the one that begins with `last`; AssertionError where it does not come."""
        heard: list[str] = []
        for line in self._lines:
            heard.append(line)
            if line.startswith(last):
                return heard
        raise AssertionError(f"it ended with {self.exit()} before it said {last!r}; it said {heard}")

    def kill(self) -> list[str]:
        """Kill it, and hear what it has still said."""
        self.process.kill()
        return self.ended()

    def ended(self) -> list[str]:
        """All that it says until it ends."""
        heard = list(self._lines)
        self.process.join()
        self._heard.close()
        return heard

    def exit(self) -> int | None:
        """How it ended."""
        self.process.join()
        return self.process.exitcode

    def wake(self) -> None:
        """Let it go on after it has stopped."""
        assert self.process.pid is not None
        os.kill(self.process.pid, signal.SIGCONT)

    def wait_until_stopped(self) -> None:
        """Return when it stands still."""
        stat = Path(f"/proc/{self.process.pid}/stat")
        while stat.read_text().rpartition(")")[2].split()[0] != "T":
            os.sched_yield()


@atexit.register
def kill_all() -> None:
    """Kill what a failed test has left, before it is waited for as the interpreter ends: one may stand still."""
    for host in _hosts:
        host.process.kill()


def _work(theirs: Connection, work: Callable[..., None], args: tuple[Any, ...]) -> None:
    signal.alarm(LIFE)
    descriptor = theirs.fileno()
    work(lambda line: os.write(descriptor, f"{line}\n".encode()), *args)
