"""What of the user's own a command is given: modules to import, flows and resources in them, files with plans."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from routilux._plan import Plan
from routilux.cli.loading import import_code, resources_of
from routilux.cli.plan_files import read_plan
from routilux.cli.user_output import users_output
from routilux.flow import Flow
from routilux.job_state import JobState
from routilux.stores import Store
from routilux.stores.host import Host


class Given(NamedTuple):
    """What stored jobs go on with: `Store.recover` says what each means."""

    resources: dict[str, object]
    flows: list[Flow]
    plans: list[Plan]


def given_by(apps: Sequence[str] | None, plans: Iterable[Path | None] | None, *, as_json: bool) -> Given:
    """Import modules and read files; BadParameter or SeriluxError where one cannot be."""
    flows = import_code(apps, as_json=as_json)
    read = [plan for file in plans or () if (plan := read_plan(file)) is not None]
    with users_output(as_json=as_json):
        return Given(resources_of(apps), flows, read)


def load_into(store: Store, job_id: str, given: Given) -> tuple[Flow, JobState, Plan]:
    """A job, the flow in which it goes on (the one of its id that is given, or else its own), and its plan."""
    host, flow_id = Host(*given), store.summary(job_id).flow_id
    flow, plan = host.flow_for(flow_id), host.plan_for(flow_id)
    if flow is not None:
        return flow, store.load_job(job_id, plan=plan), plan
    read, job_state = store.load(job_id, plan=plan)
    return host.equipped(read), job_state, plan
