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


_LEFT: set[str] = set()
"""The owners that this process was, and is no more, although it lives; a store may not know it."""


def note_that_it_left(owner: str) -> None:
    """Know that an owner of this process has closed its store, and runs nothing for it any more."""
    _LEFT.add(owner)


def is_gone(owner: str, silence: float | None) -> bool:
    """Whether an owner has died: at once if it ran here, else after a silence of more than `LEASE` seconds.

    `silence` is None for an owner that has left, or never shown itself. Nothing unsafe follows from a wrong answer: an
    owner that is taken over cannot commit any more (law 6).
    """
    if owner in _LEFT:
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
