"""Who runs a stored job: a process, told apart from all others, also from a later one with the same number."""

import json
import os
import socket
from functools import cache
from pathlib import Path
from typing import Any

LEASE = 30.0
"""Seconds without a heartbeat after which an owner on another host counts as gone."""


def this_process() -> str:
    """The name of this process as an owner; each call gives a new one."""
    about = {
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "started": _started(os.getpid()),
        "machine": _machine(),
        "key": os.urandom(8).hex(),
    }
    return json.dumps(about, sort_keys=True)


def is_of_this_machine(owner: str) -> bool:
    """Whether it is known here, without asking anybody, if an owner lives."""
    machine = _about(owner).get("machine")
    return bool(machine) and machine == _machine()


_NOT_TOLD: set[str] = set()
"""The owners that this process was, and is no more, although it lives: their stores could not be told."""


def note_that_it_left(owner: str) -> None:
    """Know that an owner of this process runs nothing any more, although its store lists it as before."""
    _NOT_TOLD.add(owner)


def said_to_be_gone(owner: str) -> str:
    """The name under which one who has died goes on to be the owner of a job, since nobody has noted its death."""
    return owner if is_said_to_be_gone(owner) else f"{_GONE}{shown(owner)}"


def is_said_to_be_gone(owner: str) -> bool:
    """Whether it is known by its name that an owner has died."""
    return owner.startswith(_GONE)


_GONE = "gone: "


def is_gone(owner: str, silence: float | None) -> bool:
    """Whether an owner has died: at once if it ran here, else after a silence of more than `LEASE` seconds.

    `silence` is None for an owner that has left, or never shown itself. Nothing unsafe follows from a wrong answer: an
    owner that is taken over cannot commit any more (law 6).
    """
    if owner in _NOT_TOLD:
        return True
    if is_of_this_machine(owner):
        about = _about(owner)
        return _started(about.get("pid", 0)) != about.get("started")
    return silence is None or silence > LEASE


def shown(owner: str) -> str:
    """An owner as people would name it."""
    about = _about(owner)
    return f"process {about['pid']} on {about['host']}" if {"pid", "host"} <= about.keys() else owner


def _about(owner: str) -> dict[str, Any]:
    try:
        about = json.loads(owner)
    except ValueError:
        return {}
    return about if isinstance(about, dict) else {}


@cache
def _machine() -> str | None:
    """What numbers of processes are unique in: this boot of this machine, and the space of numbers we are in."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return None


def _started(pid: int) -> str | None:
    """When a process was started, as its machine counts; None where it runs no more."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else fields[19]
