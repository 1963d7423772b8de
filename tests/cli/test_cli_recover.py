"""`routilux recover`."""

import json
from pathlib import Path

from tests.cli.changed_shops import changed, orphan, paused, plan_file
from tests.cli.commands import documents, in_process, routilux

__all__ = ["changed", "orphan", "paused"]  # fixtures


def test_a_job_whose_process_died_is_finished(folder: Path, orphan: str) -> None:
    result = routilux("recover", "--app", "shop", "--json")
    (ended,) = json.loads(result.stdout)
    assert (result.exit_code, ended["job_id"], ended["status"]) == (0, orphan, "completed")
    assert documents("show", orphan)["document"]["shared_data"]["billed"] == 6


def test_one_that_cannot_go_on_here_is_told_and_left(folder: Path, orphan: str) -> None:
    code, output, errors = in_process(folder, "recover", "--json")
    assert (code, json.loads(output)) == (1, [])
    assert orphan in json.loads(errors)["error"]["message"]
    assert documents("jobs")[0]["orphaned"] is True


def test_where_none_has_died_there_is_nothing_to_do(folder: Path, completed: str) -> None:
    result = routilux("recover", "--app", "shop", "--json")
    assert (result.exit_code, json.loads(result.stdout)) == (0, [])
    assert "there is nothing to recover" in routilux("recover", "--app", "shop").stdout


def test_where_there_is_nothing_to_do_jobs_that_are_paused_are_told(folder: Path, paused: str) -> None:
    said = "every job that is running has its process: there is nothing to recover"
    one = f"1 job is paused: routilux resume {paused} --app shop"
    assert routilux("recover", "--app", "shop").stdout.splitlines() == [said, one]
    copy = folder / "copy.json"
    routilux("export", paused, "--copy", "-o", str(copy))
    routilux("import", str(copy))
    assert routilux("recover", "--app", "shop").stdout.splitlines() == [
        said,
        "2 jobs are paused: routilux resume ID --app shop",
    ]
    assert routilux("recover").stdout.splitlines()[1] == "2 jobs are paused: routilux resume ID --app MODULE"
    assert routilux("recover", "--json").stdout == "[]\n"


def test_jobs_go_on_in_flows_of_the_code_by_plans(folder: Path, orphan: str, changed: None) -> None:
    plan = plan_file(folder, flow_id="shop", slots={"billing.order": "bill"})
    code, output, errors = in_process(folder, "recover", "--app", "renamed:flow", "--json")
    assert (code, json.loads(output), "has no slot 'order'" in errors) == (1, [], True)
    code, output, _ = in_process(folder, "recover", "--app", "renamed:flow", "--plan", plan, "--json")
    assert (code, [ended["status"] for ended in json.loads(output)]) == (0, ["completed"])
    assert documents("show", orphan)["document"]["shared_data"]["billed"] == 6
