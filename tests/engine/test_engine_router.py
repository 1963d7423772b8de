"""A router's conditions are part of the definition."""

from typing import Any

from routilux import ConditionalRouter, Flow
from serilux import register_serializable


def is_small(data: dict[str, Any]) -> bool:
    return bool(data["value"] < 10)


def is_large(data: dict[str, Any]) -> bool:
    return not is_small(data)


@register_serializable
class FingerprintRouter(ConditionalRouter):
    def is_odd(self, data: dict[str, Any]) -> bool:
        return bool(data["value"] % 2)


def fingerprint_of(*routes: tuple[str, Any]) -> str:
    flow, router = Flow("flow"), FingerprintRouter()
    flow.add_routine(router, "router")
    for name in ("left", "right"):
        router.define_event(name)
    for event, condition in routes:
        router.add_route(event, router.is_odd if condition == "is_odd" else condition)
    return flow._compile()[0].fingerprint


def test_a_fingerprint_names_the_functions_of_a_router() -> None:
    prints = [
        fingerprint_of(("left", is_small)),
        fingerprint_of(("left", is_large)),
        fingerprint_of(("right", is_small)),
        fingerprint_of(("left", "is_odd")),
        fingerprint_of(("left", len)),
        fingerprint_of(("left", lambda data: True)),
        fingerprint_of(("left", is_small), ("right", is_large)),
        fingerprint_of(("right", is_large), ("left", is_small)),
    ]
    assert len(set(prints)) == len(prints)


def test_a_fingerprint_does_not_name_the_data_that_a_condition_compares_with() -> None:
    assert fingerprint_of(("left", {"value": 1})) == fingerprint_of(("left", {"value": 2}))


def test_a_fingerprint_is_the_same_on_the_host_that_has_read_the_flow() -> None:
    flow, router = Flow("flow"), FingerprintRouter()
    router.add_route("left", is_small)
    router.add_route("right", router.is_odd)
    flow.add_routine(router, "router")
    read = Flow()
    read.deserialize(flow.serialize())
    assert read._compile()[0].fingerprint == flow._compile()[0].fingerprint


def test_a_route_that_is_added_later_changes_the_fingerprint() -> None:
    flow, router = Flow("flow"), FingerprintRouter()
    router.add_route("left", is_small)
    flow.add_routine(router, "router")
    before = flow._compile()[0].fingerprint
    router.add_route("left", is_large)
    assert flow._compile()[0].fingerprint != before


def test_routes_that_were_set_as_tuples_are_read_too() -> None:
    router = FingerprintRouter()
    router.add_route("left", is_small)
    router.routes = (("left", is_small), ("left", {"value": 1}))  # type: ignore[assignment]  # nothing forbids it
    read = FingerprintRouter()
    read.deserialize(router.serialize())
    assert read.routes == router.routes
