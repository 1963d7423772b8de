"""Stores: where jobs outlive their process."""

from routilux.stores.store import JobSummary, Store, open_store

__all__ = ["JobSummary", "Store", "open_store"]
