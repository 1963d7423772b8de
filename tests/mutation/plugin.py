"""A plugin for `make mutation`: pytest collects the tests once, and each mutant is tried in a fork of it.

The tests that killed a mutant of the same function are asked first, then the fastest: the first that fails is the last.
"""

import gc
import os
import resource
import signal
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, NoReturn

import pytest
from mutmut.mutation import trampoline

from tests.mutation.mutants import NO_TESTS, TIMEOUT, Mutant, chosen, read_notes, record

MEMORY = 4 << 30
"""Bytes, after which a mutant that collects without end has failed."""
PATIENCE = 3_600
"""Seconds, after which a mutant that waits without end is given up."""
SPARE = 3.0
"""Seconds of the processor beyond ten times what a test takes."""

sys.setrecursionlimit(4 * sys.getrecursionlimit())  # mutmut calls each function by way of two more


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("mutation")
    group.addoption("--mutants", help="try the mutants whose name matches")
    group.addoption(
        "--mutants-sample", type=int, help="only the first so many of them, in an order drawn with a fixed seed"
    )
    group.addoption("--mutants-again", type=int, help="those with this result, instead of those that have none")
    group.addoption("--mutants-seconds", type=float, default=float("inf"), help="of tests for each")
    group.addoption("--mutants-workers", type=int, default=2)


def pytest_runtestloop(session: pytest.Session) -> bool | None:
    option = session.config.option
    if option.mutants is None:
        return None
    mutants = chosen(Path(), option.mutants, option.mutants_sample, option.mutants_again)
    gc.freeze()
    Trials(session.items, option.mutants_seconds).run(mutants, option.mutants_workers)
    return True


class Running(NamedTuple):
    """A mutant on trial, and where its process says which test has failed."""

    mutant: Mutant
    killer: int


class Trials:
    """Tries mutants, several at a time."""

    def __init__(self, items: Sequence[pytest.Item], seconds: float) -> None:
        self._notes = read_notes(Path())
        self._items = {item.nodeid: item for item in items}
        self._seconds = seconds
        self._killers: dict[str, list[str]] = defaultdict(list)
        self._sound: set[str] = set()
        self._running: dict[int, Running] = {}
        self._done = 0

    def run(self, mutants: list[Mutant], workers: int) -> None:
        start = time.monotonic()
        for mutant in mutants:
            if len(self._running) == workers:
                self._await_one()
            if tests := self._tests_of(mutant):
                self._start(mutant, tests)
            else:
                record(mutant, NO_TESTS)
        while self._running:
            self._await_one()
        print(f"\n{len(mutants)} mutants in {time.monotonic() - start:.0f} s", flush=True)

    def _tests_of(self, mutant: Mutant) -> list[str]:
        """Those that reach it, best first, as many as there is time for."""
        killers = self._killers[mutant.function]
        known = [test for test in self._notes.tests.get(mutant.function, ()) if test in self._items]
        known.sort(key=lambda test: (-killers.count(test), self._notes.seconds[test], test))
        left, tests = self._seconds, []
        for test in known:
            left -= self._notes.seconds[test]
            if left > 0 or not tests:
                tests.append(test)
        return tests

    def _start(self, mutant: Mutant, tests: list[str]) -> None:
        read, write = os.pipe()
        process = self._fork(mutant.name, tests, write)
        os.close(write)
        self._running[process] = Running(mutant, read)

    def _check_sound(self, test: str) -> None:
        """Stop where a test that has killed a mutant fails without one, too."""
        if test not in self._sound:
            nobody = os.open(os.devnull, os.O_WRONLY)
            process = self._fork("", [test], nobody)
            os.close(nobody)
            if os.waitpid(process, 0)[1] != 0:
                pytest.exit(f"{test} fails without a mutant, too", returncode=1)
            self._sound.add(test)

    def _fork(self, name: str, tests: list[str], killer: int) -> int:
        """The process that tries a mutant."""
        process = os.fork()
        if process == 0:
            try_mutant(name, [(self._items[test], self._notes.seconds[test]) for test in tests], killer)
        return process

    def _await_one(self) -> None:
        process, status = os.wait()
        mutant, killer = self._running.pop(process)
        with os.fdopen(killer, encoding="utf-8") as told:
            for test in told.read().splitlines():
                self._killers[mutant.function].append(test)
                self._check_sound(test)
        code = os.waitstatus_to_exitcode(status)
        record(mutant, TIMEOUT if code in (-signal.SIGPROF, -signal.SIGALRM) else code)
        self._done += 1
        if code == 0 or self._done % 100 == 0:
            print(self._done, mutant.name, code, flush=True)


def try_mutant(name: str, tests: list[tuple[pytest.Item, float]], killer: int) -> NoReturn:
    """In a process of its own: 1 with the first test that fails, 0 if none does."""
    code = 3
    try:
        _be_quiet()
        trampoline.get_mutant_under_test = lambda: name
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        signal.alarm(PATIENCE)
        code = 0
        for item, seconds in tests:
            signal.setitimer(signal.ITIMER_PROF, SPARE + 10 * seconds)
            if has_failed(item):
                os.write(killer, item.nodeid.encode())
                code = 1
                break
    finally:
        os._exit(code)


def _be_quiet() -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)


def has_failed(item: pytest.Item) -> bool:
    failed: list[bool] = []

    class Reports:
        def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
            failed.append(report.failed)

    plugins = item.config.pluginmanager
    name = plugins.register(Reports())
    try:
        item.ihook.pytest_runtest_protocol(item=item, nextitem=None)
    finally:
        plugins.unregister(name=name)
    return any(failed)
