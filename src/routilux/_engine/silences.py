"""How long the owners on other hosts have been silent."""

from time import monotonic

from routilux._backends.backend import Backend

FRESH = 1.0
"""Seconds for which it is believed: many jobs may have the same owner."""


class Silences:
    """What a store says of its owners, asked anew when it is old, or says nothing of one."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._asked_at = 0.0
        self._seconds: dict[str, float] = {}

    def of(self, owner: str) -> float | None:
        """Seconds since an owner last showed that it lives; None where it never did, or has left."""
        if owner not in self._seconds or monotonic() - self._asked_at > FRESH:
            seconds = self._backend.silences()
            self._asked_at, self._seconds = monotonic(), seconds
        return self._seconds.get(owner)
