"""What is made anew in a forked process, where no other thread of its parent runs, or lets go of a lock."""

import os
import threading
from typing import Protocol
from weakref import ref


class Renewed(Protocol):
    """Something with threads, or a lock, of this process."""

    def _begin_anew(self) -> None:
        """Be as if nobody had used it so far; the parent goes on with its own. Nothing else runs in the process yet."""


class _Renewal:
    """All that is to be renewed. None of it is kept by that: what is gone is forgotten now and then."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._refs: list[ref[Renewed]] = []
        self._crowded = 1024

    def add(self, thing: Renewed) -> None:
        """Have this made anew in each process that is forked from this one."""
        with self._lock:  # each job comes here: a weak set would cost it ten times as much
            self._refs.append(ref(thing))
            if len(self._refs) > self._crowded:
                self._forget_gone()

    def _forget_gone(self) -> None:
        self._refs = [known for known in self._refs if known() is not None]
        self._crowded = 1024 + 2 * len(self._refs)

    def renew_all(self) -> None:
        """Make all of it anew, in the child."""
        self._lock = threading.Lock()
        for known in self._refs:
            if (thing := known()) is not None:
                thing._begin_anew()


_RENEWAL = _Renewal()
renew_after_fork = _RENEWAL.add
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_RENEWAL.renew_all)
