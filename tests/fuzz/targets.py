"""What reads documents, and what must be true of whatever it makes of one."""

import json
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from routilux._backends.memory import MemoryBackend
from routilux.errors import RoutiluxError
from routilux.stores import Store
from serilux import SeriluxError, clone, decode, encode, identical
from tests.fuzz import corpus, files
from tests.fuzz.choices import Choices
from tests.fuzz.mutations import mutated
from tests.fuzz.probes import FuzzBox
from tests.fuzz.watch import WATCH

LARGE = 30_000
"""Bytes of a document whose memory is always looked at."""
LONG = 0.002
"""Seconds, in which no more can be used than a document may use anyway."""


class Target(NamedTuple):
    """A reader: what it reads into, how, and how the result is written again.

    `made` gives something to read into, for as many inputs as one likes while it stays as it is; `state` says how it
    is. `mutated` makes an input of the corpus, and `given` makes of an input what is read.
    """

    corpus: Callable[[], list[str]]
    made: Callable[[], Any]
    read: Callable[[Any, Any], Any]
    written: Callable[[Any], Any]
    state: Callable[[Any], Any]
    mutated: Callable[[Choices, Sequence[str], Sequence[str]], str] = mutated
    given: Callable[[Any], Any] = lambda document: document


def read_into(target: Any, document: Any) -> Any:
    target.deserialize(document)
    return target


def serialized(target: Any) -> Any:
    return target.serialize()


def copied_and_written(value: Any) -> Any:
    """The document of a value, which can be copied and compared as well (law 9)."""
    assert identical(clone(value), value), "a copy of what was accepted is another value"
    return encode(value)


def admitted(store: Store, document: Any) -> Any:
    """Take an exported job in, and read it and its flow."""
    job_id = store.admit(document)
    try:
        store.peek(job_id)
        return store.load(job_id)
    finally:
        store.delete(job_id)


def jobs_of(store: Store) -> list[str]:
    return [summary.job_id for summary in store.jobs()]


TARGETS = {
    "value": Target(
        corpus.values, lambda: None, lambda _, document: decode(document), copied_and_written, lambda _: None
    ),
    "object": Target(lambda: [json.dumps(corpus.box().serialize())], FuzzBox, read_into, serialized, serialized),
    "flow": Target(corpus.flows, corpus.target_flow, read_into, serialized, serialized),
    "job": Target(corpus.jobs, corpus.target_job, read_into, serialized, serialized),
    "transfer": Target(corpus.transfers, lambda: Store(MemoryBackend()), admitted, lambda _: None, jobs_of),
    "file": Target(
        files.recipes,
        lambda: None,
        lambda _, file: files.loaded(file),
        lambda _: None,
        lambda _: None,
        files.mutated_recipe,
        files.file_of,
    ),
}


def inputs_of(name: str) -> Callable[[Choices], str]:
    """What makes inputs of a target, from documents of its kind and of the others."""
    own = TARGETS[name].corpus()
    others = [text for other, target in TARGETS.items() if other not in (name, "file") for text in target.corpus()]
    return lambda choices: TARGETS[name].mutated(choices, own, others)


class Reader:
    """Gives inputs to one target, and looks at what comes of it."""

    def __init__(self, name: str) -> None:
        self._target = TARGETS[name]
        self._into = self._target.made()
        self._state = self._target.state(self._into)
        self.accepted = self.refused = 0

    def examine_quickly(self, text: str) -> None:
        """Read a document; its memory is looked at where it is large, or took long enough to have used much."""
        if len(text) > LARGE:
            self.examine(text)
        else:
            self.examine(text, traced=False)
            if WATCH.seconds > LONG:
                self.examine(text)

    def examine(self, text: str, *, traced: bool = True) -> None:
        """Read a document; AssertionError for whatever must not be."""
        document = json.loads(text)
        given = self._target.given(document)
        try:
            read = WATCH.over(lambda: self._target.read(self._into, given), text, traced=traced)
        except (SeriluxError, RoutiluxError) as refusal:
            self.refused += 1
            self._check_refusal(refusal)
        else:
            self.accepted += 1
            self._check_round_trip(read)
            self._into = self._target.made()
        assert json.dumps(document) == text, "reading it changed the document"

    def _check_refusal(self, refusal: Exception) -> None:
        assert isinstance(refusal, ValueError | TypeError), f"{type(refusal).__name__} is no ValueError or TypeError"
        if isinstance(refusal, SeriluxError):
            assert refusal.path, f"{refusal} names no path"
        assert str(refusal), "the refusal says nothing"
        assert len(str(refusal)) < 100_000, "the refusal says too much"
        assert self._target.state(self._into) == self._state, f"what refused the document has changed: {refusal}"

    def _check_round_trip(self, read: Any) -> None:
        written = self._target.written(read)
        again_text = json.dumps(written, allow_nan=False)
        again = self._target.read(self._target.made(), json.loads(again_text)) if written is not None else None
        same = json.dumps(self._target.written(again), allow_nan=False) == again_text
        assert same or identical(again, read), "what was accepted does not come back as it was"
