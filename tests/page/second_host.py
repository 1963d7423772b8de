"""Host B: a second, real process. It reads documents, runs a block of the page, and says what became of the job."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from routilux import Flow, JobState
from tests.page import page
from tests.page.page_routines import attempts

ROOT = Path(__file__).parents[2]
RESTORE_AND_RESUME = 307


def finish_on_second_host(transfer_data: dict[str, Any], block: int = RESTORE_AND_RESUME) -> dict[str, Any]:
    """Send both documents as JSON text to another process, which resumes the job and waits for it."""
    text = json.dumps({**transfer_data, "block": block}, allow_nan=False)
    outcome = json.loads(run_module("tests.page.second_host", text))
    assert outcome.pop("process") != os.getpid()
    return outcome


def run_module(module: str, text: str = "", *arguments: str, cwd: Path | None = None) -> str:
    """`python -m MODULE ARGUMENTS` with this input; its output comes back, a failure is ours."""
    done = start_module(module, *arguments, cwd=cwd)
    output, errors = done.communicate(text, timeout=60)
    assert done.returncode == 0, errors
    return output


def start_module(module: str, *arguments: str, cwd: Path | None = None) -> "subprocess.Popen[str]":
    """Start `python -m MODULE ARGUMENTS` in a folder, warnings being errors."""
    path = os.pathsep.join(filter(None, [os.environ.get("PYTHONPATH"), str(ROOT)]))
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-m", module, *arguments],
        cwd=cwd or ROOT,
        env={**os.environ, "PYTHONPATH": path, "PYTHONIOENCODING": "utf-8"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )


def main() -> None:
    transfer_data = json.load(sys.stdin)
    try:
        outcome = _finish(transfer_data)
    except Exception as error:  # noqa: BLE001 - it is what the test asks about
        outcome = {
            "refused": str(error),
            "types": [cls.__name__ for cls in type(error).__mro__],
            "status": None,
        }
    print(json.dumps({**outcome, "process": os.getpid()}))


def _finish(transfer_data: dict[str, Any]) -> dict[str, Any]:
    names = page.run(
        transfer_data["block"],
        Flow=Flow,
        JobState=JobState,
        flow_data=transfer_data["flow"],
        job_state_data=transfer_data["job_state"],
    )
    new_flow, resumed = names["new_flow"], names["resumed"]
    first_seen = resumed.status
    policies = [routine.get_error_handler() for routine in new_flow.routines.values()]
    waited = JobState.wait_for_completion(new_flow, resumed, timeout=30.0)
    return {
        "same_job_state": resumed is names["new_job_state"],
        "status_after_resume": first_seen,
        "waited": waited,
        "status": resumed.status,
        "job_id": resumed.job_id,
        "flow_id": new_flow.flow_id,
        "history": [[record.routine_id, record.event_name] for record in resumed.execution_history],
        "routine_states": {name: state["status"] for name, state in resumed.routine_states.items()},
        "retry_counts": [policy.retry_count for policy in policies if policy is not None],
        "shared_data": resumed.shared_data,
        "shared_log": resumed.shared_log,
        "pause_points": [point["reason"] for point in resumed.pause_points],
        "pending_tasks": resumed.pending_tasks,
        "error": None if resumed.error is None else [resumed.error.type, resumed.error.message],
        "attempts": attempts,
        "document": resumed.serialize(),
    }


if __name__ == "__main__":
    main()
