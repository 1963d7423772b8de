"""Law 8: whatever stands at whatever node of a flow's document, it is read or refused, and never more than that."""

import copy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from routilux import Flow
from serilux import SeriluxError
from tests.laws.effort import examples
from tests.laws.random_flows import FlowPlan, build, flow_plans

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["os:system", "builtins:exec", "serilux:trust", "self.__init__", "Node", "append"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=5) | st.sampled_from(["$object", "_type", "handler"]), inner, max_size=3)
    ),
    max_leaves=6,
)


def nodes(document: Any) -> list[tuple[Any, Any]]:
    """Every place in a document, as its container and key."""
    places: list[tuple[Any, Any]] = []
    items = document.items() if isinstance(document, dict) else enumerate(document)
    for key, value in items:
        places.append((document, key))
        if isinstance(value, dict | list):
            places.extend(nodes(value))
    return places


def refused(flow: Flow, document: Any) -> SeriluxError | None:
    try:
        flow.deserialize(document)
    except SeriluxError as refusal:
        return refusal
    return None


@examples(200)
@given(flow_plans(), st.data(), JSON)
def test_a_mutated_flow_document_is_read_or_refused(plan: FlowPlan, data: st.DataObject, value: Any) -> None:
    document = build(plan).serialize()
    container, key = data.draw(st.sampled_from(nodes(document)))
    if isinstance(container, dict) and data.draw(st.booleans()):
        container[data.draw(st.text(max_size=4))] = container.pop(key) if data.draw(st.booleans()) else value
    else:
        container[key] = value
    given_document = copy.deepcopy(document)
    target = build(plan)
    before = target.serialize()
    refusal = refused(target, document)
    assert refusal is None or (isinstance(refusal, ValueError | TypeError) and target.serialize() == before)
    assert repr(document) == repr(given_document)
