"""What processes do that meet a disk they cannot write to. Nothing that takes long to import is imported here."""

import os
import resource
from pathlib import Path
from pwd import getpwnam

from routilux import StoreError, StoreUnavailableError, recover
from routilux._backends.sqlite import SQLiteBackend
from routilux.stores import Store, open_store
from tests.crashes.failing_backend import NoticingBackend
from tests.crashes.gates import GATES, close_gates, gated
from tests.crashes.hosts import Announce


def limit_files(size: int) -> None:
    """Let no file of this process grow beyond that: what is left of its disk."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def run_until_there_is_room(announce: Announce, path: str, patience: float) -> None:
    """Run a job, fill the disk, go on, and make room when that was noticed; or later, where patience ends first."""

    def noticed(times: int) -> None:
        announce("noticed")
        if times == 3:
            limit_files(resource.RLIM_INFINITY)

    close_gates()
    store = Store(NoticingBackend(SQLiteBackend(path), noticed), window=0.001, patience=patience)
    job_state = gated().execute("gated", store=store)
    limit_files(Path(f"{path}-wal").stat().st_size)
    for gate in GATES:
        gate.set()
    try:
        job_state.wait(60)
    except StoreUnavailableError as error:
        announce(f"raised {error}")
        limit_files(resource.RLIM_INFINITY)
        (job_state,) = recover(store)
        job_state.wait(60)
    announce(f"{store.load(job_state.job_id)[1].status}")


def write_as_nobody(announce: Announce, path: str) -> None:
    """Run a job in a store that this process may not write to."""
    if os.geteuid() == 0:
        os.setuid(getpwnam("nobody").pw_uid)
    try:
        with open_store(f"sqlite:///{path}") as store:
            gated().execute("gated", store=store)
    except StoreError as error:
        announce(f"{error}")
