"""Which names stand for which classes, and in which modules a name may lead to a function."""

import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any, Final

from serilux._json import did_you_mean
from serilux.errors import NameConflictError, UnknownClassError, UntrustedReferenceError

Identity = tuple[str, str]
"""A class's module and qualified name: the same for a class that was defined again."""

_LIBRARY: Final = ("serilux", "routilux")


def real_module(name: str) -> str:
    """Return a module's importable name: `__main__` has another one under `python -m`."""
    spec = getattr(sys.modules.get("__main__"), "__spec__", None) if name == "__main__" else None
    return name if spec is None else str(spec.name)


def is_library(module: str) -> bool:
    """Tell whether a module belongs to this library, whose names no document may reach."""
    return module.split(".", 1)[0] in _LIBRARY


def identity_of(cls: type[Any]) -> Identity:
    """Return what tells a class from others of its name."""
    return real_module(cls.__module__), cls.__qualname__


class Registry:
    """Registered classes by their names, and trusted modules. One per process: `REGISTRY`.

    The first name of a class is written; the others, its aliases, are read as well.
    """

    __slots__ = ("_classes", "_exceptions", "_names", "_trusted", "_written")

    def __init__(self) -> None:
        self._exceptions: dict[Identity, tuple[str, ...]] = {}
        self._classes: dict[str, dict[Identity, type[Any]]] = {}
        self._names: dict[Identity, tuple[str, ...]] = {}
        self._trusted: set[str] = set()
        self._written: dict[int, tuple[str, type[Any]]] = {}

    def add(self, cls: type[Any], name: str, aliases: Iterable[str] = ()) -> None:
        """Let these names stand for the class; the same class defined again replaces the older one."""
        identity = identity_of(cls)
        for former in self._names.get(identity, ()):
            self._classes[former].pop(identity)
        self._names[identity] = names = (name, *(alias for alias in dict.fromkeys(aliases) if alias != name))
        for each in names:
            self._classes.setdefault(each, {})[identity] = cls
        if not is_library(identity[0]):
            self._trusted.add(identity[0])
        self._written = {}

    def knows(self, cls: type[Any]) -> bool:
        """Tell whether the class is registered."""
        return identity_of(cls) in self._names

    def name_of(self, cls: type[Any]) -> str:
        """Return the registered name of a class, its own name if it has none."""
        written = self._written  # as it is from before it is looked up: another thread may add a class meanwhile
        known = written.get(id(cls))  # not by the class itself: its metaclass may say what it equals
        if known is not None:
            return known[0]
        name = self._looked_up(cls)
        if self.knows(cls):
            written[id(cls)] = name, cls
        return name

    def _looked_up(self, cls: type[Any]) -> str:
        identity = identity_of(cls)
        name = self.names_of(cls)[0]
        others = [other for other in self._classes.get(name, {}) if other != identity]
        if others:
            raise self._conflict(name, [identity, *others])
        return name

    def names_of(self, cls: type[Any]) -> tuple[str, ...]:
        """Return all names of a class: the one that is written, then its aliases."""
        return self._names.get(identity_of(cls), (cls.__name__,))

    def find(self, name: str, path: str) -> type[Any]:
        """Return the class registered as `name`."""
        classes = self._classes.get(name)
        if not classes:
            hint = did_you_mean(name, self._of_users())
            raise UnknownClassError(
                f"class {name!r} is not registered here{hint}; import its module before reading, "
                "and decorate it with @serilux.register_serializable",
                path,
            )
        if len(classes) > 1:
            raise self._conflict(name, list(classes), path)
        return next(iter(classes.values()))

    def _of_users(self) -> list[str]:
        """Return the names that users' classes have: a class that is unknown is not one of the library's."""
        return [name for name, found in self._classes.items() if not all(is_library(module) for module, _ in found)]

    def _conflict(self, name: str, identities: list[Identity], path: str = "") -> NameConflictError:
        classes = " and ".join(sorted(map(".".join, identities)))
        aliased = any(name in self._names.get(identity, ())[1:] for identity in identities)
        advice = ", or do without the alias" if aliased else ""
        return NameConflictError(
            f"the name {name!r} stands for {classes}; "
            f"give one another name with @serilux.register_serializable(name='...'){advice}",
            path,
        )

    def add_exception(self, cls: type[BaseException], aliases: Iterable[str]) -> None:
        """Let these qualified names stand for an exception, beside its own; it is no data for that."""
        identity = identity_of(cls)
        for alias in aliases:
            others = [other for other, names in self._exceptions.items() if alias in names]
            others += [identity_of(found) for found in _defined_as(alias)]
            if strangers := sorted({".".join(other) for other in others if other != identity}):
                raise NameConflictError(
                    f"{alias!r} cannot be an alias of {'.'.join(identity)}: it stands for {' and '.join(strangers)}; "
                    f"do without it, or rename that"
                )
        self._exceptions[identity] = tuple(aliases)

    def exception_names(self, cls: type[BaseException]) -> tuple[str, ...]:
        """Return the qualified names of an exception: its own, then its aliases."""
        identity = identity_of(cls)
        return (".".join(identity), *self._exceptions.get(identity, ()))

    def trust(self, module: str) -> None:
        """Let references lead to the functions of a module."""
        self._trusted.add(module)

    def trusts(self, module: str) -> bool:
        """Tell whether references may lead to the functions of a module."""
        return module in self._trusted


def _defined_as(qualified_name: str) -> Iterator[type[Any]]:
    """Yield the class that an imported module has under a name, if there is one."""
    module, _, name = qualified_name.rpartition(".")
    found = getattr(sys.modules.get(module), name, None)
    if isinstance(found, type):
        yield found


REGISTRY: Final = Registry()


def registered_name(cls: type[Any]) -> str:
    """Return the name a class has in documents: the registered one, or else the class's own.

    Raises NameConflictError if the name stands for another class as well.
    """
    return REGISTRY.name_of(cls)


def exception_names(cls: type[BaseException]) -> tuple[str, ...]:
    """Return the names by which documents may mean an exception: its qualified name, then its aliases."""
    return REGISTRY.exception_names(cls)


def is_registered(cls: type[Any]) -> bool:
    """Tell whether a class is registered, so that documents that name it can be read."""
    return REGISTRY.knows(cls)


def lookup_class(name: str, path: str = "value") -> type[Any]:
    """Return the class that documents call `name`.

    Raises UnknownClassError if nobody registered one here, NameConflictError if several did.
    """
    return REGISTRY.find(current_name(name), path)


def name_in(document: object, cls: type[Any]) -> str:
    """Return the name by which a document calls the class that it is of: that or an alias, if it does; else that."""
    found = document.get("_type") if isinstance(document, dict) else None
    is_its_name = isinstance(found, str) and current_name(found) in REGISTRY.names_of(cls)
    return str(found) if is_its_name else registered_name(cls)


_RENAMED: Final[ContextVar[Mapping[str, str]]] = ContextVar("renamed classes", default=MappingProxyType({}))


@contextmanager
def renamed_classes(names: Mapping[str, str]) -> Iterator[None]:
    """Let what is read in this context, on this thread, find classes by their new names: `{"old": "new"}`.

    For documents that were written when the classes had other names; what every reader is to know is an alias
    (`register_serializable`). Exceptions are renamed by their qualified names.
    """
    token = _RENAMED.set(dict(names))
    try:
        yield
    finally:
        _RENAMED.reset(token)


def current_name(name: str) -> str:
    """Return the name that a class has now, by what `renamed_classes` says in this context."""
    return _RENAMED.get().get(name, name)


def trust(module_name: str) -> None:
    """Let documents refer to functions defined in a module, which the program imports itself.

    A module in which a class is registered is trusted already. Raises UntrustedReferenceError for modules
    that no document may reach: `builtins`, this library (design law 8).
    """
    if not isinstance(module_name, str) or not module_name:
        raise TypeError(f"trust takes the name of a module, such as 'my_package.steps', not {module_name!r}")
    module = real_module(module_name)
    if module == "builtins" or is_library(module):
        raise UntrustedReferenceError(
            f"module {module_name!r} can never be trusted; define the function in a module of your own"
        )
    REGISTRY.trust(module)
