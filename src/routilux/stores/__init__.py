"""Stores: where jobs outlive their process."""

from routilux.stores.job_view import JobSummary, JobView
from routilux.stores.store import Store, open_store

__all__ = ["JobSummary", "JobView", "Store", "open_store"]
