"""A routine as a part of its flow's document: what is refused names it."""

from typing import Any

from routilux.routine import Routine
from serilux import check_constructible, construct, lookup_class, read_part, registered_name
from serilux.errors import ConstructorError, DocumentError, SeriluxError, UnsupportedValueError


def check_constructor(routine_id: str, routine: Routine) -> None:
    """Refuse a routine that a reader could not build (page: Constructor Requirements)."""
    try:
        check_constructible(type(routine))
    except ConstructorError as error:
        error.reason = f"Routine {routine_id!r} ({type(routine).__name__}) cannot be serialized:\n{error.reason}"
        raise
    if routine._has_arguments:
        name = type(routine).__name__
        raise UnsupportedValueError(
            f"Routine {routine_id!r} was made with arguments, which are in no document: whoever reads it makes "
            f"{name}(), which is another one. Make it so, and give it what it needs by set_config(...)",
            f"routines.{routine_id}",
        )


def write_routine(routine_id: str, routine: Routine) -> dict[str, Any]:
    """The document of a routine."""
    try:
        return routine.serialize()
    except SeriluxError as error:
        if error.path:
            error.without_root(registered_name(type(routine)))
            error.under(f"routines.{routine_id}")
        raise


def read_routine(routine_id: str, document: Any) -> Routine:
    """The routine that a document describes, of the class that it names."""
    if not routine_id:
        raise DocumentError("a routine's id is a name, not ''", path="routines")
    path = f"routines.{routine_id}"
    name = _checked(_checked(document, dict, path).get("_type"), str, f"{path}._type")
    cls = lookup_class(name, f"{path}._type")
    if not issubclass(cls, Routine):
        raise DocumentError(f"{name!r} is no Routine class", path=f"{path}._type")
    routine = construct(cls, path)
    read_part(routine, document, path)
    return routine


def _checked(document: Any, shape: type[Any], path: str) -> Any:
    if type(document) is not shape:
        raise DocumentError(f"a {shape.__name__} is expected, not {type(document).__name__}", path=path)
    return document
