"""A flow's document as a plan changes it, before it is read (law 7)."""

from collections.abc import Mapping
from typing import Any

from routilux._model import SlotKey
from routilux._plan import NO_PLAN, Plan
from routilux._records import Data, read_data
from serilux import encode
from serilux.errors import DocumentError


def changed_fields(fields: dict[str, Any], plan: Plan) -> dict[str, Any]:
    """The fields of a flow's document with the names of now, and configurations as the plan's functions make them.

    What is in no shape to be changed stays as it is: whoever reads it says so. DocumentError where two names would
    become one, or a function fails.
    """
    if plan == NO_PLAN:
        return fields
    changed = dict(fields)
    if isinstance(fields.get("routines"), dict):
        routines = {name: _changed_routine(name, each, plan) for name, each in fields["routines"].items()}
        changed["routines"] = _renamed({name: plan.routine_of(name) for name in routines}, routines, "routines")
    if isinstance(fields.get("connections"), list):
        changed["connections"] = [_changed_connection(each, plan) for each in fields["connections"]]
    return changed


def _changed_routine(routine_id: str, document: Any, plan: Plan) -> Any:
    if not isinstance(document, dict):
        return document
    changed = dict(document)
    if isinstance(document.get("_slots"), dict):
        changed["_slots"] = _changed_slots(routine_id, document["_slots"], plan)
    if routine_id in plan.config:
        changed["_config"] = _changed_config(routine_id, document.get("_config", {}), plan)
    return changed


def _changed_slots(routine_id: str, slots: dict[str, Any], plan: Plan) -> dict[str, Any]:
    names: dict[str, str] = {}
    changed: dict[str, Any] = {}
    for name, slot in slots.items():
        key, path = SlotKey(routine_id, name), f"routines.{routine_id}._slots.{name}"
        target, changed[name] = plan.slot_of(key), _changed_slot(slot, plan.parameters_of(key), path)
        if target.routine_id != plan.routine_of(routine_id):
            raise DocumentError(
                f"a plan cannot move a slot to another routine ({target}) in a document, as its handler is a method; "
                f"build the flow in your code",
                path,
            )
        names[name] = target.slot
    return _renamed(names, changed, f"routines.{routine_id}._slots")


def _changed_slot(document: Any, parameters: Mapping[str, str], path: str) -> Any:
    """Give the data that waits in a flow's own slot its new names."""
    if not parameters or not isinstance(document, dict) or not isinstance(document.get("_data"), dict):
        return document
    data = document["_data"]
    return document | {"_data": _renamed({name: parameters.get(name, name) for name in data}, data, f"{path}._data")}


def _changed_config(routine_id: str, document: Any, plan: Plan) -> Any:
    path = f"routines.{routine_id}._config"
    config: Data = read_data(document, path)
    try:
        changed = plan.config[routine_id](config)
    except Exception as error:  # the user's function
        raise DocumentError(f"the plan's function failed with {type(error).__name__}: {error}", path) from error
    if type(changed) is not dict:
        raise DocumentError(f"the plan's function gave no dict but a {type(changed).__name__}", path)
    return encode(changed, path)


def _changed_connection(document: Any, plan: Plan) -> Any:
    if not isinstance(document, dict):
        return document
    changed = dict(document)
    source, target = document.get("source_routine_id"), document.get("target_routine_id")
    if isinstance(source, str):
        changed["source_routine_id"] = plan.routine_of(source)
    if isinstance(target, str) and isinstance(document.get("target_slot"), str):
        key = plan.slot_of(SlotKey(target, document["target_slot"]))
        changed["target_routine_id"], changed["target_slot"] = key
    return changed


def _renamed(names: dict[str, str], parts: dict[str, Any], path: str) -> dict[str, Any]:
    renamed = {names[name]: part for name, part in parts.items()}
    if len(renamed) < len(parts):
        raise DocumentError(f"by the plan, two of {', '.join(map(repr, parts))} would have one name", path)
    return renamed
