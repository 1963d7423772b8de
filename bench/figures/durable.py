"""What keeping jobs in a store costs, for each kind of store the same figures."""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager

from bench.effort import Effort
from bench.outcome import Outcome, at_most_times, below
from bench.pairs import in_pairs, seconds
from bench.places import ROW, Place, postgres_server, sqlite_folder
from bench.workloads import PATIENCE, Linger, finish, ring_flow
from routilux import Durability
from routilux._backends.backend import Batch, Definition, NewJob
from routilux._backends.opening import open_backend
from routilux._engine.watchers import is_not_running_or_stuck
from routilux.stores import open_store


class Durable:
    """The figures of one kind of store."""

    def __init__(self, kind: str, place: Callable[[], AbstractContextManager[Place]]) -> None:
        self._kind = kind
        self._place = place

    def figures(self) -> dict[str, Callable[[Effort], Outcome]]:
        """By name."""
        figures = [self.group, self.strict, self.growth, self.size, self.recovery, self.listing]
        return {f"{self._kind}_{figure.__name__}": figure for figure in figures}

    def group(self, effort: Effort) -> Outcome:
        """One activation of a durable job with 10,000 of them; floor: one of 10,000 bare rows, 100 in a commit."""
        steps = effort.sized(10_000)
        with self._place() as place:
            pairs = in_pairs(lambda: place.rows(steps, 100), lambda: _step(place, steps), effort.pairs)
        return at_most_times(pairs, 3, "us")

    def strict(self, effort: Effort) -> Outcome:
        """One activation of a job that is on disk before the next one starts; floor: one bare row in a commit."""
        steps = effort.sized(500)
        with self._place() as place:
            pairs = in_pairs(lambda: place.rows(steps, 1), lambda: _step(place, steps, Durability.STRICT), effort.pairs)
        return at_most_times(pairs, 1.5, "us")

    def growth(self, effort: Effort) -> Outcome:
        """One activation of a durable job with 50,000 of them; floor: the same with 2,000."""
        with self._place() as place:
            pairs = in_pairs(
                lambda: _step(place, 2_000), lambda: _step(place, effort.sized(50_000)), min(effort.pairs, 5)
            )
        return at_most_times(pairs, 1.3, "us")

    def size(self, effort: Effort) -> Outcome:
        """Bytes on disk for one of 50,000 activations, when their job has settled; floor: a bare row's content."""
        steps = effort.sized(50_000)
        with self._place() as place:
            pairs = in_pairs(lambda: len(ROW), lambda: _size(place, steps), 1)
        return below(pairs, 600, "bytes")

    def recovery(self, effort: Effort) -> Outcome:
        """A job with 100,000 activations whose process is gone runs again; floor: `json.loads` of its document."""
        steps = effort.sized(100_000)
        with self._place() as place:
            _, text = _abandoned(place.new_store(), steps)
            pairs = in_pairs(
                lambda: seconds(lambda: json.loads(text)), lambda: _recovered(place, steps), min(effort.pairs, 3)
            )
        return below(pairs, 2, "s")

    def listing(self, effort: Effort) -> Outcome:
        """Listing 100,000 jobs; floor: reading as many bare rows."""
        number = effort.sized(100_000)
        with self._place() as place:
            url = place.new_store()
            _fill(url, number)
            with open_store(url) as store:
                pairs = in_pairs(lambda: place.listed(number), lambda: seconds(store.jobs), min(effort.pairs, 3))
        return below(pairs, 1, "s")


def _step(place: Place, steps: int, durability: Durability = Durability.GROUP) -> float:
    """Seconds for one step of a durable job with so many steps, from `execute` to completed and on disk."""
    with open_store(place.new_store()) as store, ring_flow() as flow:

        def run() -> None:
            finish(flow.execute("ring", {"left": steps - 1}, store=store, durability=durability))

        return seconds(run) / steps


def _size(place: Place, steps: int) -> float:
    _step(place, steps)
    return place.size() / steps


def _recovered(place: Place, steps: int) -> float:
    """Seconds for a job whose process seems to have died: loaded, and running again."""
    url = place.new_store()
    job_id, _ = _abandoned(url, steps)
    with open_store(url) as store:

        def recover() -> None:
            flow, job = store.load(job_id)
            flow.resume(job)
            flow.cancel(job)

        return seconds(recover)


def _abandoned(url: str, steps: int) -> tuple[str, str]:
    """The id of a job that has taken so many steps and waits, with its last owner gone; and its document as text."""
    store, flow = open_store(url), ring_flow(Linger)
    job = flow.execute("ring", {"left": steps - 1}, store=store)
    job._live.block_on(job._live.wait_until(is_not_running_or_stuck), PATIENCE)
    store.ledger.flush()
    store.ledger.abandon()
    return job.job_id, json.dumps(job.serialize())


def _fill(url: str, number: int) -> None:
    """Put that many small jobs into a store."""
    definition, backend = Definition("d", b"{}"), open_backend(url)
    new = NewJob("flow", definition, None, b"{}")
    batches = [Batch(f"job-{index}", 1.0, 0, 1, b"[]", 2.0, "completed", new=new) for index in range(number)]
    for start in range(0, number, 1_000):
        backend.write(batches[start : start + 1_000])
    backend.close()


DURABLE = {**Durable("sqlite", sqlite_folder).figures(), **Durable("postgres", postgres_server).figures()}
