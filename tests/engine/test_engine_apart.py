"""What is done apart: who waits for it, and who would wait for himself."""

import threading
from typing import NoReturn

import pytest

from routilux._engine import apart
from routilux._engine.apart import do_apart, holds_up_what_needs, wait_for_what_needs
from routilux.errors import NoThreadError
from tests.patience import PATIENCE, wait_for_threads

THING = object()


def needs(thing: object) -> bool:
    return thing is THING


def test_who_waits_for_what_turns_out_to_have_no_thread_waits_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    awaited = list[apart.Awaited]()

    def refuse(*_: object, daemon: bool) -> NoReturn:
        awaited.extend(call.over for call in apart._UNDER_WAY.for_what_needs(THING))
        raise NoThreadError("none")

    monkeypatch.setattr(apart, "start_thread", refuse)
    with pytest.raises(NoThreadError):
        do_apart("routilux-test", lambda: None, needs)
    (over,) = awaited
    over.wait(0.0)
    wait_for_what_needs(THING)


def test_the_thread_that_does_it_and_one_that_holds_it_up_are_known() -> None:
    holds, begun, release, is_held_up = list[bool](), threading.Event(), threading.Event(), False

    def do() -> None:
        holds.append(holds_up_what_needs(THING))
        begun.set()
        assert release.wait(PATIENCE)

    do_apart("routilux-test", do, needs, lambda: is_held_up)
    assert begun.wait(PATIENCE)
    holds.append(holds_up_what_needs(THING))
    is_held_up = True
    holds += [holds_up_what_needs(THING), holds_up_what_needs(object())]
    release.set()
    wait_for_what_needs(THING)
    holds.append(holds_up_what_needs(THING))
    wait_for_threads("routilux-test")
    assert holds == [True, False, True, False, False]
