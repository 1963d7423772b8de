"""Stores: where jobs outlive their process; and what a store of one's own is made of."""

from routilux._backends.backend import (
    MOVED,
    Backend,
    Batch,
    Compaction,
    Definition,
    JobRecord,
    NewJob,
    StoredJob,
)
from routilux._backends.memory import MemoryBackend
from routilux._backends.sqlite import SQLiteBackend
from routilux.stores.checking import Checked
from routilux.stores.job_view import JobSummary, JobView
from routilux.stores.opening import open_store
from routilux.stores.store import Store

__all__ = [
    "MOVED",
    "Backend",
    "Batch",
    "Checked",
    "Compaction",
    "Definition",
    "JobRecord",
    "JobSummary",
    "JobView",
    "MemoryBackend",
    "NewJob",
    "SQLiteBackend",
    "Store",
    "StoredJob",
    "open_store",
]
