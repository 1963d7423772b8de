"""What names the shape of a flow. Hashing is slow to import, so this is loaded with the first flow that is compiled."""

import hashlib
import json
from typing import Any

from routilux._graph import RoutineNode, SlotNode
from routilux._model import SlotKey


def fingerprint(routines: dict[str, RoutineNode], slots: dict[SlotKey, SlotNode]) -> str:
    """Name the shape of a flow: routines, classes, references, connections and mappings; nothing that may vary."""
    shape: list[Any] = []
    for routine in sorted(routines.values(), key=lambda node: node.routine_id):
        routes = [
            [event, route.target, sorted((route.mapping or {}).items())]
            for event, leads in sorted(routine.routes.items())
            for route in leads
        ]
        shape.append([routine.routine_id, routine.class_name, sorted(routine.routes), sorted(routes)])
        if routine.conditions:
            shape[-1].append(routine.conditions)
    shape.append(sorted([slot.key, *map(str, slot.references)] for slot in slots.values()))
    return "sha256:" + hashlib.sha256(json.dumps(shape).encode()).hexdigest()
