"""The secrets that are known in this process: what keeps them out of documents, and out of texts.

In data a secret is looked for as it is, and refused. In a text about an error it is looked for in all the ways in which
such texts write things, and in pieces, since they cut long things short; what is found is replaced.
"""

import threading
from base64 import b64decode
from collections import deque
from collections.abc import Iterable
from typing import Any

import msgspec

from routilux._forks import renew_after_fork
from routilux._records import ErrorInfo
from routilux.errors import SecretError
from serilux import encode

Secret = str | bytes
KEPT = 16
"""How many values of one secret are known, the newest ones: the others were replaced long ago."""
_SHORTEST, _LONGEST = 8, 12
"""How many characters in a row give a piece of a long secret away."""
_BYTES = b'{"$bytes":'
"""How bytes begin in a document, where nobody sees what is in them."""
_HARMLESS = frozenset({type(None), bool, int, float})


class Secrecy:
    """The values that are to be told nobody, with the names they go by. It may be used from any thread."""

    def __init__(self) -> None:
        self._begin_anew()
        self._values: dict[tuple[str, str], deque[Secret]] = {}
        self._texts: dict[str, str] = {}
        self._bytes: dict[bytes, str] = {}
        self._pieces: dict[int, dict[str, str]] = {}
        self.known = False
        renew_after_fork(self)

    def _begin_anew(self) -> None:
        self._lock = threading.Lock()

    def learn(self, owner: str, name: str, value: Secret) -> None:
        """Know one more value, of a secret of some routine."""
        with self._lock:
            values = self._values.setdefault((owner, name), deque(maxlen=KEPT))
            if value not in values:
                values.append(value)
                self._look_for({value: name for (_, name), values in self._values.items() for value in values})

    def learn_all(self, other: "Secrecy", owner: str) -> None:
        """Know what another one knows, as secrets of this owner."""
        for (_, name), values in list(other._values.items()):
            for value in list(values):
                self.learn(owner, name, value)

    def _look_for(self, names: dict[Secret, str]) -> None:
        from routilux._disguises import as_data, written  # noqa: PLC0415 - see that module's docstring

        pieces: dict[int, dict[str, str]] = {}
        for value, name in names.items():
            for form in written(value):
                size = _size_of_pieces(form)
                of_size = pieces.setdefault(size, {})
                of_size.update(dict.fromkeys((form[i : i + size] for i in range(len(form) - size + 1)), name))
        self._texts = {text: name for value, name in names.items() for text in as_data(value)}
        self._bytes = {value.encode() if isinstance(value, str) else value: name for value, name in names.items()}
        self._pieces = pieces
        self.known = True

    # In texts about errors.

    def redacted(self, error: ErrorInfo) -> ErrorInfo:
        """An error without the secrets that its message and its traceback may have."""
        if not self.known:
            return error
        told = {name: self.without(getattr(error, name)) for name in ("type", "message", "traceback")}
        return msgspec.structs.replace(error, **told)

    def without(self, text: str) -> str:
        """A text without the secrets that it may have."""
        clean, end = [], 0
        for start, stop, name in self._found(text):
            clean += [text[end:start], f"<secret {name}>"]
            end = stop
        return "".join([*clean, text[end:]])

    def _found(self, text: str) -> list[tuple[int, int, str]]:
        """Where pieces are, joined to whole secrets, from left to right."""
        hits = sorted(
            (start, start + size, pieces[text[start : start + size]])
            for size, pieces in self._pieces.items()
            for start in range(len(text) - size + 1)
            if text[start : start + size] in pieces
        )
        joined: list[tuple[int, int, str]] = []
        for hit in hits:
            if joined and hit[0] <= joined[-1][1]:
                first, last, name = joined[-1]
                joined[-1] = (first, max(last, hit[1]), name)
            else:
                joined.append(hit)
        return joined

    # In data.

    def check(self, value: Any, place: str) -> None:
        """Refuse data with a secret in it; SecretError says where."""
        if self.known and (found := self._search(value)) is not None:
            raise _refusal(f"{place}{found[0]}", found[1])

    def check_document(self, document: Any, place: str) -> None:
        """Refuse a document with a secret in it: as `check` does, and quickly where there is none."""
        if not self.known:
            return
        text = msgspec.json.encode(document)
        if _BYTES in text or any(msgspec.json.encode(secret)[1:-1] in text for secret in self._texts):
            self.check(document, place)

    def _search(self, value: Any) -> tuple[str, str] | None:
        """Where in a value there is which secret."""
        kind = type(value)
        if kind in _HARMLESS:
            return None
        if kind is str:
            return _first(("", name) for text, name in self._texts.items() if text in value)
        if kind is bytes:
            return _first(("", name) for content, name in self._bytes.items() if content in value)
        if kind is dict:
            if (found := self._search(_bytes_in(value))) is not None:
                return ".$bytes", found[1]
            inside = (pair for key, item in value.items() for pair in (("", key), (f".{key}", item)))
        elif kind in (list, tuple, set, frozenset):
            inside = ((f"[{index}]", item) for index, item in enumerate(value))
        else:
            return self._search(encode(value))
        return _first((step + found[0], found[1]) for step, item in inside if (found := self._search(item)) is not None)


def _first(found: Iterable[tuple[str, str]]) -> tuple[str, str] | None:
    return next(iter(found), None)


def _bytes_in(document: dict[Any, Any]) -> bytes | None:
    """The bytes that a dict stands for, as part of a document; None where it stands for none."""
    payload = document.get("$bytes")
    if len(document) != 1 or type(payload) is not str:
        return None
    try:
        return b64decode(payload, validate=True)
    except ValueError:
        return None


def _refusal(place: str, name: str) -> SecretError:
    return SecretError(
        f"{place} has the secret {name!r} in it, and would be in documents; let the routine that needs it declare it "
        f"(declare_secret) and read it where it is used (get_config)",
        place=place,
        name=name,
    )


def is_writable(value: Secret) -> bool:
    """Whether a text can be written as UTF-8; bytes can."""
    try:
        return isinstance(value, bytes) or bool(value.encode())
    except UnicodeEncodeError:
        return False


def _size_of_pieces(form: str) -> int:
    return len(form) if len(form) < _LONGEST else min(_LONGEST, max(_SHORTEST, len(form) // 2))
