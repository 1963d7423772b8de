"""What is done apart from what its asker is in the middle of, where he must not wait (`_midst`)."""

from collections.abc import Callable

from routilux._engine.awaited import Awaited
from routilux._engine.threads import start_thread
from routilux._forks import renew_after_fork

Needs = Callable[[object], bool]
"""Whether something is needed for what is done."""


class _UnderWay:
    """All that is being done apart, and what it needs."""

    def __init__(self) -> None:
        self._begin_anew()
        renew_after_fork(self)

    def _begin_anew(self) -> None:
        self.calls: dict[Awaited, Needs] = {}


_UNDER_WAY = _UnderWay()


def do_apart(name: str, call: Callable[[], object], needs: Needs = lambda thing: False) -> None:
    """Have something done on a thread of its own, for which a process that ends waits.

    NoThreadError where the system gives none.
    """
    over, calls = Awaited(), _UNDER_WAY.calls

    def do() -> None:
        try:
            call()
        finally:
            calls.pop(over, None)
            over.come_true()

    calls[over] = needs
    try:
        start_thread(name, do, daemon=False)
    except BaseException:
        calls.pop(over, None)
        raise


def wait_for_what_needs(thing: object) -> None:
    """Return when nothing is done any more that was under way by now, and needs it."""
    for over in [over for over, needs in list(_UNDER_WAY.calls.items()) if needs(thing)]:
        over.wait()
