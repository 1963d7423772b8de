"""What is made anew in a forked process, where no other thread of its parent runs, or lets go of a lock."""

import os
import threading
from time import monotonic
from typing import Protocol, TypeVar
from weakref import ref

T = TypeVar("T")

STILLNESS = 1.0
"""Seconds for which a fork waits for the other threads to come out of what must not be forked in the middle."""


class Renewed(Protocol):
    """Something with threads, or a lock, of this process."""

    def _begin_anew(self) -> None:
        """Be as if nobody had used it so far; the parent goes on with its own. Nothing else runs in the process yet."""


class _Renewal:
    """All that is to be renewed. None of it is kept by that: what is gone is forgotten now and then."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._refs: list[ref[Renewed]] = []
        self._crowded = 1024

    def add(self, thing: Renewed) -> None:
        """Have this made anew in each process that is forked from this one.

        A signal's handler may do so in the middle of another call of this, and a finalizer: they only append then.
        """
        self._refs.append(ref(thing))  # each job comes here: a weak set would cost it ten times as much
        if len(self._refs) > self._crowded and not self._lock._is_owned():  # type: ignore[attr-defined]
            self._forget_gone()

    def _forget_gone(self) -> None:
        """Forget what is gone, in place: what is added meanwhile stays behind that."""
        with self._lock:
            count = len(self._refs)
            self._crowded = 1024 + 2 * count  # so that other threads need not wait for this one
            self._refs[:count] = [known for known in self._refs[:count] if known() is not None]
            self._crowded = 1024 + 2 * len(self._refs)

    def living(self, kind: type[T]) -> list[T]:
        """All of one kind that are made anew in forks, and are not gone."""
        return [thing for known in list(self._refs) if isinstance(thing := known(), kind)]

    def renew_all(self) -> None:
        """Make all of it anew, in the child."""
        self._lock = threading.RLock()
        for known in list(self._refs):
            if (thing := known()) is not None:
                thing._begin_anew()


class _Stillness:
    """Locks that whoever forks takes before: what they guard has locks of its own, which nobody can make anew."""

    def __init__(self) -> None:
        self._forking = threading.RLock()
        self._refs: list[ref[threading.Lock]] = []
        self._taken: list[threading.Lock] = []

    def add(self, lock: threading.Lock) -> None:
        """Have a fork wait until nobody has this lock. It is not kept by that."""
        with self._forking:
            self._refs = [known for known in self._refs if known() is not None] + [ref(lock)]

    def begin(self) -> None:
        """Take all of the locks but those that somebody has for too long."""
        self._forking.acquire()
        deadline = monotonic() + STILLNESS
        for known in self._refs:
            lock = known()
            if lock is not None and lock.acquire(timeout=max(deadline - monotonic(), 0.0)):
                self._taken.append(lock)

    def end(self) -> None:
        """Let them go, in the parent and in the child."""
        while self._taken:
            self._taken.pop().release()
        self._forking.release()


_RENEWAL, _STILLNESS = _Renewal(), _Stillness()
renew_after_fork, living = _RENEWAL.add, _RENEWAL.living
take_before_fork = _STILLNESS.add
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_RENEWAL.renew_all)
    os.register_at_fork(before=_STILLNESS.begin, after_in_parent=_STILLNESS.end, after_in_child=_STILLNESS.end)
