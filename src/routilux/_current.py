"""Which activation runs on this thread or in this coroutine."""

from contextvars import ContextVar
from typing import Any

current: ContextVar[Any] = ContextVar("routilux_activation", default=None)
