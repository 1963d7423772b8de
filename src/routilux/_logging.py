"""Where this library tells operators what happens to jobs; nothing is printed unless an application asks.

What is told of is rare, and logging slow to import: it is loaded with the first that is told, or with a store.
"""

import logging
import threading
from contextlib import suppress
from typing import Any

from routilux._midst import in_the_middle

LOGGER = logging.getLogger("routilux")
LOGGER.addHandler(logging.NullHandler())
_OF_PYTHON = logging.Handler()


class SafeLogger:
    """Logs what an application's filters and handlers let it; what these raise is theirs, and stops no job or thread.

    It is shown as Python shows what handlers cannot do: on stderr, unless `logging.raiseExceptions` is False.
    """

    def info(self, words: str, *args: object, extra: dict[str, Any]) -> None:
        """Tell what operators may want to know."""
        _tell(logging.INFO, words, args, extra)

    def warning(self, words: str, *args: object, extra: dict[str, Any]) -> None:
        """Tell what operators should look at."""
        _tell(logging.WARNING, words, args, extra)

    def error(self, words: str, *args: object, extra: dict[str, Any]) -> None:
        """Tell what has gone wrong."""
        _tell(logging.ERROR, words, args, extra)


def _tell(level: int, words: str, args: tuple[object, ...], extra: dict[str, Any]) -> None:
    try:
        in_the_middle(LOGGER.log, level, words, *args, extra=extra, stacklevel=4)
    except BaseException as error:
        if not isinstance(error, Exception) and threading.current_thread() is threading.main_thread():
            raise  # a signal's, as Ctrl-C and `sys.exit` of its handler are
        with suppress(Exception):  # there may be no stderr any more
            _OF_PYTHON.handleError(logging.LogRecord(LOGGER.name, level, __file__, 0, words, args, None))


logger = SafeLogger()
