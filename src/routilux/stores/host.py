"""What a process brings to stored jobs: what its handlers need, flows of its code, and plans for jobs of older ones."""

from collections.abc import Iterable, Mapping

from routilux._plan import NO_PLAN, Plan, checked_plan
from routilux._records import Data
from routilux._resources import Resources
from routilux.errors import DefinitionError
from routilux.flow import Flow
from serilux import lookup_class, renamed_classes
from serilux.errors import DocumentError


def empty_flow(document: Data, plan: Plan) -> Flow:
    """A flow to read a stored document into, of the class that it names; SeriluxError where that is not known here."""
    name = document["_type"]
    if name == "Flow":
        return Flow()
    with renamed_classes(plan.classes):
        cls = lookup_class(name, "_type")
    if not issubclass(cls, Flow):
        raise DocumentError(f"{name!r} is no Flow class", "_type")
    return cls()


class Host:
    """Resources for all flows, flows by their ids, and at most one plan for the jobs of a flow.

    DefinitionError where two flows have one id.
    """

    def __init__(
        self,
        resources: Mapping[str, object] | None = None,
        flows: Iterable[Flow] = (),
        plans: Iterable[Plan] = (),
    ) -> None:
        self._resources = Resources(resources)
        self._plans = [checked_plan(plan) for plan in plans]
        self._flows: dict[str, Flow] = {}
        for flow in _checked_flows(flows):
            if flow.flow_id in self._flows:
                raise DefinitionError(f"two flows are called {flow.flow_id!r}; give one of them, for all its jobs")
            self._flows[flow.flow_id] = self.equipped(flow)

    def equipped(self, flow: Flow) -> Flow:
        """The flow, with all that it is not given otherwise."""
        flow.resources.update({name: given for name, given in self._resources.items() if name not in flow.resources})
        return flow

    def flow_for(self, flow_id: str) -> Flow | None:
        """The flow in which jobs of this id go on, or None where it is the one that they are stored with."""
        return self._flows.get(flow_id)

    def plan_for(self, flow_id: str) -> Plan:
        """The plan for the jobs of a flow, or one that says nothing; DefinitionError where there are two."""
        found = [plan for plan in self._plans if plan.flow_id in (None, flow_id)]
        if len(found) > 1:
            raise DefinitionError(
                f"there are {len(found)} plans for jobs of flow {flow_id!r}; give each a flow_id of its own"
            )
        return found[0] if found else NO_PLAN


def _checked_flows(flows: Iterable[Flow]) -> list[Flow]:
    """What a caller gave as flows; DefinitionError where it is something else."""
    if not isinstance(flows, Iterable):
        raise _no_flows(flows)
    given = list(flows)
    for each in given:
        if not isinstance(each, Flow):
            raise _no_flows(each)
    return given


def _no_flows(given: object) -> DefinitionError:
    return DefinitionError(f"flows are a list of Flow objects, as flows=[flow], not {given!r}")
