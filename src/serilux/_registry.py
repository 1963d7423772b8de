"""Which names stand for which classes, and in which modules a name may lead to a function."""

import sys
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
    """Registered classes by name, and trusted modules. One per process: `REGISTRY`."""

    __slots__ = ("_classes", "_names", "_trusted")

    def __init__(self) -> None:
        self._classes: dict[str, dict[Identity, type[Any]]] = {}
        self._names: dict[Identity, str] = {}
        self._trusted: set[str] = set()

    def add(self, cls: type[Any], name: str) -> None:
        """Let `name` stand for the class; the same class defined again replaces the older one."""
        identity = identity_of(cls)
        former = self._names.get(identity, name)
        self._classes.get(former, {}).pop(identity, None)
        self._names[identity] = name
        self._classes.setdefault(name, {})[identity] = cls
        if not is_library(identity[0]):
            self._trusted.add(identity[0])

    def knows(self, cls: type[Any]) -> bool:
        """Tell whether the class is registered."""
        return identity_of(cls) in self._names

    def name_of(self, cls: type[Any]) -> str:
        """Return the registered name of a class, its own name if it has none."""
        identity = identity_of(cls)
        name = self._names.get(identity, cls.__name__)
        others = [other for other in self._classes.get(name, {}) if other != identity]
        if others:
            raise _conflict(name, [identity, *others])
        return name

    def find(self, name: str, path: str) -> type[Any]:
        """Return the class registered as `name`."""
        classes = self._classes.get(name)
        if not classes:
            hint = did_you_mean(name, self._classes)
            raise UnknownClassError(
                f"class {name!r} is not registered here{hint}; import its module before reading, "
                "and decorate it with @serilux.register_serializable",
                path,
            )
        if len(classes) > 1:
            raise _conflict(name, list(classes), path)
        return next(iter(classes.values()))

    def trust(self, module: str) -> None:
        """Let references lead to the functions of a module."""
        self._trusted.add(module)

    def trusts(self, module: str) -> bool:
        """Tell whether references may lead to the functions of a module."""
        return module in self._trusted


def _conflict(name: str, identities: list[Identity], path: str = "") -> NameConflictError:
    classes = " and ".join(sorted(f"{module}.{qualname}" for module, qualname in identities))
    return NameConflictError(
        f"the name {name!r} stands for {classes}; "
        f"give one another name with @serilux.register_serializable(name='...')",
        path,
    )


REGISTRY: Final = Registry()


def registered_name(cls: type[Any]) -> str:
    """Return the name a class has in documents: the registered one, or else the class's own.

    Raises NameConflictError if the name stands for another class as well.
    """
    return REGISTRY.name_of(cls)


def is_registered(cls: type[Any]) -> bool:
    """Tell whether a class is registered, so that documents that name it can be read."""
    return REGISTRY.knows(cls)


def lookup_class(name: str, path: str = "value") -> type[Any]:
    """Return the class that documents call `name`.

    Raises UnknownClassError if nobody registered one here, NameConflictError if several did.
    """
    return REGISTRY.find(name, path)


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
