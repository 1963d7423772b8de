"""What a page shows of a terminal: commands behind `$`, and under each what it prints."""

import re
from doctest import ELLIPSIS, OutputChecker
from shlex import quote

_SAID = ("pip install", "make", "python3 -m venv", ". .venv/bin/activate", "git clone")
_KILLED = re.compile(r"^\S*bash: line \d+: +\d+ Killed .*$", re.MULTILINE)
_MASKS = (
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(\+00:00|Z)"), "<time>"),
    (re.compile(r"\b[0-9a-f]{32}\b"), "<id>"),
    (re.compile(r"\b[\d,]+\.\d/s"), "<rate>"),
    (re.compile(r"\b\d+\.\d+ s\b"), "<seconds>"),
)


def commands_of(transcript: str) -> list[str]:
    """The commands of a transcript; a line behind `> ` goes on with the one before it."""
    commands: list[str] = []
    for line in transcript.splitlines():
        if line.startswith("$ "):
            commands.append(line[2:])
        elif line.startswith("> ") and commands:
            commands[-1] += f"\n{line[2:]}"
    return commands


def is_said_only(command: str) -> bool:
    """Whether a command is not run by tests: it would fetch or build something; `test_docs` looks at what it names."""
    return command.startswith(_SAID)


def script_of(transcript: str) -> str:
    """The commands for one shell, which prints each before it runs it, as a terminal shows it."""
    lines = ["exec 2>&1", "last=0"]
    for command in commands_of(transcript):
        shown = "$ " + command.replace("\n", "\n> ")
        lines.append(f"printf '%s\\n' {quote(shown)}")
        if not is_said_only(command):
            lines += ["(exit $last)", command, "last=$?"]
    return "\n".join(lines)


def as_shown(printed: str) -> str:
    """What a shell has printed as a person at a terminal sees it."""
    return _KILLED.sub("Killed", printed)


def masked(text: str) -> str:
    """The same without what differs from run to run: times, ids, rates, durations."""
    for pattern, name in _MASKS:
        text = pattern.sub(name, text)
    return text


def agrees(transcript: str, printed: str) -> bool:
    """Whether that is what was printed; `...` on the page stands for anything."""
    return OutputChecker().check_output(masked(transcript), masked(as_shown(printed)), ELLIPSIS)
