"""What users' code that a flow runs may ask of the flow, and what it may not since it would wait for itself."""

from typing import Protocol

from routilux._context import Activation, deciding_refused, running_activation
from routilux._current import updating
from routilux.errors import BlockingCallError


class Named(Protocol):
    """A flow."""

    flow_id: str


def is_handler_of(host: object) -> bool:
    """Whether it is a handler of this job that asks."""
    activation = running_activation()
    return activation is not None and activation.host is host


def refuse_deciding(verb: str) -> None:
    """Refuse what is asked in the middle of a commit, under a job's lock."""
    _not_deciding(verb)


def _not_deciding(verb: str) -> Activation | None:
    """The activation around the caller, if any, of which nothing is just being decided."""
    activation = running_activation()
    if updating.get() or (activation is not None and activation.is_deciding):
        raise deciding_refused(f"{verb} a job")
    return activation


def refuse_blocking(flow: Named, verb: str) -> None:
    """Refuse a handler what waits for the workers that run it, and all to who decides."""
    activation = _not_deciding(verb)
    if activation is not None and activation.host.flow is flow:
        raise BlockingCallError(
            f"a handler of flow {flow.flow_id!r} cannot {verb} a job of that flow: it would wait for the workers "
            f"that run it; emit an event, or use another flow"
        )
