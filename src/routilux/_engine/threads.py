"""How this library starts its threads, and what is told of those that come to grief."""

import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from routilux.errors import NoThreadError


def start_thread(name: str, run: Callable[..., object], *args: Any) -> threading.Thread:
    """Run a function on a daemon thread of its own; NoThreadError where the system gives none.

    Nor does an interpreter that ends: up to Python 3.11 whoever starts one waits for it for ever.
    """
    if sys.is_finalizing():
        raise no_thread(name, RuntimeError("the interpreter ends"))
    thread = threading.Thread(target=run, args=args, name=name, daemon=True)
    try:
        thread.start()
    except (RuntimeError, MemoryError) as error:
        raise no_thread(name, error) from error
    return thread


def no_thread(name: str, error: Exception) -> NoThreadError:
    """What is raised where a thread is needed, and the system gives none."""
    return NoThreadError(
        f"the thread {name!r} cannot be started: {str(error) or type(error).__name__}; nothing has changed. Try again "
        f"when threads are to be had (limits on processes and memory), or have fewer of them (max_workers)"
    )


def tell_of(error: BaseException) -> None:
    """Tell of an error that ends nothing as Python tells of those that end a thread (`threading.excepthook`)."""
    with suppress(BaseException):  # there is nobody left to tell
        args = (type(error), error, error.__traceback__, threading.current_thread())
        threading.excepthook(threading.ExceptHookArgs(args))


def is_mine(lock: Any) -> bool:
    """Whether the calling thread has a lock, which it may take again: a signal may have come in the middle."""
    return bool(lock._is_owned())
