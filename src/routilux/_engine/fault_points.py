"""The moments at which a process may die with most effect, by name: tests let it, in each of them."""

from collections.abc import Callable
from enum import StrEnum


class FaultPoint(StrEnum):
    """A moment on the way of a job from one owner to the next, and of what its handlers did to the disk.

    HANDLER_RETURNED: nothing of what it did is committed; to cost nothing, nobody is told of it but by tests that wrap
    `run_handler` and `await_handler`. OWNER_READ: a job is about to be claimed, and is still its last owner's.
    JOB_CLAIMED: its epoch was raised, and nothing written under it. RECORDS_WAIT: handlers have returned, and nothing
    is written. RECORDS_MADE: nothing is written, and what is to be is in no log any more. RECORDS_WRITTEN: they are on
    disk, and nobody was told. SNAPSHOT_MADE: it is not written, and the journal is whole. SNAPSHOT_WRITTEN: it has
    replaced the journal. OWNER_LEAVES: all is written, and jobs that still run have their owner still.
    """

    HANDLER_RETURNED = "handler returned"
    OWNER_READ = "owner read"
    JOB_CLAIMED = "job claimed"
    RECORDS_WAIT = "records wait"
    RECORDS_MADE = "records made"
    RECORDS_WRITTEN = "records written"
    SNAPSHOT_MADE = "snapshot made"
    SNAPSHOT_WRITTEN = "snapshot written"
    OWNER_LEAVES = "owner leaves"


Reached = Callable[[FaultPoint], None]
"""What is told that a process has come to such a moment."""


def pass_by(point: FaultPoint) -> None:
    """Go on."""
