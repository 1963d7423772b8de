"""The commands that run jobs in this process: run, resume, retry, recover."""

from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from queue import SimpleQueue
from typing import Annotated

import typer

from routilux._model import Durability, JobStatus
from routilux.cli.awaiting import store_watched
from routilux.cli.endings import exit_code, print_documents, print_endings
from routilux.cli.failures import FAILED, tell
from routilux.cli.following import Following, Run, leave, leave_anyway, let_go
from routilux.cli.given import Given, given_by, load_into
from routilux.cli.invocation import Invocation
from routilux.cli.job_ids import whole_id
from routilux.cli.loading import load_flow, resources_of
from routilux.cli.options import (
    DEFAULT_LIMIT,
    DEFAULT_STORE,
    Code,
    JobId,
    Json,
    Limit,
    PlanFile,
    PlanFiles,
    StoreUrl,
    existing_store,
)
from routilux.cli.parameters import read_params
from routilux.cli.printing import print_lines
from routilux.cli.signals import Heard, signals_to
from routilux.cli.user_output import users_output
from routilux.cli.views import view_for
from routilux.errors import RecoveryError, StoreError
from routilux.job_state import JobState
from routilux.stores import Store, open_store

Begin = Callable[[], list[Run]]


def run(
    reference: Annotated[str, typer.Argument(metavar="MODULE:FLOW", help="A Flow, or a function that returns one.")],
    entry: Annotated[str, typer.Option("--entry", metavar="ID", help="The routine to start at.")],
    param: Annotated[
        list[str] | None,
        typer.Option("--param", metavar="K=V", help="A parameter of the entry: JSON, or else text. May be repeated."),
    ] = None,
    job_id: Annotated[
        str | None, typer.Option("--job-id", metavar="ID", help="The id that it is to have; refused where it is taken.")
    ] = None,
    durability: Annotated[
        Durability,
        typer.Option("--durability", help="Whether activations run ahead of the disk (group), or not (strict)."),
    ] = Durability.GROUP,
    max_lost_attempts: Limit = DEFAULT_LIMIT,
    store: StoreUrl = DEFAULT_STORE,
    json: Json = False,
) -> int:
    """Start a job, and show how it gets on. Ctrl-C or SIGTERM pauses it; a second one leaves at once."""
    params = read_params(param or [])
    with users_output(as_json=json):
        flow = load_flow(reference)
        flow.resources.update(resources_of([reference], "MODULE:FLOW") | dict(flow.resources))
    invocation = Invocation(store, [reference], max_lost_attempts)
    with open_store(store, max_lost_attempts=max_lost_attempts) as opened:

        def begun() -> list[Run]:
            return [Run(flow.start(entry, params, store=opened, durability=durability, job_id=job_id))]

        return _see_through(opened, invocation, begun, json)


def resume(
    job_id: JobId,
    app: Code = None,
    plan: PlanFile = None,
    take_over: Annotated[
        bool, typer.Option("--take-over", help="Take the job from a process that runs it; that one loses it.")
    ] = False,
    max_lost_attempts: Limit = DEFAULT_LIMIT,
    store: StoreUrl = DEFAULT_STORE,
    json: Json = False,
) -> int:
    """Let a paused job, or one whose process has died, go on here."""
    given = given_by(app, [plan], as_json=json)
    with existing_store(store, max_lost_attempts) as opened:

        def begun() -> list[Run]:
            flow, job_state, due = load_into(opened, whole_id(opened, job_id), given)
            return [Run(flow.resume(job_state, plan=due, take_over=take_over))]

        return _see_through(opened, Invocation(store, app or [], max_lost_attempts), begun, json)


def retry(
    job_id: JobId,
    app: Code = None,
    plan: PlanFile = None,
    max_lost_attempts: Limit = DEFAULT_LIMIT,
    store: StoreUrl = DEFAULT_STORE,
    json: Json = False,
) -> int:
    """Run a failed job's failed tasks once more, then all that it left unstarted."""
    given = given_by(app, [plan], as_json=json)
    with existing_store(store, max_lost_attempts) as opened:

        def begun() -> list[Run]:
            flow, job_state, due = load_into(opened, whole_id(opened, job_id), given)
            return [Run(flow.retry(job_state, plan=due))]

        return _see_through(opened, Invocation(store, app or [], max_lost_attempts), begun, json)


def recover(
    app: Code = None,
    plan: PlanFiles = None,
    max_lost_attempts: Limit = DEFAULT_LIMIT,
    store: StoreUrl = DEFAULT_STORE,
    json: Json = False,
) -> int:
    """Let every job go on here that was running when its process died."""
    given = given_by(app, plan, as_json=json)
    invocation, refused = Invocation(store, app or [], max_lost_attempts), dict[str, Exception]()
    with existing_store(store, max_lost_attempts) as opened:
        if not opened.orphans() and not json:
            print_lines(_nothing_to_recover(opened, invocation))
        begun = partial(_recovered, opened, given, refused)
        code = _see_through(opened, invocation, begun, json, many=True)
    for job_id, error in refused.items():
        tell(StoreError(f"job {job_id} was not recovered: {error}"), invocation, as_json=json)
    return FAILED if refused else code


def _nothing_to_recover(store: Store, given: Invocation) -> Iterator[str]:
    """Say so; and what is next for jobs that were paused, which are left alone."""
    yield "every job that is running has its process: there is nothing to recover"
    if paused := store.jobs(JobStatus.PAUSED):
        known = given if given.apps else given._replace(apps=["MODULE"])
        command = known.command("resume", paused[0].job_id if len(paused) == 1 else "ID")
        yield f"{'1 job is' if len(paused) == 1 else f'{len(paused)} jobs are'} paused: {command}"


def _recovered(store: Store, given: Given, refused: dict[str, Exception]) -> list[Run]:
    """All jobs that go on here; one that cannot must not keep the others from it."""
    try:
        recovered = store.recover(**given._asdict())
    except RecoveryError as error:
        refused |= error.problems
        return [Run(each) for each in error.recovered if isinstance(each, JobState)]
    return [Run(each) for each in recovered]


def _see_through(store: Store, invocation: Invocation, begun: Begin, as_json: bool, *, many: bool = False) -> int:
    """Begin to run jobs, follow them, and say what became of them."""
    heard: Heard = SimpleQueue()
    with users_output(as_json=as_json), signals_to(heard, leave):
        with closing(view_for(as_json=as_json)) as view, store_watched(view.say):  # before anything runs that may print
            runs = begun()
            following = Following(runs, view)
            following.hear(heard, partial(leave_anyway, store))
            following.until_none_runs()
        if following.left:
            let_go(store)
    code = exit_code(runs)
    try:
        print_documents(runs, invocation, many=many) if as_json else print_endings(runs, invocation)
    except OSError as error:
        code = max(code, tell(error, invocation, as_json=as_json))
    if following.left:
        leave()
    return code
