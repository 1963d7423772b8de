"""A plan put together of what the findings of many jobs hint at: for people to look at, and never applied."""

from collections.abc import Sequence
from typing import Any

from routilux._plan import Plan
from routilux.stores import Checked
from routilux.stores.host import Host

_PARTS = ("routines", "slots", "parameters")


class Suggestions:
    """One suggestion for the jobs of each flow, on top of the plan that was given for them."""

    def __init__(self, plans: Sequence[Plan]) -> None:
        self._host = Host(plans=plans)
        self._found: dict[str, list[dict[str, Any]]] = {}

    def add(self, checked: Checked) -> None:
        """Take up what the findings of a job hint at."""
        found = self._found.setdefault(checked.flow_id, [])
        for finding in checked.verdict:
            if finding.hint is not None and (document := finding.hint.document()) not in found:
                found.append(document)

    def documents(self) -> list[dict[str, Any]]:
        """The suggested plans; none for flows without hints."""
        return [self._merged(flow_id, hints) for flow_id, hints in sorted(self._found.items()) if hints]

    def _merged(self, flow_id: str, hints: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """All hints together; where two do not agree, neither."""
        given = self._host.plan_for(flow_id)
        merged = {"flow_id": flow_id} | given.document()
        for part in _PARTS:
            said = [dict(hint.get(part, {})) for hint in hints]
            names = {name: new for each in said for name, new in each.items()}
            agreed = {name: new for name, new in names.items() if all(each.get(name, new) == new for each in said)}
            if agreed:
                merged[part] = dict(merged.get(part, {})) | agreed
        return merged
