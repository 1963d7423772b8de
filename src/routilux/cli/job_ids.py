"""The job that is meant where only the beginning of its id is given."""

from contextlib import suppress

from routilux.errors import UnknownJobError, listed
from routilux.stores import Store

_SHOWN = 10


def whole_id(store: Store, given: str) -> str:
    """The id of a job: the one that was given, or else the only one that begins so.

    UnknownJobError where there is none, or where several begin so, which it lists.
    """
    with suppress(UnknownJobError):
        return store.summary(given).job_id
    found = [each.job_id for each in store.jobs() if each.job_id.startswith(given)] if given else []
    if not found:
        raise UnknownJobError(f"the store has no job {given!r}, and none whose id begins so; `routilux jobs` lists all")
    if len(found) > 1:
        more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        raise UnknownJobError(f"the ids of {len(found)} jobs begin with {given!r}: {listed(found[:_SHOWN])}{more}")
    return found[0]
