"""What a host gives to the handlers of a flow, such as clients and connections. It is part of no document."""

import os
import threading
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from inspect import iscoroutinefunction
from typing import Any

from routilux.errors import DefinitionError

_ABSENT: Any = object()


class ResourceFactory:
    """Makes a resource when a handler first asks for it: once in a process, and once more in a child after a fork.

    One factory may be given to many flows, which then share what it makes. What `make` raises is the handler's failure;
    the next handler that asks has it called again. What was made is closed by whoever gave the factory, not by a flow.
    """

    def __init__(self, make: Callable[[], object]) -> None:
        if not callable(make) or iscoroutinefunction(make):
            kind = "an async function, which returns something to be awaited once" if callable(make) else _kind(make)
            raise DefinitionError(
                f"a ResourceFactory takes a function without parameters that returns the resource, not {kind}"
            )
        self._make = make
        self._made: dict[int, _Made] = {}

    def __repr__(self) -> str:
        return f"<ResourceFactory {getattr(self._make, '__qualname__', type(self._make).__name__)}>"

    def get(self) -> object:
        """What it makes; the first call in a process makes it."""
        made = self._made.setdefault(os.getpid(), _Made())  # a parent's connections stay open, and the parent's
        with made.lock:
            if made.value is _ABSENT:
                made.value = self._make()
            return made.value


class _Made:
    """What a factory has made in one process."""

    __slots__ = ("lock", "value")

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.value = _ABSENT


class Resources(MutableMapping[str, Any]):
    """What a host gives to a flow, by name; of a `ResourceFactory` a handler is given what it makes.

    A name may be that of one routine only: `"reports.database"` comes before `"database"` for the routine `reports`.
    """

    def __init__(self, given: Mapping[str, object] | None = None) -> None:
        self._given: dict[str, object] = {}
        if not isinstance(given, Mapping | None):
            raise DefinitionError(f"resources are a dict by name, not {_kind(given)}")
        self.update(given or {})

    def __getitem__(self, name: str) -> Any:
        return self._given[name]

    def __setitem__(self, name: str, value: object) -> None:
        if type(name) is not str or not name:
            raise DefinitionError(f"a resource has a name, not {_kind(name)}")
        self._given[name] = value

    def __delitem__(self, name: str) -> None:
        del self._given[name]

    def __contains__(self, name: object) -> bool:
        return name in self._given

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._given))

    def __len__(self) -> int:
        return len(self._given)

    def __repr__(self) -> str:
        return f"<Resources {', '.join(self._given) or 'none'}>"

    def name_for(self, routine_id: str | None, name: str) -> str | None:
        """Under which name a routine is given this, or None where it is not."""
        own = f"{routine_id}.{name}"
        return own if own in self._given else name if name in self._given else None

    def get_made(self, name: str) -> Any:
        """What a handler is given of a name that there is."""
        given = self._given[name]
        return given.get() if isinstance(given, ResourceFactory) else given


def _kind(value: object) -> str:
    """A value as a message names it: what it holds may be nobody's business."""
    return f"a {type(value).__name__}"
