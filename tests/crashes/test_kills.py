"""Laws 2 and 6 by brute force: processes that run stored jobs are killed at any moment, and others go on."""

from collections.abc import Iterator
from pathlib import Path
from random import Random
from time import sleep

import pytest

from routilux._records import HistoryRecord
from routilux.stores import open_store
from tests.crashes.hosts import Host
from tests.crashes.mill import KINDS
from tests.crashes.millers import WINDOW, execute, grind
from tests.crashes.witness import Witness
from tests.laws.effort import rounds

KILLS = 9
"""For each of six ways to run jobs in a store."""


def kills(seed: str) -> Iterator[tuple[int, float]]:
    """After how many activations a process is killed, and how many seconds later."""
    random = Random(seed)
    for _ in range(rounds(KILLS)):
        yield random.randrange(0, 120), random.choice([0.0, random.uniform(0.0, 2 * WINDOW)])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("durability", ["group", "strict"])
def test_nothing_is_lost_and_nothing_committed_twice(url: str, kind: str, durability: str, tmp_path: Path) -> None:
    witness = Witness(url, tmp_path / "effects")
    for count, later in kills(f"{kind} {durability}"):
        host = Host(grind, url, kind, durability, str(witness.effects))
        heard = host.hear(count)
        sleep(later)  # to be random, not to be right
        witness.look([*heard, *host.kill()])
    witness.see_the_end(kind)


def test_a_strict_job_loses_nothing_that_has_ended(url: str, tmp_path: Path) -> None:
    effects = tmp_path / "effects"
    for count, later in kills("strict"):
        effects.write_text("")
        host = Host(execute, url, "sequential", "strict", str(effects))
        host.hear(1 + count % 60)
        sleep(later)  # to be random, not to be right
        host.kill()
        started = effects.read_text().splitlines()
        assert len(started) - len(ended(url, started[0].split(":")[0])) <= 1


def ended(url: str, job_id: str) -> list[HistoryRecord]:
    """The activations of a stored job that have ended."""
    with open_store(url) as store:
        if job_id not in {summary.job_id for summary in store.jobs()}:
            return []
        history = store.load(job_id)[1].execution_history
    return [record for record in history if record.event_name == "start"]
