"""The least that any library would have to do: what figures are compared with."""

import asyncio
import os
import queue
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

from bench.pairs import seconds

Entry = tuple[Callable[..., None], dict[str, Any]]


class BareRoutine:
    """Has a method to call, as plain as can be."""

    def take(self, index: int) -> None:
        """Do nothing."""


def bare_queue(items: int) -> deque[Entry]:
    """A deque of bound methods and their keywords."""
    routine = BareRoutine()
    return deque((routine.take, {"index": index}) for index in range(items))


def bare_step(steps: int) -> float:
    """Seconds for one step of the bare loop: pop from a deque, call a bound method with keywords, push."""
    return seconds(lambda: _bare_loop(steps)) / steps


def _bare_loop(steps: int) -> None:
    queue = bare_queue(1)
    for _ in range(steps):
        method, keywords = queue.popleft()
        method(**keywords)
        queue.append((method, keywords))


def hand_over(rounds: int) -> float:
    """Seconds for a question to another thread and its answer."""
    questions: queue.Queue[int | None] = queue.Queue()
    answers: queue.Queue[int] = queue.Queue()

    def answer() -> None:
        while (question := questions.get()) is not None:
            answers.put(question)

    def ask() -> None:
        for number in range(rounds):
            questions.put(number)
            answers.get()

    thread = threading.Thread(target=answer)
    thread.start()
    taken = seconds(ask)
    questions.put(None)
    thread.join()
    return taken / rounds


def sleepers(count: int, pause: float) -> float:
    """Seconds for so many coroutines that sleep at once, on an event loop of their own."""

    async def sleep_all() -> None:
        await asyncio.gather(*(asyncio.sleep(pause) for _ in range(count)))

    return seconds(lambda: asyncio.run(sleep_all()))


def python_process(code: str) -> float:
    """Seconds for a whole Python process that runs a line of code, with bytecode cached as anywhere else."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, "-c", code]
    return seconds(lambda: subprocess.run(command, check=True, timeout=60, env=environment))
