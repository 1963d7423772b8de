"""A stored job whose host dies, again and again, wherever it does most harm."""

from collections.abc import Iterator
from random import Random

from routilux._backends.backend import Backend
from routilux._backends.memory import MemoryBackend
from routilux._backends.opening import open_backend
from routilux.testing.checks import Check
from routilux.testing.moves import Progress
from routilux.testing.replays import Place
from routilux.testing.stored_runs import NOTHING_NEW, Host, HostDied, Moments, forget, worst
from routilux.testing.trial import Ran, Trial

MEMORY = "memory:"
_MOMENTS_OF_A_RECOVERY = 6


class Kill(Check):
    """A host dies at one moment; a second one takes the job over, and may die of that, too; a third one ends it."""

    name = "kill_at_every_commit"
    disturbance = "The death of its process"

    def __init__(self, store: str = MEMORY, at: frozenset[int] | None = None) -> None:
        super().__init__()
        self._url = store
        self._at = at
        self._moments: list[str] = []

    def places(self, trial: Trial, undisturbed: Ran) -> Iterator[Place]:
        """None, so that keeping the job is all that is done to it; then every moment, or those asked for."""
        yield self._place(trial, 0)
        for moment in worst(self._moments, self._at, NOTHING_NEW):
            yield self._place(trial, moment)

    def _place(self, trial: Trial, moment: int) -> Place:
        again = Random(trial.seed + moment).randint(0, _MOMENTS_OF_A_RECOVERY)
        return {"store": self._url, "moment": moment, "again": again}

    def step(self, place: Place, undisturbed: Ran) -> str:
        """A place in words."""
        moment = place["moment"]
        if moment == 0:
            return f"kept in {place['store']!r}, and nobody dies"
        return f"{self.evidence.get('moment', 'it dies')} (moment {moment}, kept in {place['store']!r})"

    def run(self, trial: Trial, place: Place) -> Ran:
        """Run the job through its deaths; what is stored at the end is what counts."""
        backend = MemoryBackend() if place["store"] == MEMORY else open_backend(place["store"])
        try:
            forget(backend, trial.job_id)
            return self._run(trial, place, backend)
        finally:
            backend.close()

    def _run(self, trial: Trial, place: Place, backend: Backend) -> Ran:
        progress, now = trial.progress(most=self.most), trial.host().clock.now()
        for death in (place["moment"], place["again"] if place["moment"] else 0, 0):
            host = Host(backend, trial.host(now), Moments(death or None))
            try:
                host.finish(host.take_over(trial, progress))
                break
            except HostDied:
                self._notice(host, trial, progress)
            finally:
                host.leave()
                now = host.runner.clock.now()
        if not place["moment"]:
            self._moments = host.moments.passed
        result = trial.result(Host(backend, trial.host(now), Moments()).read(trial))
        forget(backend, trial.job_id)
        return Ran(result, progress.moves)

    def _notice(self, host: Host, trial: Trial, progress: Progress) -> None:
        """Note, of the first host that dies, where it did, and what it leaves."""
        if "moment" not in self.evidence:
            last = f", {progress.moves[-1]}" if progress.moves else ""
            self.evidence["moment"] = f"it dies at {host.moments.passed[-1]!r}, after step {len(progress.moves)}{last}"
            self.evidence["job"] = host.left(trial)
