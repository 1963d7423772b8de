"""Law 2 while processes recover what others have left: several at once, some of which die in the middle of it."""

from pathlib import Path
from random import Random
from time import sleep

import pytest

from routilux._engine.fault_points import FaultPoint
from tests.crashes.hosts import Host
from tests.crashes.millers import End, grind, recover_once
from tests.crashes.witness import Witness
from tests.laws.effort import rounds

ROUNDS = 3
"""For each of four ways: two processes recover at once, and one or both are killed."""


def left(url: str, witness: Witness, kind: str, durability: str) -> None:
    """Jobs whose process was killed."""
    host = Host(grind, url, kind, durability, str(witness.effects))
    heard = host.hear(20)
    witness.look([*heard, *host.kill()])


@pytest.mark.parametrize(("kind", "durability"), [("sequential", "group"), ("async", "strict")])
def test_two_recover_at_once_and_die_at_any_moment(url: str, kind: str, durability: str, tmp_path: Path) -> None:
    witness, random = Witness(url, tmp_path / "effects"), Random(f"{kind} {durability}")
    left(url, witness, kind, durability)
    for _ in range(rounds(ROUNDS)):
        hosts = [Host(recover_once, url, str(witness.effects)) for _ in range(2)]
        for host in hosts:
            host.hear_until("recovering")
        sleep(random.uniform(0.0, 0.02))  # to be random, not to be right
        said = [hosts[random.randrange(2)].kill()]
        sleep(random.uniform(0.0, 0.02))
        said += [host.kill() for host in hosts if host.process.is_alive()]
        witness.look([line for lines in said for line in lines])
        assert not [line for lines in said for line in lines if line.startswith("problem")]
        left(url, witness, kind, durability)
    witness.see_the_end(kind)


@pytest.mark.parametrize("point", [FaultPoint.OWNER_READ, FaultPoint.JOB_CLAIMED, FaultPoint.SNAPSHOT_MADE])
def test_one_dies_in_the_middle_of_recovering_and_the_other_goes_on(
    url: str, point: FaultPoint, tmp_path: Path
) -> None:
    witness = Witness(url, tmp_path / "effects")
    left(url, witness, "sequential", "group")
    dying = Host(recover_once, url, str(witness.effects), End(point, 2))
    alive = Host(recover_once, url, str(witness.effects))
    heard = [*dying.ended(), *alive.ended()]
    assert alive.exit() == 0
    assert not [line for line in heard if line.startswith("problem")]
    witness.look(heard)
    witness.see_the_end("sequential")
