"""Nothing that is written has a secret in it: documents, files of a store, logs, what is shown, errors."""

import io
import json
import logging
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from hypothesis import assume, example, given
from hypothesis import strategies as st

from routilux import ErrorHandler, Flow, JobState, Routine
from routilux.cli.accounts import explained_document, explained_job, shown_job, summary_document
from routilux.errors import RoutiluxError
from routilux.stores import Store, open_store
from serilux import register_serializable
from tests.laws.effort import examples

PIECE = 10
"""So many characters of a secret in a row give it away."""


def in_pieces(secret: str | bytes) -> set[str]:
    """What of a secret must not be found: its parts as they are, and as JSON and `repr` write them."""
    text = secret if isinstance(secret, str) else secret.decode("latin-1")
    size = min(PIECE, len(text))
    parts = [text[i : i + size] for i in range(len(text) - size + 1)]
    return {form for part in parts for form in (part, json.dumps(part)[1:-1], repr(part)[1:-1])}


def fail_with(key: Any, how: str) -> None:
    ways: dict[str, Callable[[], object]] = {
        "text": lambda: f"refused: {key}",
        "repr": lambda: repr({"key": key, "it's": [key, str(key)]}),
        "json": lambda: json.dumps({"url": str(key)}, ensure_ascii=False),
        "url": lambda: "https://host/?key=" + quote(str(key)),
        "head": lambda: f"{str(key)[:20]}...",
        "tail": lambda: f"...{str(key)[-20:]}",
        "object": lambda: {"key": key},
    }
    raise ValueError(ways[how]())


HOW = ["text", "repr", "json", "url", "head", "tail", "object"]


@register_serializable
class LawTeller(Routine):
    """Does with its secret what it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.declare_secret("key")
        self.define_slot("trigger", self.tell)
        self.define_slot("again", self.tell)
        self.define_event("out", ["value"])
        self.set_error_handler(ErrorHandler("retry", max_retries=1, retry_delay=0.0))

    def tell(self, deeds: list[str], how: str = "text", **more: Any) -> None:
        key, context = self.get_config("key"), self.get_execution_context()
        assert context is not None
        for deed in deeds:
            if deed == "emit":
                self.emit("out", deeds=[], value=[key])
            elif deed == "share":
                context.job_state.shared_data["key"] = {"x": (key,)}
            elif deed == "log":
                context.job_state.append_to_shared_log(key)
            elif deed == "state":
                context.state["key"] = key
            elif deed == "flush":
                self.flush()
            elif deed == "fail":
                fail_with(key, how)
            else:
                self.emit("out", deeds=[], value=len(key))


@contextmanager
def all_logs() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    handler, logger = logging.StreamHandler(stream), logging.getLogger("routilux")
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    try:
        yield stream
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


def told(flow: Flow, job_state: JobState, store: Store) -> Iterator[str]:
    """All that this library says of a job."""
    yield json.dumps(flow.serialize(), ensure_ascii=False)
    yield json.dumps(job_state.serialize(), ensure_ascii=False)
    yield str(job_state.explain())
    yield f"{flow!r}{flow.routines!r}{job_state!r}{job_state.error}{job_state.routine_states}{flow.check(job_state)}"
    yield "".join(map(repr, job_state.execution_history))
    listed, view = summary_document(store.summary(job_state.job_id), orphaned=False), store.peek(job_state.job_id)
    yield "\n".join([*shown_job(listed, view), *explained_job(listed, view)])
    yield repr(explained_document(listed, view)) + json.dumps(view.document, ensure_ascii=False)
    with suppress(RoutiluxError):
        flow.pause(job_state)
    yield json.dumps(store.export(job_state.job_id, copy=True), ensure_ascii=False)
    file = io.BytesIO()
    store.export_file(job_state.job_id, file, copy=True)
    yield file.getvalue().decode("latin-1")
    yield file.getvalue().decode("utf-8", "replace")


SECRETS = st.text(st.sampled_from("κλ§Qw7 '\"\\\n\t\x07/%&<>{}🙂ÿ-"), min_size=6, max_size=60) | st.binary(
    min_size=12, max_size=40
)
DEEDS = st.lists(st.sampled_from(["emit", "share", "log", "state", "flush", "fail", "use"]), max_size=4)


@given(SECRETS, DEEDS, st.sampled_from(HOW), st.sampled_from(["stop", "continue", "skip", "retry"]))
@example("sk-live-123456", ["emit", "fail"], "repr", "continue")
@example(b"\x00'\"\\binary secret", ["use", "flush", "fail"], "object", "retry")
@examples(60)
def test_a_secret_is_in_nothing_that_is_written(secret: str | bytes, deeds: list[str], how: str, policy: str) -> None:
    assume(len(set(secret)) > 4)
    with tempfile.TemporaryDirectory() as folder, all_logs() as logged:
        with open_store(f"sqlite:///{folder}/jobs.db") as store, Flow("tellers") as flow:
            teller = LawTeller()
            teller.set_error_handler(ErrorHandler(policy, max_retries=1, retry_delay=0.0))
            teller.set_config(key=secret)
            flow.add_routine(teller, "teller")
            flow.connect("teller", "out", "teller", "again")
            job_state = flow.execute("teller", {"deeds": deeds, "how": how}, store=store)
            assert job_state.wait(30)
            written = [*told(flow, job_state, store)]
        written.append(logged.getvalue())
        written += [path.read_bytes().decode("utf-8", "replace") for path in Path(folder).iterdir()]
        written += [path.read_bytes().decode("latin-1") for path in Path(folder).iterdir()]
    everything = "\n".join(written)
    assert [part for part in in_pieces(secret) if part in everything] == []
