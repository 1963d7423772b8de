"""The least loop that leaves behind what a job leaves: nothing in it can fail, be paused, wait, or run beside it.

It makes what each activation has to have: a task that can be saved, an activation that is told from all others, two
records with their times, and its commit under a lock. How much more a whole engine takes is what that is worth.
"""

from collections import deque
from contextvars import ContextVar
from threading import RLock
from time import time
from typing import Any

from msgspec import Struct

from serilux import is_fixed

Data = dict[str, Any]


class Record(Struct, gc=False):
    """A line of the history."""

    step: str
    event: str
    content: Data
    at: float


class Task(Struct, gc=False):
    """Data on its way to a step."""

    number: int
    step: str
    data: Data
    since: float


class Activation(Struct):
    """One call of a step, and what it has emitted."""

    task: Task
    started: Record
    outbox: list[Record]


_current: ContextVar[Activation] = ContextVar("current")


class LeastStep:
    """Hands on what it is given."""

    def __init__(self, name: str) -> None:
        self.name = name

    def pass_on(self, left: int) -> None:
        """Emit it."""
        self.emit("out", left=left)

    def emit(self, event: str, /, **data: Any) -> None:
        """Send a copy, when the handler returns, to the next step."""
        activation = _current.get()
        if not is_fixed(data):
            raise ValueError(f"{data!r} can be in no document")
        activation.outbox.append(Record(self.name, event, data, time()))


class LeastChain:
    """So many steps in a row."""

    def __init__(self, length: int) -> None:
        self._handlers = {f"step_{number}": LeastStep(f"step_{number}").pass_on for number in range(length)}
        self._next = {f"step_{number}": f"step_{number + 1}" for number in range(length - 1)}

    def run(self, data: Data) -> list[Record]:
        """Run the first step, and all that follows from it; the history."""
        lock, history = RLock(), list[Record]()
        ready, active, states = deque([Task(0, "step_0", data, time())]), dict[int, Task](), dict[str, str]()
        while ready:
            with lock:
                task = ready.popleft()
                active[task.number] = task
                activation = Activation(task, Record(task.step, "start", task.data, time()), [])
            _current.set(activation)
            self._handlers[task.step](**task.data)
            with lock:
                del active[task.number]
                states[task.step] = "completed"
                history.append(activation.started)
                for record in activation.outbox:
                    history.append(record)
                    if (step := self._next.get(record.step)) is not None:
                        ready.append(Task(task.number + 1, step, record.content, record.at))
        return history
