"""The commands that stop a job, whoever runs it: pause, cancel."""

from routilux.cli.loading import import_apps
from routilux.cli.options import DEFAULT_STORE, Apps, JobId, Json, Patience, Reason, StoreUrl, existing_store
from routilux.cli.printing import print_json, print_lines
from routilux.cli.resuming import Invocation
from routilux.stores import Store


def pause(
    job_id: JobId,
    reason: Reason = "",
    timeout: Patience = None,
    app: Apps = None,
    store: StoreUrl = DEFAULT_STORE,
    json: Json = False,
) -> int:
    """Pause a job, here, in another process or nowhere; what runs finishes first."""
    import_apps(app, as_json=json)
    with existing_store(store) as opened:
        opened.pause(job_id, reason, timeout=timeout)
        return _told(opened, job_id, Invocation(store, app or []).command("resume", job_id), json)


def cancel(
    job_id: JobId,
    reason: Reason = "",
    timeout: Patience = None,
    app: Apps = None,
    store: StoreUrl = DEFAULT_STORE,
    json: Json = False,
) -> int:
    """Settle a job as cancelled, whoever runs it; what its handlers still do is discarded."""
    import_apps(app, as_json=json)
    with existing_store(store) as opened:
        opened.cancel(job_id, reason, timeout=timeout)
        return _told(opened, job_id, None, json)


def _told(store: Store, job_id: str, command: str | None, as_json: bool) -> int:
    status = store.summary(job_id).status
    if as_json:
        print_json({"job_id": job_id, "status": status, "command": command})
    else:
        print_lines([f"job {job_id} is {status}" + (f"; it goes on with: {command}" if command else "")])
    return 0
