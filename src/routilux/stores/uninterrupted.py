"""A backend whose calls come to their end, whatever signals come: files and connections are as they should be.

What it raises that is no error of a store, as a backend of a user's may, is one then: nobody else's thread ends by it.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, cast

from routilux._backends.backend import Backend
from routilux._engine.patience import within
from routilux._midst import in_the_middle
from routilux.errors import StoreError


def uninterrupted(backend: Backend) -> Backend:
    """A backend that the main thread has other threads call, since signals are raised in that one, at any moment."""
    return cast(Backend, _Uninterrupted(backend))


class _Uninterrupted:
    def __init__(self, backend: Backend) -> None:
        self._called = backend

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._called, name)
        return partial(_call, name, found) if callable(found) else found


def _call(name: str, method: Callable[..., Any], *args: Any, **keywords: Any) -> Any:
    return within(None, partial(_made, name, method, *args, **keywords))


def _made(name: str, method: Callable[..., Any], *args: Any, **keywords: Any) -> Any:
    """What a call gives. Only what itself raises is the store's: what a signal raises meanwhile is not raised here."""
    try:
        return in_the_middle(method, *args, **keywords)
    except StoreError:
        raise
    except Exception as error:
        raise StoreError(f"the store failed at {name!r}: {type(error).__name__}: {error}") from error
