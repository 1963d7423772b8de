"""How a store is opened."""

from routilux._backends.opening import open_backend
from routilux.stores.arguments import MAX_LOST_ATTEMPTS, PATIENCE, WINDOW, checked_settings
from routilux.stores.store import Store


def open_store(
    url: str,
    *,
    window: float = WINDOW,
    patience: float = PATIENCE,
    max_lost_attempts: int = MAX_LOST_ATTEMPTS,
) -> Store:
    """Open a store: `sqlite:///jobs.db`, `postgresql://...` or `memory:`.

    Activations of jobs with `durability="group"` run ahead of the disk by at most `window` seconds, and as long as a
    write takes. While the store is not available, writing is tried again for `patience` seconds. A task whose process
    died `max_lost_attempts` times while it was handled fails its job. After a fork, the child opens its own store.

    StoreError for what is no URL of a store, StoreFormatError for one that a newer routilux wrote,
    StoreUnavailableError where it cannot be reached, DefinitionError for what can be no setting.

    >>> from routilux import Flow, Routine
    >>> from routilux.stores import open_store
    >>> from serilux import register_serializable
    >>> @register_serializable
    ... class Noting(Routine):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.define_slot("trigger", handler=self.note)
    ...
    ...     def note(self, text):
    ...         self.get_execution_context().job_state.append_to_shared_log(text)
    >>> flow = Flow("notes")
    >>> name = flow.add_routine(Noting(), "noting")
    >>> with open_store("memory:") as store:  # "sqlite:///notes.db" is there tomorrow, too
    ...     job = flow.execute("noting", {"text": "kept"}, store=store)
    ...     settled = job.wait(timeout=10)
    ...     _, stored = store.load(job.job_id)
    >>> stored.status.value, stored.shared_log
    ('completed', ['kept'])
    """
    settings = checked_settings(window, patience, max_lost_attempts)  # before anything is opened
    return Store(open_backend(url), **settings._asdict())
