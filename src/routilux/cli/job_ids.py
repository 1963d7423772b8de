"""The job that is meant where only the beginning of an id is given, which nobody has chosen."""

import re
from contextlib import suppress

from routilux.errors import UnknownJobError, listed
from routilux.stores import Store

_SHOWN = 10
_RANDOM = re.compile("[0-9a-f]{32}")
"""The form of an id that nobody has chosen."""


def whole_id(store: Store, given: str) -> str:
    """The id of a job: the one that was given, or else the only one that was made at random and begins so.

    One that was chosen has to be given whole: `order-1` that is gone is not `order-17`. UnknownJobError where there is
    none, or where several begin so, which it lists.
    """
    with suppress(UnknownJobError):
        return store.summary(given).job_id
    beginning = [each.job_id for each in store.jobs() if each.job_id.startswith(given)] if given else []
    found = [job_id for job_id in beginning if _RANDOM.fullmatch(job_id)]
    if not found:
        others = f"; an id that was chosen is given whole: {listed(beginning[:_SHOWN])}" if beginning else ""
        raise UnknownJobError(f"the store has no job {given!r}{others}; `routilux jobs` lists all")
    if len(found) > 1:
        more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        raise UnknownJobError(f"the ids of {len(found)} jobs begin with {given!r}: {listed(found[:_SHOWN])}{more}")
    return found[0]
