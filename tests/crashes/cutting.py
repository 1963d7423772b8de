"""A connection to PostgreSQL that is cut where a test says: what the server has done by then, nobody hears of."""

import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread
from urllib.parse import quote

from psycopg.conninfo import conninfo_to_dict

_PORT = ".s.PGSQL.5432"


class Cut:
    """One cut: in place of the next answer once `mark` was in a question, and `then` in that or a later one.

    A mark that is in an answer keeps that back. `is_made` tells whether it has come to it.
    """

    def __init__(self, mark: bytes, then: bytes = b"") -> None:
        self._mark = mark
        self._then = then
        self._is_armed = self._is_due = self.is_made = False

    def hears(self, question: bytes) -> None:
        """Look at what is asked."""
        if not self.is_made:
            self._is_armed = self._is_armed or self._mark in question
            self._is_due = self._is_due or (self._is_armed and self._then in question)

    def falls(self, answer: bytes) -> bool:
        """Whether the connection ends here."""
        falls = not self.is_made and (self._is_due or self._mark in answer)
        self.is_made = self.is_made or falls
        return falls


@contextmanager
def cut_off(url: str, cut: Cut) -> Iterator[str]:
    """A server's URL by way of somebody who passes on what is said, but for the cut."""
    given = conninfo_to_dict(url)
    with tempfile.TemporaryDirectory(prefix="cut-") as folder, socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{folder}/{_PORT}")
        listener.listen()
        Thread(target=_accept, args=(listener, Path(str(given["host"]), _PORT), cut), daemon=True).start()
        parameters = "&".join(f"{name}={quote(str(value))}" for name, value in given.items() if name == "options")
        yield f"postgresql://{given['user']}@/{given['dbname']}?host={quote(folder, safe='')}&{parameters}"
        listener.shutdown(socket.SHUT_RDWR)


def _accept(listener: socket.socket, server: Path, cut: Cut) -> None:
    with suppress(OSError):  # it was closed
        while True:
            asking = listener.accept()[0]
            answering = socket.socket(socket.AF_UNIX)
            answering.connect(str(server))
            Thread(target=_ask, args=(asking, answering, cut), daemon=True).start()
            Thread(target=_answer, args=(answering, asking, cut), daemon=True).start()


def _ask(asking: socket.socket, answering: socket.socket, cut: Cut) -> None:
    with suppress(OSError):
        while question := asking.recv(1 << 20):
            cut.hears(question)
            answering.sendall(question)
        answering.shutdown(socket.SHUT_WR)


def _answer(answering: socket.socket, asking: socket.socket, cut: Cut) -> None:
    with suppress(OSError), asking, answering:
        while (answer := answering.recv(1 << 20)) and not cut.falls(answer):
            asking.sendall(answer)
        asking.shutdown(socket.SHUT_RDWR)
