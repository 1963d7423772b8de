"""Callables as names: a method of the object itself, a function of a trusted module, a harmless builtin."""

import sys
from collections.abc import Callable
from functools import partial
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any, Final, TypeVar

from serilux._json import did_you_mean, shown
from serilux._registry import REGISTRY, is_library, real_module
from serilux.errors import CallableReferenceError, ForeignMethodError, UntrustedReferenceError

_Function = TypeVar("_Function", bound=Callable[..., Any])
_REFERABLE: Final = "_serilux_referable"

_HARMLESS: Final[dict[str, Callable[..., Any]]] = {
    function.__name__: function
    for function in (
        *(abs, all, any, ascii, bin, callable, chr, divmod, hex, len),
        *(max, min, oct, ord, print, repr, round, sorted, sum),
    )
}
"""The builtins that documents may name: they read their arguments and do nothing else."""


def referable(function: _Function) -> _Function:
    """Let documents refer to a method although its class belongs to the library.

    For routines that the library ships with handlers of their own.
    """
    setattr(function, _REFERABLE, True)
    return function


def reference_to(function: object, owner: object, owner_label: str = "") -> str:
    """Return the name of a callable: `self.method`, `package.module:function` or `builtins:len`.

    Raises CallableReferenceError, with what to use instead, for a callable that no name leads back to
    (page: Handler Method Validation). `owner_label` is how the message calls the owner.
    """
    if isinstance(function, MethodType):
        return _method_reference(function, owner, owner_label or label_of(owner))
    if isinstance(function, FunctionType):
        return _function_reference(function)
    if isinstance(function, BuiltinFunctionType) and _HARMLESS.get(function.__name__) is function:
        return f"builtins:{function.__name__}"
    raise _nameless(function)


def label_of(owner: object) -> str:
    """Return how messages call an object: what its `_reference_label()` says, or its class; a class has a name."""
    if isinstance(owner, type):
        return owner.__name__
    label = getattr(owner, "_reference_label", None)
    return str(label()) if callable(label) else type(owner).__name__


def resolve_reference(text: object, owner: object, path: str = "value") -> Callable[..., Any]:
    """Return the callable a reference names. Imports nothing and runs nothing.

    Raises UntrustedReferenceError for names that documents may not reach, CallableReferenceError for those
    that lead nowhere (design law 8).
    """
    if type(text) is not str:
        raise CallableReferenceError(f"a reference is a text such as 'self.process', not {shown(text)}", path)
    if text.startswith("self."):
        return _resolve_method(text.removeprefix("self."), owner, path)
    module, colon, name = text.partition(":")
    if not colon or not name.isidentifier():
        raise CallableReferenceError(
            f"{shown(text)} is no reference; write 'self.method' or 'package.module:function'", path
        )
    return _resolve_builtin(name, path) if module == "builtins" else _resolve_function(module, name, path)


# methods


def _method_reference(method: MethodType, owner: object, label: str) -> str:
    name = method.__func__.__name__ if isinstance(method.__func__, FunctionType) else repr(method)
    if method.__self__ is not owner:
        raise ForeignMethodError(
            f"Cannot serialize method {name!r} from {label_of(method.__self__)}.\n"
            f"Only methods of the serialized object itself ({label})\n"
            "can be serialized for cross-process execution."
        )
    if _method_of(type(owner), name) is not method.__func__:
        raise CallableReferenceError(
            f"method {name!r} is not what {type(owner).__name__}.{name} says, or is not open to references; "
            "define it under a public name of its own in your class, and decorate with functools.wraps"
        )
    return f"self.{name}"


def _method_of(cls: type[Any], name: str) -> FunctionType | None:
    """Return the function that a class offers under a name, or None if documents may not reach it.

    A name that a class of the library uses is closed, whoever overrides it, unless it is marked referable.
    """
    if name.startswith("__"):
        return None
    found = [(base, base.__dict__[name]) for base in cls.__mro__ if name in base.__dict__]
    open_to_all = all(_is_open(base, function) for base, function in found)
    first = found[0][1] if found and open_to_all else None
    return first if type(first) is FunctionType else None


def _is_open(base: type[Any], function: object) -> bool:
    return not (is_library(base.__module__) or base is object) or hasattr(function, _REFERABLE)


def _resolve_method(name: str, owner: object, path: str) -> Callable[..., Any]:
    function = _method_of(type(owner), name)
    if function is not None:
        return MethodType(function, owner)
    if not name.startswith("__") and hasattr(type(owner), name):
        raise UntrustedReferenceError(f"'self.{name}' is not a method that documents may name", path)
    hint = did_you_mean(name, [own for own in dir(type(owner)) if _method_of(type(owner), own)])
    raise CallableReferenceError(f"{type(owner).__name__} defines no method {shown(name)}{hint}", path)


# functions


def _function_reference(function: FunctionType) -> str:
    module = real_module(function.__module__ or "")
    if is_library(module) or _find_function(module, function.__name__) is not function:
        raise _nameless(function)
    return f"{module}:{function.__name__}"


def _find_function(module: str, name: str) -> FunctionType | None:
    """Return a function defined at the top of a module that has been imported."""
    loaded = sys.modules.get("__main__" if module == real_module("__main__") else module)
    function = None if loaded is None else loaded.__dict__.get(name)
    if type(function) is not FunctionType or function.__qualname__ != name:
        return None
    return function if real_module(function.__module__ or "") == module else None


def _resolve_function(module: str, name: str, path: str) -> Callable[..., Any]:
    if is_library(module) or not REGISTRY.trusts(module):
        raise UntrustedReferenceError(
            f"functions of module {shown(module)} cannot be named by documents here; "
            f"if it is yours, import it and call serilux.trust({shown(module)}) before reading",
            path,
        )
    function = _find_function(module, name)
    if function is None:
        raise CallableReferenceError(
            f"module {shown(module)} is not imported, or defines no function {shown(name)} at its top", path
        )
    return function


def _resolve_builtin(name: str, path: str) -> Callable[..., Any]:
    if name not in _HARMLESS:
        raise UntrustedReferenceError(
            f"builtin {shown(name)} cannot be named by documents; these can: {', '.join(_HARMLESS)}", path
        )
    return _HARMLESS[name]


def _nameless(function: object) -> CallableReferenceError:
    return CallableReferenceError(f"{_described(function)} has no name to be found by; {_advice(function)}")


def _described(function: object) -> str:
    name = getattr(function, "__qualname__", None)
    return f"{type(function).__name__} {name!r}" if isinstance(name, str) else f"a {type(function).__name__}"


def _advice(function: object) -> str:
    if isinstance(function, type):
        return "wrap the class in a function at the top of a module"
    if isinstance(function, partial):
        return "write a function at the top of a module, or a method that reads its arguments from a field"
    if isinstance(function, BuiltinFunctionType):
        return f"these builtins have: {', '.join(_HARMLESS)}; wrap others in a function of your own"
    if isinstance(function, FunctionType):
        return "lambdas and nested functions have none: define it at the top of a module, or as a method"
    return "use a function defined at the top of a module, or a method of the object itself"
