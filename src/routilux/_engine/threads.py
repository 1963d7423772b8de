"""How this library starts its threads, and what is told of those that come to grief."""

import _thread
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from routilux.errors import NoThreadError

_NO_THREAD = ("can't start new thread", "can't create new thread at interpreter shutdown")


def start_thread(name: str, run: Callable[..., object], *args: Any, daemon: bool = True) -> threading.Thread:
    """Run a function on a thread of its own; NoThreadError where the system gives none.

    Nor does an interpreter that ends: up to Python 3.11 whoever starts one waits for it for ever. Where what a signal
    raises comes out of this, the thread may run, and may not. A process that ends waits for it unless it is a `daemon`.
    """
    if sys.is_finalizing():
        raise no_thread(name, RuntimeError("the interpreter ends"))
    thread = threading.Thread(target=run, args=args, name=name, daemon=daemon)
    try:
        thread.start()
    except (RuntimeError, MemoryError) as error:
        if _is_of_a_signal(error):
            raise
        raise no_thread(name, error) from error
    return thread


def start_nameless(purpose: str, run: Callable[[], object]) -> None:
    """Run a function, which raises nothing, on a daemon thread; NoThreadError where the system gives none.

    This is one call of C, which no signal breaks off. `Thread.start` is Python code, which waits for the thread: what
    a signal raises there may leave one that runs, one that ends at once, or one that waits for ever. Python names
    it, as any that it has not started so (`Dummy-1`), when it is asked for.
    """
    if sys.is_finalizing():
        raise no_thread(purpose, RuntimeError("the interpreter ends"))
    try:
        _thread.start_new_thread(_run_observed, (run,))
    except (RuntimeError, MemoryError) as error:
        if _is_of_a_signal(error):
            raise
        raise no_thread(purpose, error) from error


def _run_observed(run: Callable[[], object]) -> None:
    """Have debuggers and measures of coverage see it, as any thread."""
    if (trace := threading.gettrace()) is not None:
        sys.settrace(trace)
    if (profile := threading.getprofile()) is not None:
        sys.setprofile(profile)
    try:
        run()
    finally:
        _forget_name()


def _forget_name() -> None:
    """Leave nothing behind of a thread that Python has named itself: before 3.13 it counts those as alive for ever."""
    active = getattr(threading, "_active", {})
    if isinstance(active.get(threading.get_ident()), threading._DummyThread):
        active.pop(threading.get_ident(), None)


def _is_of_a_signal(error: Exception) -> bool:
    """Whether it is not what Python raises where there is no thread: a signal's handler may raise anything."""
    return str(error) not in _NO_THREAD and (type(error) is not MemoryError or bool(error.args))


def hears_signals() -> bool:
    """Whether the calling thread is the main one: what signals raise is raised there, at any moment."""
    return threading.get_ident() == threading.main_thread().ident


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
