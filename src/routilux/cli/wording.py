"""What errors of the library tell a program to do, in words for whoever types commands."""

import re
from ast import literal_eval
from collections.abc import Callable
from re import Match

from routilux.cli.invocation import Invocation

Words = str | Callable[[Match[str], Invocation], str]


def _who_registers_it(given: Invocation) -> str:
    if not given.apps:
        return "give the module that registers it with --app MODULE"
    one, them = ("module", "does") if len(given.apps) == 1 else ("modules", "do")
    return (
        f"the {one} given ({', '.join(given.apps)}) {them} not register it; was it renamed, or is it another module's?"
    )


_WORDS: tuple[tuple[str, Words], ...] = (
    (
        r"import its module before reading, and decorate it with @serilux\.register_serializable",
        lambda found, given: _who_registers_it(given),
    ),
    (
        r"set it with flow\.routines\[.+?\]\.set_config\(.+?=\.\.\.\), or "
        r"give it with flow\.resources\[(.+?)\] = \.\.\.",
        r"give \1 in `routilux_resources` of an --app module",
    ),
    (
        r"(?:give it with )?flow\.resources\[(.+?)\] = \.\.\.(?:, or Flow\(resources=\.\.\.\))?",
        r"give it in `routilux_resources` of an --app module",
    ),
    (
        r"get it with store\.load\((.+?)\), or start the new one under another id",
        lambda found, given: (
            f"look at it with `{given.plain('show', literal_eval(found[1]))}`, or give another --job-id"
        ),
    ),
    (
        r"start the new one under another id, or delete what is left of it first",
        "give another --job-id, or `routilux delete` what is left of it first",
    ),
    (r"ask that by way of the store .*\(flow\.resume\)", "`routilux resume --take-over` takes it over"),
    (r"it is the `transfer` of this error", "its document was written to stderr before this"),
    (r"take it back with reclaim=True", "`routilux import --reclaim` takes it back"),
    (r"\bsee max_size\b", "see --max-size"),
    (r"the keys are: none", "give the file of its keys with --key-file"),
    (r"give a KeyRing with one for (\S+)", r"`routilux keys FILE --add \1` makes one, for --key-file"),
)
_TABLE = tuple((re.compile(pattern), words) for pattern, words in _WORDS)


def for_the_command_line(message: str, given: Invocation) -> str:
    """A message whose advice is one that can be typed; `given` is the command that it is about."""
    for pattern, words in _TABLE:
        message = pattern.sub(_with(words, given), message)
    return message


def _with(words: Words, given: Invocation) -> str | Callable[[Match[str]], str]:
    if isinstance(words, str):
        return words
    say = words
    return lambda found: say(found, given)
