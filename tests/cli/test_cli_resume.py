"""`routilux resume`."""

import json
from pathlib import Path

from tests.cli.changed_shops import changed, paused, plan_file
from tests.cli.commands import documents, finish, in_process, let_go_on, read_until, routilux, start

__all__ = ["changed", "paused"]  # fixtures


def test_a_paused_job_goes_on_where_it_stood(folder: Path, paused: str) -> None:
    result = routilux("resume", paused, "--app", "shop", "--json")
    assert (result.exit_code, json.loads(result.stdout)["status"]) == (0, "completed")
    assert documents("show", paused)["document"]["shared_data"]["billed"] == 6


def test_without_its_classes_it_is_refused_and_stays(folder: Path, paused: str) -> None:
    code, _, errors = in_process(folder, "resume", paused)
    assert (code, "Traceback" in errors) == (1, False)
    assert "'Billing'" in errors
    assert documents("jobs", "--status", "paused")[0]["job_id"] == paused


def test_a_settled_job_is_refused(folder: Path, failed: str) -> None:
    result = routilux("resume", failed, "--app", "shop")
    assert result.exit_code == 1
    assert "there is nothing to resume; retry it" in result.stderr


def test_a_job_that_somebody_runs_is_taken_only_if_asked_for(folder: Path, gate: Path) -> None:
    process = start(folder, "run", "shop:flow", "--entry", "orders", "--param", "amounts=[1, 2]", GATE=str(gate))
    read_until(process, "billing 1")
    job_id = documents("jobs")[0]["job_id"]
    refused = in_process(folder, "resume", job_id, "--app", "shop")
    taken = in_process(folder, "resume", job_id, "--app", "shop", "--take-over")
    let_go_on(gate, process)
    code, _, errors = finish(process)
    assert (refused[0], f"is run by process {process.pid}" in refused[2]) == (1, True)
    assert (taken[0], code, "was taken over by" in errors) == (0, 1, True)


def test_an_app_that_is_not_there_is_a_usage_error(folder: Path, failed: str) -> None:
    result = routilux("resume", failed, "--app", "shoop")
    assert (result.exit_code, "there is no module 'shoop'" in result.stderr) == (2, True)


# In a flow that has changed since.


def test_a_job_goes_on_in_a_flow_of_the_code_by_a_plan(folder: Path, paused: str, changed: None) -> None:
    refused = in_process(folder, "resume", paused, "--app", "renamed:flow", "--json")
    assert (refused[0], len(json.loads(refused[2])["error"]["problems"])) == (1, 1)
    plan = plan_file(folder, slots={"billing.order": "bill"}, reason="2.3")
    code, output, errors = in_process(folder, "resume", paused, "--app", "renamed:flow", "--plan", plan, "--json")
    assert (code, errors.count("Traceback"), json.loads(output)["status"]) == (0, 0, "completed")
    document = documents("show", paused)["document"]
    assert document["shared_data"]["billed"] == 6
    assert document["plans"][0]["plan"] == {"slots": {"billing.order": "bill"}, "reason": "2.3"}
    assert "slot 'billing.order' is 'billing.bill' since" in routilux("explain", paused).stdout


def test_a_refusal_says_of_what_the_plan_speaks_and_the_job_has_nothing(
    folder: Path, paused: str, changed: None
) -> None:
    plan = plan_file(folder, routines={"bilings": "billing"}, parameters={"billing.order": {"amont": "tax"}})
    code, _, errors = in_process(folder, "resume", paused, "--app", "stricter:flow", "--plan", plan)
    assert (code, errors.splitlines()[0]) == (
        1,
        f"routilux: job '{paused}' cannot go on in flow 'shop' (the plan speaks of routine 'bilings', for which this "
        f"job has nothing; the plan speaks of parameter 'amont' of slot 'billing.order', for which this job has "
        f"nothing); nothing was changed:",
    )


def test_the_flow_it_is_stored_with_is_configured_by_a_plan(folder: Path, paused: str, changed: None) -> None:
    plan = plan_file(folder, config={"billing": "reconfigured:new_config"})
    code, output, errors = in_process(folder, "resume", paused, "--app", "reconfigured", "--plan", plan, "--json")
    assert (code, errors.count("Traceback"), json.loads(output)["status"]) == (0, 0, "completed")


def test_a_plan_for_another_flow_is_not_for_this_job(folder: Path, paused: str, changed: None) -> None:
    plan = plan_file(folder, flow_id="bakery", slots={"billing.order": "bill"})
    code, _, errors = in_process(folder, "resume", paused, "--app", "renamed:flow", "--plan", plan)
    assert (code, "cannot go on in flow 'shop'" in errors) == (1, True)
