"""Whatever is raised where a request is obeyed goes to whoever asked, and ends nothing: the next one is obeyed."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest

from routilux import JobStateError
from routilux._engine import keeper
from routilux._engine.requests import key_of
from routilux.stores import Store
from serilux import register_serializable
from tests.patience import PATIENCE
from tests.stores.patients import patient
from tests.stores.stored_flows import open_another

__all__ = ["open_another"]  # a fixture


@register_serializable(name="RefusedMoney")
@dataclass
class Money:
    """Cannot be made by the owner of the job that it is for."""

    amount: int
    error: ClassVar[BaseException]

    def __post_init__(self) -> None:
        if threading.current_thread().name == "routilux-keeper":
            raise self.error


class Unshown(BaseException):
    """Cannot even be shown."""

    def __str__(self) -> str:
        raise SystemExit


@pytest.fixture
def stores(open_another: Callable[..., Store], monkeypatch: pytest.MonkeyPatch) -> tuple[Store, Store]:
    """A store, as its owner and as another process have it."""
    monkeypatch.setattr(keeper, "ROUND", 0.001)
    return open_another(), open_another()


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ValueError("no money"), r"ValueError: no money"),
        (SystemExit("no money"), r"refuses: SystemExit: no money"),
        (KeyboardInterrupt(), r"refuses: KeyboardInterrupt"),
        (GeneratorExit(), r"refuses: GeneratorExit"),
        (MemoryError(), r"MemoryError"),
        (SystemExit("\udcff"), r"refuses: SystemExit: \\udcff"),
        (Unshown(), r"refuses: .*Unshown"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)
def test_it_is_told_to_who_asked_and_others_are_obeyed(
    stores: tuple[Store, Store], monkeypatch: pytest.MonkeyPatch, error: BaseException, words: str
) -> None:
    store, other = stores
    with patient() as flow:
        job_state, another = [flow.execute("patient", store=store) for _ in range(2)]
        monkeypatch.setattr(Money, "error", error, raising=False)
        with pytest.raises(JobStateError, match=words):
            other.deliver(job_state.job_id, "patient", "answer", {"text": Money(5)}, timeout=PATIENCE)
        other.pause(another.job_id, timeout=PATIENCE)
        other.deliver(job_state.job_id, "patient", "answer", {"text": "well"}, timeout=PATIENCE)
        assert job_state.wait(PATIENCE) and job_state.shared_log == ["well"]


@pytest.mark.parametrize(
    ("content", "key"),
    [
        (b'{"type": "later", "key": "k", "more": [1]}', "k"),
        (b'{"type": "later"}', ""),
        (b"no JSON", ""),
        (b'{"document":' + b"[" * 100_000 + b"]" * 100_000 + b', "key": "k"}', ""),
    ],
    ids=["later kind", "no key", "no JSON", "too deep"],
)
def test_who_waits_for_an_answer_is_known_of_any_request(content: bytes, key: Any) -> None:
    assert key_of(content) == key
