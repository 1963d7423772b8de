"""A stored job whose process is killed, and which another process goes on with."""

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from math import ceil
from pathlib import Path
from signal import SIGKILL
from typing import Any

from routilux._records import Data
from routilux.flow import Flow
from routilux.job_state import JobState
from routilux.testing.checks import Check, Refuted
from routilux.testing.failed_checks import NoOtherHost
from routilux.testing.replays import Place, modules_of
from routilux.testing.stored_runs import HANDLER_RAN, NOTHING_NEW, worst
from routilux.testing.trial import Ran, Trial
from serilux import encode

PATIENCE = 60.0
"""Seconds that another process may take for one run."""


class OtherHosts:
    """Processes that begin as copies of one, which has imported the modules of a flow and nothing else of its tests."""

    def __init__(self, trial: Trial, app: tuple[str, ...]) -> None:
        if not hasattr(os, "fork"):
            raise NoOtherHost("swap_host needs os.fork, which this system does not have", seed=trial.seed)
        modules = sorted({*modules_of(trial), *app})
        if "__main__" in modules:
            raise NoOtherHost(
                f"flow {trial.document['flow_id']!r} is made of what is defined in __main__, which no other process "
                f"can import: put its routines, their functions, and the function that makes the flow, into modules",
                seed=trial.seed,
            )
        command = [sys.executable, "-m", "routilux.testing.other_host"]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
            process_group=0,  # so that they can be killed together: who is left of them has the pipe
        )
        self.are_gone = False
        self._say({"modules": [[name, _file_of(name)] for name in modules], "source": _reference(trial.source)})
        try:
            _checked(self._hear())
        except Refuted:
            self.close()
            raise

    def run(self, request: Data) -> tuple[Data, int]:
        """Have a process do something: the last that it has said, and how it has ended."""
        self._say(request | {"life": ceil(PATIENCE) + 1})
        if "exit" in (said := self._hear()):
            raise Refuted(f"the other process ended with {said['exit']}, and said nothing")
        ended = self._hear()["exit"]
        return _checked(said), ended

    def _say(self, message: Data) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(message) + "\n")
        self._process.stdin.flush()

    def _hear(self) -> Data:
        assert self._process.stdout is not None
        limit = threading.Timer(PATIENCE, self._kill)
        limit.start()
        try:
            line = self._process.stdout.readline()
        finally:
            limit.cancel()
        if not line:
            self.close()
            raise Refuted(f"the other process is gone, or was silent for {PATIENCE:.0f} s; its stderr may say why")
        heard: Data = json.loads(line)
        return heard

    def close(self) -> None:
        """End them, once."""
        if self.are_gone:
            return
        self.are_gone = True
        self._kill()
        self._process.communicate()

    def _kill(self) -> None:
        with suppress(ProcessLookupError):  # all have ended
            os.killpg(self._process.pid, SIGKILL)


def _checked(said: Data) -> Data:
    if "raised" in said:
        raise Refuted(f"the other process raised {said['raised']}")
    return said


class Swap(Check):
    """A process is killed at one moment; another one ends the job."""

    name = "swap_host"
    disturbance = "Going on in another process"

    def __init__(self, app: tuple[str, ...] = (), at: frozenset[int] | None = None) -> None:
        super().__init__()
        self._app = app
        self._at = at
        self._moments: list[str] = []
        self._hosts: OtherHosts | None = None
        self._folder = tempfile.TemporaryDirectory(prefix="routilux-swap-", ignore_cleanup_errors=True)

    def places(self, trial: Trial, undisturbed: Ran) -> Iterator[Place]:
        """None, so that running in another process is all that is done to it; then every moment, or those asked for."""
        yield self._place(0)
        for moment in worst(self._moments, self._at, NOTHING_NEW | {HANDLER_RAN}):
            yield self._place(moment)

    def _place(self, moment: int) -> Place:
        return {"moment": moment, "app": list(self._app)}

    def step(self, place: Place, undisturbed: Ran) -> str:
        """A place in words."""
        if place["moment"] == 0:
            return "in another process, which is not killed"
        return f"{self.evidence.get('moment', 'the first process is killed')} (moment {place['moment']})"

    def run(self, trial: Trial, place: Place) -> Ran:
        """Have one process run the job until it is killed, and another one until the end."""
        if self._hosts is None or self._hosts.are_gone:
            self._hosts = OtherHosts(trial, tuple(place["app"]))
        request = {"most": self.most} | _request(trial, f"sqlite:///{Path(self._folder.name) / 'jobs.db'}")
        said, exit_code = self._hosts.run(request | {"fresh": True, "last": place["moment"] or None})
        if "moment" in said:
            if exit_code != -SIGKILL:
                raise Refuted(f"the first process ended with {exit_code}, where it was to be killed")
            self.evidence = said
            said, _ = self._hosts.run(request | said["progress"])
        if not place["moment"]:
            self._moments = said["moments"]
        return Ran(trial.result(_read(trial, said["job"])), [])

    def close(self) -> None:
        """End all processes, and forget what they wrote."""
        if self._hosts is not None:
            self._hosts.close()
        self._folder.cleanup()


def _request(trial: Trial, url: str) -> Data:
    return {
        "url": url,
        "entry": trial.entry,
        "params": encode(trial.params, "params"),
        "deliveries": encode([list(delivery) for delivery in trial.deliveries], "deliveries"),
        "seed": trial.seed,
        "document": trial.document,
        "job_id": trial.job_id,
    }


def _read(trial: Trial, document: Data) -> JobState:
    job_state = JobState()
    job_state.deserialize(document)
    job_state._live.graph = trial.flow(trial.host())._compile()[0]
    return job_state


def _file_of(module: str) -> str | None:
    return getattr(sys.modules.get(module), "__file__", None)


def _reference(source: Flow | Callable[[], Any]) -> str | None:
    """The name of the function that makes the flow, if another process can find it by that."""
    module, name = getattr(source, "__module__", None), getattr(source, "__qualname__", "")
    found = getattr(sys.modules.get(module or ""), name, None)
    return f"{module}:{name}" if found is source else None
