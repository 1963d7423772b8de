"""Texts that users give: what may be a name, an id or a reason, wherever it is given; and how a text is shown."""

from routilux.errors import DefinitionError
from serilux import clone
from serilux.errors import UnsupportedValueError

LONGEST_ID = 255
"""Characters of the id of a job or a flow."""


def text_problem(text: str) -> str:
    """Why no document can hold a text, and what to do; "" where it can (law 9)."""
    if text.isascii():  # nearly every one
        return ""
    try:
        clone(text)
    except UnsupportedValueError:
        return (
            f"{shown_text(text)} has a lone surrogate, which no document can hold; decode it properly, or leave it out"
        )
    return ""


def id_problem(given: str) -> str:
    """Why a text cannot be an id that every store, log and command line can hold; "" where it can."""
    if len(given) > LONGEST_ID:
        return f"at most {LONGEST_ID} characters, not {len(given)}; use a digest of {given[:20]!r}..."
    if not given.isprintable():
        return f"printable characters only, which {given!r} has not; use a digest of it"
    return ""


def checked_text(text: object, what: str) -> str:
    """A text that documents can hold, or DefinitionError; `what` it is begins the message."""
    if type(text) is not str:
        raise DefinitionError(f"{what} is a text, not {text!r}")
    if problem := text_problem(text):
        raise DefinitionError(f"{what}: {problem}")
    return text


def checked_name(name: object, what: str) -> str:
    """A text that is not empty and that documents can hold, or DefinitionError."""
    if type(name) is not str or not name:
        raise DefinitionError(f"{what} is a name, not {name!r}")
    return checked_text(name, what)


def checked_id(given: object, what: str) -> str:
    """An id that every store, log and command line can hold, or DefinitionError."""
    if type(given) is not str or not given:
        raise DefinitionError(f"{what} is a text that is not empty, not {given!r}")
    if problem := id_problem(given):
        raise DefinitionError(f"{what} has {problem}")
    return given


def printable(text: str, keeping: str = "") -> str:
    """A text as it may be printed: what is not printable, but for the characters `keeping`, is escaped as by `repr`.

    So no name and no message can forge a line, or give orders to a terminal.
    """
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() or each in keeping else repr(each)[1:-1] for each in text)


def shown_text(text: str) -> str:
    """The beginning of a text, for a message."""
    return repr(text) if len(text) <= _SHOWN else f"{text[:_SHOWN]!r}..."


_SHOWN = 60
