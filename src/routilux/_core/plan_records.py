"""The plans that were applied to a job, as a part of its document.

What they dropped is kept as JSON, so that no class need be known any more to read a job that has gone on without it.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from routilux._core.instants import in_our_era, instant
from routilux._core.job import Job
from routilux._core.shapes import AppliedPlanDocument
from routilux._plan import Plan
from routilux._records import AppliedPlan, Task, task_id
from serilux import check_document
from serilux.errors import DocumentError


def write_plans(plans: Sequence[AppliedPlan]) -> list[dict[str, Any]]:
    """Applied plans as documents."""
    return [
        {
            "applied_at": instant(applied.at),
            "flow_fingerprint": applied.fingerprint,
            "plan": _copied(applied.plan),
            "dropped_tasks": _copied(applied.dropped_tasks),
            "dropped_data": _copied(applied.dropped_data),
        }
        for applied in plans
    ]


def read_plans(plans: list[AppliedPlanDocument], documents: list[Any]) -> list[AppliedPlan]:
    """The plans that are in shape already, from their documents; DocumentError where one holds what is no JSON."""
    check_document(documents, "plans")
    for index, document in enumerate(documents):
        _check_plan(document["plan"], f"plans[{index}].plan")
    return [
        AppliedPlan(
            in_our_era(plan.applied_at, f"plans[{index}].applied_at"),
            plan.flow_fingerprint,
            _copied(document["plan"]),
            _copied(plan.dropped_tasks),
            _copied(plan.dropped_data),
        )
        for index, (plan, document) in enumerate(zip(plans, documents, strict=True))
    ]


def plan_documents(job_document: dict[str, Any]) -> list[dict[str, Any]]:
    """The plans that a job is past, by what its document says, which nobody has read yet."""
    applied = job_document.get("plans")
    plans = [each.get("plan") for each in applied if isinstance(each, dict)] if isinstance(applied, list) else []
    return [plan for plan in plans if isinstance(plan, dict)]


def taken_by_a_plan(job: Job, task: Task) -> str:
    """What a plan has done since to a task that waited for a delivery; nothing where it waits, or was delivered to."""
    now = job.expecting.tasks.get(task.number)
    if now is not None:
        return "" if now.target == task.target else f"waits on {now.target} now, by a plan"
    name = task_id(job.job_id, task.number)
    dropped = [each for applied in job.plans for each in applied.dropped_tasks if each.get("task_id") == name]
    return "was dropped by a plan" if any(each.get("data") is None for each in dropped) else ""


def _check_plan(document: dict[str, Any], path: str) -> None:
    try:
        names_in(document)
    except DocumentError as error:
        error.under(path)
        raise


def names_in(document: dict[str, Any]) -> Plan:
    """The plan that a document describes, but for its functions, which have done their work; DocumentError for none."""
    return Plan.read({part: said for part, said in document.items() if part != "config"})


def _copied(document: Any) -> Any:
    return msgspec.to_builtins(document)
