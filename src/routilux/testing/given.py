"""What checks are given, looked at before anything runs."""

from collections.abc import Iterable
from typing import Any

from routilux._model import JobStatus
from routilux.errors import DefinitionError, listed
from routilux.testing.moves import Delivery

_ENDS = (JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELLED, JobStatus.PAUSED, JobStatus.RUNNING)


def read_status(ends: str) -> JobStatus:
    """The status in which a job is to end; DefinitionError where no job that was started has it at its end."""
    if ends not in _ENDS:
        raise DefinitionError(f"ends={ends!r} is no way for a job to end; it is one of {listed(map(str, _ENDS))}")
    return JobStatus(ends)


def read_deliveries(deliveries: Iterable[tuple[str, str, Any]]) -> tuple[Delivery, ...]:
    """Deliveries as they were given; DefinitionError where one is none."""
    if not isinstance(deliveries, Iterable):
        raise DefinitionError(f"deliveries={deliveries!r}; {_WANTED}")
    return tuple(_delivery(index, each) for index, each in enumerate(deliveries))


def _delivery(index: int, given: Any) -> Delivery:
    parts = tuple(given) if isinstance(given, tuple | list) else ()
    if len(parts) != 3 or not isinstance(parts[0], str) or not isinstance(parts[1], str) or type(parts[2]) is not dict:
        raise DefinitionError(f"deliveries[{index}] is {given!r}; {_WANTED}")
    return Delivery(*parts)


_WANTED = "deliveries are a list with a (routine_id, slot, data) for each: [('approval', 'answer', {'by': 'ann'})]"
