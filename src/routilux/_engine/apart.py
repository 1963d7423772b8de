"""What is done apart from what its asker is in the middle of, where he must not wait (`_midst`)."""

from collections.abc import Callable
from threading import get_ident

from routilux._engine.awaited import Awaited
from routilux._engine.threads import start_thread
from routilux._forks import renew_after_fork

Needs = Callable[[object], bool]
"""Whether something is needed for what is done."""
IsHeldUp = Callable[[], bool]
"""Whether it may have to wait for the calling thread."""


class _Call:
    """Something that is done apart."""

    def __init__(self, needs: Needs, is_held_up: IsHeldUp) -> None:
        self.needs = needs
        self.over = Awaited()
        self.thread: int | None = None
        self._is_held_up = is_held_up

    def is_held_up(self) -> bool:
        """Whether it would never be over if the calling thread waited for that."""
        return self.thread == get_ident() or self._is_held_up()


class _UnderWay:
    """All that is being done apart."""

    def __init__(self) -> None:
        self._begin_anew()
        renew_after_fork(self)

    def _begin_anew(self) -> None:
        self.calls: dict[_Call, None] = {}

    def for_what_needs(self, thing: object) -> list[_Call]:
        """All of that for which something is needed."""
        return [call for call in list(self.calls) if call.needs(thing)]


_UNDER_WAY = _UnderWay()


def do_apart(
    name: str,
    call: Callable[[], object],
    needs: Needs = lambda thing: False,
    is_held_up: IsHeldUp = lambda: False,
) -> None:
    """Have something done on a thread of its own, for which a process that ends waits.

    NoThreadError where the system gives none.
    """
    under_way, calls = _Call(needs, is_held_up), _UNDER_WAY.calls

    def end() -> None:
        calls.pop(under_way, None)
        under_way.over.come_true()

    def do() -> None:
        under_way.thread = get_ident()
        try:
            call()
        finally:
            end()

    calls[under_way] = None
    try:
        start_thread(name, do, daemon=False)
    except BaseException:
        end()
        raise


def wait_for_what_needs(thing: object) -> None:
    """Return when nothing is done any more that was under way by now, and needs it."""
    for call in _UNDER_WAY.for_what_needs(thing):
        call.over.wait()


def holds_up_what_needs(thing: object) -> bool:
    """Whether the calling thread would wait for itself there."""
    return any(call.is_held_up() for call in _UNDER_WAY.for_what_needs(thing))
