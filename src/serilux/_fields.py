"""Fields: the named ones of an object, and those that a document must or may have."""

from collections.abc import Callable, Iterable
from functools import lru_cache, partial
from inspect import Parameter, signature
from typing import Any, ClassVar, Protocol, TypeVar

from serilux._json import did_you_mean, one_of, shown, step_to
from serilux._registry import registered_name
from serilux.errors import ConstructorError, DocumentError, SeriluxError, UnsupportedValueError

TYPE_KEY = "_type"
_DEFAULT_MARK = "_serilux_default"
_SHOWN = 20
"""How many unknown fields a message spells out."""
_Method = TypeVar("_Method", bound=Callable[..., Any])


class FieldOwner:
    """An object that says which of its attributes are written."""

    _serializable_fields: tuple[str, ...] = ()
    _may_be_data: ClassVar[bool] = True
    """Whether objects of the class may stand in data of their own; if not, only the fields of an object hold them."""

    def add_serializable_fields(self, names: Iterable[str]) -> None:
        """Name attributes that belong into the document, in this order; call it in `__init__`.

        Raises TypeError or ValueError for names that no attribute can have (page: Serializable Fields).
        """
        if isinstance(names, str):
            raise TypeError(f"add_serializable_fields takes a list of names; write [{names!r}]")
        added = list(names)
        for name in added:
            _check_field_name(name)
        self._serializable_fields = tuple(dict.fromkeys([*self._serializable_fields, *added]))

    def field_values(self) -> dict[str, Any]:
        """Return the registered fields. Raises UnsupportedValueError for one that was never set."""
        for name in self._serializable_fields:
            if not hasattr(self, name):
                reason = f"{type(self).__name__} has no such attribute; set it in __init__"
                raise UnsupportedValueError(reason, f".{name}")
        return {name: getattr(self, name) for name in self._serializable_fields}

    def set_fields(self, values: dict[str, Any]) -> None:
        """Set all of the fields, or, if one is refused, none."""
        former = dict(vars(self))
        try:
            for name, value in values.items():
                called(type(self), partial(setattr, self, name, value))
        except SeriluxError as error:
            error.under(step_to(name))
            vars(self).clear()
            vars(self).update(former)
            raise


def _check_field_name(name: object) -> None:
    if type(name) is not str:
        raise TypeError(f"a field is named by a str, not by {shown(name)}")
    if not name.isidentifier() or name == TYPE_KEY or name.startswith("__"):
        raise ValueError(f"{name!r} cannot be the name of a field; use the name of an attribute")


class Documented(Protocol):
    """An object that writes and reads a document of its own making."""

    def serialize(self) -> dict[str, Any]:
        """Return the document."""
        ...

    def deserialize(self, data: dict[str, Any]) -> None:
        """Read the document into the object."""
        ...


def called(cls: type[Any], make: Callable[[], Any]) -> Any:
    """Run code of a user's class while reading, with its errors as errors of the document."""
    try:
        return make()
    except SeriluxError as error:
        error.without_root(registered_name(cls))
        raise
    except Exception as error:
        raise DocumentError(f"{cls.__name__} refused its data: {type(error).__name__}: {error}") from error


def default_document(method: _Method) -> _Method:
    """Mark the methods that write or read nothing but the registered fields."""
    setattr(method, _DEFAULT_MARK, method)
    return method


def has_own_document(cls: type[Any]) -> bool:
    """Tell whether a class has a `serialize` or `deserialize` of its own."""
    return not all(getattr(method, _DEFAULT_MARK, None) is method for method in (cls.serialize, cls.deserialize))


def read_object(
    document: object, path: str, *, required: Iterable[str] = (), optional: Iterable[str] = ()
) -> dict[str, Any]:
    """Return a document of fixed shape: a dict with all required, some optional and no other fields.

    Raises one DocumentError that lists everything wrong, each with its path (design law 8).
    """
    if type(document) is not dict:
        raise DocumentError(f"expected an object, found {shown(document)}", path)
    needed = list(required)
    known = [*needed, *optional]
    problems = [f"{_field(path, name)} is missing" for name in needed if name not in document]
    unknown = [key for key in document if key not in known]
    problems += [_unknown(key, known, path) for key in unknown[:_SHOWN]]
    problems += [f"{len(unknown) - _SHOWN} more are unknown"] if len(unknown) > _SHOWN else []
    if problems:
        raise DocumentError("; ".join(problems) + f"; the fields are: {one_of(known)}", path)
    return document


def _unknown(key: object, known: list[str], path: str) -> str:
    hint = did_you_mean(key, known) if isinstance(key, str) else ""
    return f"{_field(path, key)} is unknown{hint}"


def _field(path: str, key: object) -> str:
    return f"{path}{step_to(key)}".removeprefix(".")


def check_constructible(cls: type[Any]) -> None:
    """Raise ConstructorError unless `cls()` can be called (page: Constructor Requirements)."""
    parameters = _required_parameters(cls)  # type: ignore[arg-type]  # mypy doubts that a class is hashable
    if parameters:
        raise ConstructorError(cls.__name__, parameters)


@lru_cache(maxsize=1024)
def _required_parameters(cls: type[Any]) -> tuple[str, ...]:
    return tuple(parameter.name for parameter in named_parameters(cls) if parameter.default is Parameter.empty)


def named_parameters(cls: type[Any]) -> list[Parameter]:
    """Return the parameters of a constructor that have a name to the caller."""
    parameters = list(signature(cls.__init__).parameters.values())[1:]
    return [parameter for parameter in parameters if parameter.kind not in _GATHERING]


_GATHERING = (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)
