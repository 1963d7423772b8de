"""Which activation runs on this thread or in this coroutine."""

from contextvars import ContextVar
from typing import Any

current: ContextVar[Any] = ContextVar("routilux_activation", default=None)
get_current = current.get  # methods of C that are looked up once: of an imported name, that is done at each call
set_current = current.set
updating: ContextVar[bool] = ContextVar("routilux_updating", default=False)
"""Whether a function is being asked for new shared data from outside of any handler, under the job's lock."""
