"""Law 8 for what nobody thought of: nearly real documents are read or refused, at a bounded cost, and nothing else."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.fuzz.choices import ByteChoices, DrawnChoices, SeededChoices
from tests.fuzz.targets import TARGETS, Reader, inputs_of
from tests.fuzz.watch import WATCH
from tests.laws.effort import rounds

SEEDED = {"value": 9_000, "object": 7_500, "flow": 1_250, "job": 1_250, "transfer": 500, "file": 500}
DRAWN = 100
"""Inputs, 20,000 and more, most of those that are read quickly. `make soak` has a million more (`tests.fuzz.soak`)."""


@pytest.mark.parametrize("name", TARGETS)
def test_every_real_document_is_accepted(name: str) -> None:
    reader = Reader(name)
    for text in TARGETS[name].corpus():
        reader.examine(json.dumps(json.loads(text)))
    assert reader.refused == 0


@pytest.mark.parametrize("name", TARGETS)
def test_nearly_real_documents_are_read_or_refused(name: str) -> None:
    reader, make = Reader(name), inputs_of(name)
    for seed in range(SEEDED[name]):
        text = make(SeededChoices(seed))
        try:
            reader.examine_quickly(text)
        except BaseException as error:
            error.add_note(f"seed {seed}: {text:.2000}")
            raise
    assert min(reader.accepted, reader.refused) > SEEDED[name] // 50


@pytest.mark.parametrize("name", TARGETS)
def test_the_simplest_document_that_is_neither_is_found(name: str) -> None:
    reader, make = Reader(name), inputs_of(name)

    @settings(
        max_examples=rounds(DRAWN),
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
        database=None,
    )
    @given(st.data())
    def examine(data: st.DataObject) -> None:
        reader.examine_quickly(make(DrawnChoices(data.draw)))

    examine()


def bad_reader(read: Any) -> Reader:
    reader = Reader("value")
    reader._target = reader._target._replace(read=lambda _, document: read(document))
    return reader


def imports(document: Any) -> None:
    import this  # noqa: F401, PLC0415


def opens(document: Any) -> None:
    open("/dev/null").close()


def calls(document: Any) -> None:
    from tests.fuzz.probes import probe_function  # noqa: PLC0415

    probe_function()


def changes(document: Any) -> None:
    document.append(1)


def keeps(document: Any) -> Any:
    return [bytearray(64) for _ in range(20_000)]


def breaks(document: Any) -> None:
    raise KeyError("undocumented")


@pytest.mark.parametrize(
    ("read", "words"),
    [
        (imports, "import"),
        (opens, "open"),
        (calls, "called"),
        (changes, "changed the document"),
        (keeps, "of memory"),
        (breaks, "undocumented"),
    ],
)
def test_what_a_reader_must_not_do_is_seen(read: Any, words: str) -> None:
    with pytest.raises((AssertionError, KeyError), match=words):
        bad_reader(read).examine("[]")


def test_a_reader_that_takes_too_long_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.fuzz.watch.SECONDS", 0.0)
    with pytest.raises(AssertionError, match="took 0"):
        WATCH.over(lambda: sum(range(1000)), "[]", traced=False)


@pytest.mark.parametrize("name", TARGETS)
def test_bytes_make_an_input_whatever_they_are(name: str) -> None:
    make = inputs_of(name)
    made = {make(ByteChoices(content)) for content in (b"", b"\xff" * 100, bytes(range(256)))}
    assert all(json.loads(text) or True for text in made)
