"""A backend whose calls come to their end, whatever signals come: files and connections are as they should be."""

from collections.abc import Callable
from functools import partial
from typing import Any, cast

from routilux._backends.backend import Backend
from routilux._engine.patience import within


def uninterrupted(backend: Backend) -> Backend:
    """A backend that the main thread has other threads call, since signals are raised in that one, at any moment."""
    return cast(Backend, _Uninterrupted(backend))


class _Uninterrupted:
    def __init__(self, backend: Backend) -> None:
        self._called = backend

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._called, name)
        return partial(_call, found) if callable(found) else found


def _call(method: Callable[..., Any], *args: Any, **keywords: Any) -> Any:
    return within(None, partial(method, *args, **keywords))
