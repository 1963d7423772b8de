"""Context variables that a handler sets are set for no other job, and not for who executes (law 5)."""

from contextvars import ContextVar
from typing import Any

import pytest

from routilux import Flow, Routine
from serilux import register_serializable
from tests.patience import PATIENCE

tenant: ContextVar[str] = ContextVar("tenant", default="nobody")


@register_serializable(name="EngineTenants")
class Tenants(Routine):
    """Notes whose it is, then makes it somebody's."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, str]] = []
        self.define_slot("trigger", self.go)
        self.define_slot("sync", self.work)
        self.define_slot("async", self.work_async)
        self.define_event("sync", ["name"])
        self.define_event("async", ["name"])

    def go(self, name: str, way: str) -> None:
        self.work(name)
        self.emit(way, name=name)

    def work(self, name: str) -> None:
        self.seen.append((name, tenant.get()))
        tenant.set(name)

    async def work_async(self, name: str) -> None:
        self.work(name)


@pytest.fixture
def tenants() -> Tenants:
    return Tenants()


@pytest.mark.parametrize("strategy", ["sequential", "concurrent"])
@pytest.mark.parametrize("way", ["sync", "async"])
def test_what_a_handler_sets_is_set_in_its_own_job_at_most(tenants: Tenants, strategy: Any, way: str) -> None:
    with Flow("tenants", strategy, max_workers=1) as flow:
        flow.add_routine(tenants, "tenants")
        for event in ("sync", "async"):
            flow.connect("tenants", event, "tenants", event)
        for name in "abc":
            assert flow.execute("tenants", {"name": name, "way": way}).wait(PATIENCE)
    assert tenant.get() == "nobody"
    assert {(name, whose) for name, whose in tenants.seen if whose not in ("nobody", name)} == set()


def test_a_handler_sees_what_its_caller_has_set(tenants: Tenants) -> None:
    with Flow("tenants") as flow:
        flow.add_routine(tenants, "tenants")
        token = tenant.set("caller")
        try:
            flow.execute("tenants", {"name": "a", "way": "sync"}).wait(PATIENCE)
        finally:
            tenant.reset(token)
    assert tenants.seen[0] == ("a", "caller")
