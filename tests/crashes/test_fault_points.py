"""Law 2 at each named moment: a process that dies there loses nothing, and has nothing done twice."""

from pathlib import Path
from signal import SIGKILL

import pytest

from routilux._engine.fault_points import FaultPoint
from tests.crashes.hosts import Host
from tests.crashes.millers import End, finish, grind
from tests.crashes.witness import Witness

CREATED = End(FaultPoint.RECORDS_WRITTEN)
WHILE_CLAIMING = (FaultPoint.OWNER_READ, FaultPoint.JOB_CLAIMED)


@pytest.mark.parametrize("point", FaultPoint)
@pytest.mark.parametrize(("kind", "durability"), [("sequential", "group"), ("async", "strict")])
def test_a_job_outlives_a_death_at(url: str, kind: str, durability: str, point: FaultPoint, tmp_path: Path) -> None:
    witness = Witness(url, tmp_path / "effects")
    where = (url, kind, durability, str(witness.effects))
    dies(witness, Host(grind, *where, CREATED))
    if point is FaultPoint.OWNER_LEAVES:
        dies(witness, Host(finish, url, str(witness.effects), End(point)))
    else:
        for times in (1,) if point in WHILE_CLAIMING else (1, 4):
            dies(witness, Host(grind, *where, End(point, times)))
    witness.see_the_end(kind)


def dies(witness: Witness, host: Host) -> None:
    heard = host.ended()
    assert host.exit() == -SIGKILL
    witness.look(heard)
