"""A store whose calls fail when they are told to, before or after what they do is done."""

from collections.abc import Callable, Iterable
from itertools import count
from typing import Any, NamedTuple

from routilux._backends.backend import Backend
from routilux.errors import StoreUnavailableError

LOST = "the connection was lost"


class Failure(NamedTuple):
    """What a call raises; with `done` it has done its work, and only the answer is lost."""

    done: bool
    kind: type[BaseException] = StoreUnavailableError


class FailingBackend:
    """Another store's methods; the calls of those in `methods` fail in turn as `failures` say, None being a success.

    When these have come to their end, all calls succeed.
    """

    def __init__(self, backend: Backend, methods: Iterable[str], failures: Iterable[Failure | None]) -> None:
        self._backend = backend
        self._methods = frozenset(methods)
        self._failures = iter(failures)

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._backend, name)
        return self._failing(method) if name in self._methods else method

    def _failing(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            failure = next(self._failures, None)
            if failure is None:
                return method(*args, **kwargs)
            if failure.done:
                method(*args, **kwargs)
            raise failure.kind(LOST)

        return call


class NoticingBackend:
    """Another store's methods; when one finds it not available, `noticed` is told how often that has been so."""

    def __init__(self, backend: Backend, noticed: Callable[[int], None]) -> None:
        self._backend = backend
        self._noticed = noticed
        self._times = count(1)

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._backend, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            try:
                return method(*args, **kwargs)
            except StoreUnavailableError:
                self._noticed(next(self._times))
                raise

        return call
