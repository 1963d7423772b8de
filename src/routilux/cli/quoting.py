"""Commands as a shell reads them, whatever is in their words."""

import os
import shlex
import sys
from collections.abc import Iterable, Sequence


def command_of(verb: str, argument: str, options: Sequence[str]) -> str:
    """A command whose argument is not taken for an option, whatever it begins with."""
    if argument.startswith("-"):
        return in_shell(["routilux", verb, *options, "--", argument])
    return in_shell(["routilux", verb, argument, *options])


def in_shell(words: Iterable[str]) -> str:
    r"""Words as a command that can be typed, or copied from where it was printed.

    A word that could not be printed as it is stands in `$'...'`, its bytes as `\ooo`: so it is read by bash, zsh, ksh,
    and by every shell that is as POSIX says since 2024.
    """
    return " ".join(map(_quoted, words))


def _quoted(word: str) -> str:
    if word.isprintable() and _can_be_written(word):
        return shlex.quote(word)
    return f"$'{''.join(map(_escaped, _as_bytes(word)))}'"


def _can_be_written(word: str) -> bool:
    try:
        word.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _as_bytes(word: str) -> bytes:
    """What a shell has to pass on; where this process could not have been given it, as another one can be."""
    try:
        return os.fsencode(word)
    except UnicodeEncodeError:
        return word.encode("utf-8", "surrogateescape")


def _escaped(byte: int) -> str:
    return chr(byte) if 32 <= byte < 127 and byte not in b"\\'" else f"\\{byte:03o}"
