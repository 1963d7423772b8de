"""What a signal is while jobs are followed, and after that."""

import signal
from collections.abc import Iterator
from pathlib import Path
from queue import SimpleQueue

import pytest

from routilux.cli.ctrl_c import ctrl_c_ends_at_once, ctrl_c_interrupts
from routilux.cli.signals import Heard, signals_to
from tests.cli.commands import entered, in_process, script

BOTH = [signal.SIGINT, signal.SIGTERM]


@pytest.fixture(autouse=True)
def _handlers() -> Iterator[None]:
    former = {number: signal.signal(number, lambda number, frame: None) for number in BOTH}
    yield
    for number, handler in former.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("first", BOTH)
@pytest.mark.parametrize("second", BOTH)
def test_after_one_that_was_heard_the_next_has_the_process_leave(first: signal.Signals, second: signal.Signals) -> None:
    heard: Heard = SimpleQueue()
    left: list[bool] = []
    with signals_to(heard, lambda: left.append(True)):
        signal.raise_signal(first)
        signal.raise_signal(second)
        assert (left, [heard.get_nowait(), heard.get_nowait()]) == ([], [first, second])
    signal.raise_signal(second)
    assert (left, heard.get_nowait(), heard.empty()) == ([True], None, True)


def test_where_none_was_heard_they_are_what_they_were() -> None:
    former = {number: signal.getsignal(number) for number in BOTH}
    with signals_to(SimpleQueue(), lambda: pytest.fail("it left")):
        assert {number: signal.getsignal(number) for number in BOTH} != former
    assert {number: signal.getsignal(number) for number in BOTH} == former


def test_ctrl_c_ends_the_process_but_while_a_command_runs() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    ctrl_c_ends_at_once()
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), ctrl_c_interrupts():
        signal.raise_signal(signal.SIGINT)
    assert (before, signal.getsignal(signal.SIGINT)) == (signal.SIG_DFL, signal.SIG_DFL)


def test_where_it_was_ignored_it_still_is() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    ctrl_c_ends_at_once()
    with ctrl_c_interrupts():
        signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def test_before_a_command_has_begun_ctrl_c_ends_it_without_a_word(folder: Path) -> None:
    script(folder).with_name("typer.py").write_text("import signal; signal.raise_signal(signal.SIGINT)")
    assert in_process(folder, "jobs") == (-signal.SIGINT, "", "")


def test_so_it_does_while_its_arguments_are_read(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("routilux.cli.app.Commands.main", interrupted)
    assert (entered("jobs"), capfd.readouterr()) == (130, ("", ""))


def test_and_while_it_waits(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (folder / "slow.py").write_text("import signal; signal.raise_signal(signal.SIGINT)")
    signal.signal(signal.SIGINT, signal.default_int_handler)
    assert (entered("pause", "m1", "--app", "slow"), capfd.readouterr()) == (130, ("", ""))
