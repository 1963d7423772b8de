"""The claims of jobs that are just being made: a store is not left before they are over, and none begins after."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Claims:
    """Counts them, under a lock that others have, too."""

    def __init__(self, lock: threading.RLock) -> None:
        self._lock = lock
        self._over = threading.Condition(lock)  # of its own: who waits here is woken in nobody's place
        self._count = 0

    @contextmanager
    def making(self, check: Callable[[], None]) -> Iterator[None]:
        """Make one, unless a check, which is made under the lock, refuses it."""
        with self._lock:
            check()
            self._count += 1
        try:
            yield
        finally:
            with self._lock:
                self._count -= 1
                self._over.notify_all()

    def wait(self) -> None:
        """Return when none is being made. The lock is held, and free meanwhile."""
        self._over.wait_for(lambda: not self._count)
