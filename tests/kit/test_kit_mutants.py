"""The checks find what is wrong with an engine, on a flow as users have it, and find nothing with a right one."""

import pytest

from routilux.testing import OutcomeChanged, kill_at_every_commit, resume_twice, roundtrip_every_step, swap_host
from tests.kit.mutants import MUTANTS
from tests.kit.orders import DELIVERIES, PARAMS, orders


@pytest.mark.parametrize("name", MUTANTS)
def test_a_broken_engine_is_caught(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    break_engine, check = MUTANTS[name]
    break_engine(monkeypatch)
    with pytest.raises(OutcomeChanged):
        check(orders, "orders", PARAMS, deliveries=DELIVERIES, seed=1)


@pytest.mark.parametrize("check", [roundtrip_every_step, kill_at_every_commit, resume_twice, swap_host])
def test_nothing_is_found_where_nothing_is_wrong(check: object) -> None:
    assert callable(check)
    check(orders, "orders", PARAMS, deliveries=DELIVERIES, seed=1)
