"""What is said while a check runs jobs: the log is not troubled with it, and what may be a cause is kept."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from routilux._logging import LOGGER
from routilux.errors import RoutineStateWarning


@contextmanager
def overhearing(job_id: str) -> Iterator[dict[str, None]]:
    """Log nothing of this job, and note each RoutineStateWarning once, which is shown as ever.

    A check runs a job many times, and has each failure in its results. Afterwards all is as it was.
    """
    noted: dict[str, None] = {}
    with _unlogged(job_id), _noting(noted):
        yield noted


@contextmanager
def _unlogged(job_id: str) -> Iterator[None]:
    """Keep from the log what is said of a job, by whatever thread."""

    def is_of_something_else(record: logging.LogRecord) -> bool:
        return getattr(record, "job_id", None) != job_id

    LOGGER.addFilter(is_of_something_else)
    try:
        yield
    finally:
        LOGGER.removeFilter(is_of_something_else)


@contextmanager
def _noting(noted: dict[str, None]) -> Iterator[None]:
    """Note warnings on their way to whoever shows them."""
    with warnings.catch_warnings():
        shown = warnings.showwarning

        def show(
            message: Warning | str,
            category: type[Warning],
            filename: str,
            lineno: int,
            file: TextIO | None = None,
            line: str | None = None,
        ) -> None:
            if issubclass(category, RoutineStateWarning):
                noted[f"{message} ({filename}:{lineno})"] = None
            shown(message, category, filename, lineno, file, line)

        warnings.showwarning = show
        try:
            yield
        finally:
            warnings.showwarning = shown
