"""Who looks into a store between two processes that run jobs in it, and at the end."""

from pathlib import Path

from routilux import JobState
from routilux.stores import JobSummary, open_store
from tests.crashes.hosts import Host
from tests.crashes.mill import committed, expected, outcome, started
from tests.crashes.millers import ORDER, finish


class Witness:
    """What was once in the store may not change, nor be done again; what `execute` has returned has to be there.

    Nobody may run a job meanwhile.
    """

    def __init__(self, url: str, effects: Path) -> None:
        self.url = url
        self.effects = effects
        effects.touch()
        self._read = 0
        self._histories: dict[str, list[object]] = {}
        self._committed: set[str] = set()
        self._settled: set[str] = set()

    def look(self, heard: list[str]) -> None:
        """Compare what is stored with what was so before, and with what the last process said."""
        assert self._committed.isdisjoint(started(self._new_effects()))
        executed = {line.split()[1] for line in heard if line.startswith("executed")}
        with open_store(self.url) as store:
            stored = {summary.job_id for summary in store.jobs()}
            jobs = {job_id: store.load(job_id)[1] for job_id in stored - self._settled}
        assert executed | self._histories.keys() <= stored
        for job_id, job_state in jobs.items():
            self._compare(job_id, job_state)

    def _new_effects(self) -> list[str]:
        lines = self.effects.read_bytes()[self._read :].decode().splitlines()
        self._read += sum(len(line) + 1 for line in lines)
        return lines

    def _compare(self, job_id: str, job_state: JobState) -> None:
        history, seen = list(job_state.execution_history), self._histories.get(job_id, [])
        assert history[: len(seen)] == seen
        self._histories[job_id] = history
        self._committed.update(committed(job_state))
        if job_state.status == "completed":
            self._settled.add(job_id)

    def see_the_end(self, kind: str) -> None:
        """Let all jobs come to their end, and compare them with what they must have done."""
        host = Host(finish, self.url, str(self.effects))
        heard = host.ended()
        assert (host.exit(), heard[-1:]) == (0, ["finished"])
        self.look([])
        with open_store(self.url) as store:
            for summary in store.jobs():
                self._see(summary, store.load(summary.job_id)[1], kind)

    @staticmethod
    def _see(summary: JobSummary, job_state: JobState, kind: str) -> None:
        assert outcome(job_state) == expected(kind, ORDER)
        tasks = committed(job_state)
        assert len(tasks) == len(set(tasks))
        assert (summary.status, summary.owner) == ("completed", None)
