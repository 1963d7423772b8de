"""`routilux check`: whether jobs could go on with the code that is here."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.changed_shops import changed, orphan, paused, plan_file
from tests.cli.commands import documents, in_process, routilux

__all__ = ["changed", "orphan", "paused"]  # fixtures


@pytest.fixture
def transfer(folder: Path, failed: str) -> str:
    (folder / "transfer.json").write_text(routilux("export", failed).stdout)
    return "transfer.json"


def checked(folder: Path, *arguments: str) -> tuple[int, Any]:
    code, output, errors = in_process(folder, "check", *arguments, "--json")
    assert errors == ""
    return code, json.loads(output)


def verdicts(document: Any) -> list[tuple[str, str]]:
    return [(job["job_id"], job["verdict"]) for job in document["jobs"]]


ANOTHER_FINGERPRINT = (
    "  note: flow 'shop' has another fingerprint than when the job last ran: its routines, classes, references or "
    "connections have changed"
)


# The jobs of a store.


def test_jobs_that_fit_are_told_in_a_line_each(folder: Path, completed: str, paused: str, orphan: str) -> None:
    code, output, errors = in_process(folder, "check", "--app", "shop")
    assert (code, errors) == (0, "")
    assert output.splitlines() == [
        f"job {paused} of flow 'shop', paused, fits",
        f"job {orphan} of flow 'shop', running, fits",
        "2 jobs: 2 fit, 0 need a plan, 0 break",
    ]


def test_a_store_without_such_jobs_fits(folder: Path, completed: str) -> None:
    assert checked(folder, "--app", "shop") == (0, {"jobs": [], "suggested_plans": []})


def test_jobs_that_need_a_plan_are_told_which_would_do(folder: Path, paused: str, changed: None) -> None:
    code, output, errors = in_process(folder, "check", "--app", "renamed:flow")
    assert (code, errors) == (1, "")
    job, problem, to_do, note, summary, hint, plan = output.split("\n", 6)
    assert job == f"job {paused} of flow 'shop', paused, needs a plan"
    assert problem == (
        "  pending_tasks[0] is for billing.order: routine 'billing' has no slot 'order'; it has: 'bill'; "
        f"task {paused}:4 carries 'number', 'amount', and would never be handled"
    )
    assert to_do == (
        """    to do: with the plan {"slots":{"billing.order":"bill"}} it would fit, if that is right; else """
        "say in a plan what it is now (slots={'billing.order': ...}), or drop it in a plan (drop=['billing.order'])"
    )
    assert (note, summary) == (ANOTHER_FINGERPRINT, "1 job: 0 fit, 1 need a plan, 0 break")
    assert hint == "what has just one likely meaning is in this plan; only you can know whether it is right:"
    assert json.loads(plan) == {"flow_id": "shop", "slots": {"billing.order": "bill"}}
    (folder / "plan.json").write_text(plan)
    assert verdicts(checked(folder, "--app", "renamed:flow", "--plan", "plan.json")[1]) == [(paused, "fits")]


def test_what_is_found_is_there_as_json(folder: Path, paused: str, changed: None) -> None:
    code, document = checked(folder, "--app", "renamed:flow")
    (job,) = document["jobs"]
    assert (code, job["job_id"], job["flow_id"], job["status"], job["verdict"]) == (
        1,
        paused,
        "shop",
        "paused",
        "needs a plan",
    )
    (problem,) = job["problems"]
    assert problem | {"what": "", "means": ""} == {
        "what": "",
        "means": "",
        "place": "pending_tasks[0]",
        "routine_id": "billing",
        "slot": "order",
        "verdict": "needs a plan",
        "remedy": "say in a plan what it is now (slots={'billing.order': ...}), or drop it in a plan "
        "(drop=['billing.order'])",
        "hint": {"slots": {"billing.order": "bill"}},
    }
    assert "flow_fingerprint" in [note["place"] for note in job["notes"]]
    assert document["suggested_plans"] == [{"flow_id": "shop", "slots": {"billing.order": "bill"}}]


def test_jobs_that_break_are_worse(folder: Path, paused: str, changed: None) -> None:
    code, output, _ = in_process(folder, "check", "--app", "stricter:flow")
    assert (code, output.splitlines()[-1]) == (2, "1 job: 0 fit, 0 need a plan, 1 break")
    assert "it lacks 'tax'" in output
    assert (
        "    to do: give new parameters defaults and keep old ones, or take **kwargs; or drop it in a plan "
        "(drop=['billing.order'])\n"
    ) in output


def test_what_is_alike_is_told_once(folder: Path, orphan: str, changed: None) -> None:
    _, output, _ = in_process(folder, "check", "--app", "renamed:flow")
    _, problem, to_do, _, summary, _ = output.split("\n", 5)
    assert problem.endswith("and would never be handled (and 1 more like it)")
    assert to_do.startswith("    to do: ")
    assert summary == "1 job: 0 fit, 1 need a plan, 0 break"
    plan = plan_file(folder, drop=["billing.order"])
    assert in_process(folder, "check", "--app", "stricter:flow", "--plan", plan)[0] == 0


def test_what_is_worth_knowing_is_told_below_each_job(folder: Path, paused: str, orphan: str, changed: None) -> None:
    plan = plan_file(folder, flow_id="shop", slots={"billing.order": "bill"}, routines={"oven": "orders"})
    code, output, errors = in_process(folder, "check", "--app", "renamed:flow", "--plan", plan)
    notes = ["  note: the plan speaks of routine 'oven', for which this job has nothing", ANOTHER_FINGERPRINT]
    assert (code, errors, output.splitlines()) == (
        0,
        "",
        [
            f"job {paused} of flow 'shop', paused, fits",
            *notes,
            f"job {orphan} of flow 'shop', running, fits",
            *notes,
            "2 jobs: 2 fit, 0 need a plan, 0 break",
        ],
    )


def test_notes_that_say_the_same_of_several_places_are_told_once(folder: Path, orphan: str, changed: None) -> None:
    plan = plan_file(folder, drop=["billing.order"])
    _, output, _ = in_process(folder, "check", "--app", "renamed:flow", "--plan", plan)
    assert output.splitlines()[1:-1] == [
        "  note: pending_tasks[0] for billing.order is dropped; it carries 'number', 'amount' (and 1 more like it)",
        "  note: the data that has come to billing.order is dropped: 'number', 'amount'",
        ANOTHER_FINGERPRINT,
    ]


def test_without_a_flow_it_is_the_one_they_are_stored_with(folder: Path, paused: str, changed: None) -> None:
    assert verdicts(checked(folder, "--app", "renamed")[1]) == [(paused, "fits")]  # it has the slot still
    code, document = checked(folder)
    assert (code, verdicts(document)) == (1, [(paused, "needs a plan")])
    assert "class 'Orders' is not registered here" in document["jobs"][0]["problems"][0]["what"]


def test_a_check_leaves_a_job_to_its_owner(folder: Path, paused: str) -> None:
    before = documents("jobs")
    checked(folder, "--app", "shop")
    assert documents("jobs") == before


def test_a_plan_for_another_flow_is_for_none_of_these(folder: Path, paused: str, changed: None) -> None:
    other = plan_file(folder, "other.json", flow_id="bakery", slots={"oven.in": "out"})
    ours = plan_file(folder, flow_id="shop", slots={"billing.order": "bill"})
    arguments = ("--app", "renamed:flow", "--plan", other)
    assert checked(folder, *arguments)[0] == 1
    assert checked(folder, *arguments, "--plan", ours)[0] == 0


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("{", "the file is no JSON"),
        ('{"slot": {}}', "plan.json: slot is unknown (did you mean 'slots'?)"),
        ('{"slots": {"a": "b"}}', "'a' names no slot"),
        ('{"config": {"a": "os:system"}}', "config.a"),
    ],
)
def test_a_file_that_is_no_plan_is_told_with_its_name(folder: Path, completed: str, content: str, problem: str) -> None:
    (folder / "plan.json").write_text(content)
    result = routilux("check", "--app", "shop", "--plan", "plan.json")
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (1, "", 1)
    assert "plan.json" in result.stderr
    assert problem in result.stderr


# A job that was exported.


def test_a_job_whose_classes_are_there_can_go_on(folder: Path, transfer: str, failed: str) -> None:
    (job,) = documents("check", transfer, "--app", "shop")["jobs"]
    assert (job["job_id"], job["status"], job["verdict"], job["problems"]) == (failed, "failed", "fits", [])


def test_it_reads_stdin(folder: Path, transfer: str) -> None:
    result = routilux("check", "-", "--app", "shop", input=(folder / transfer).read_text())
    assert (result.exit_code, result.stdout.splitlines()[-1]) == (0, "1 job: 1 fit, 0 need a plan, 0 break")


def test_a_class_that_is_not_there_is_a_problem(folder: Path, transfer: str) -> None:
    code, document = checked(folder, transfer)
    assert (code, document["jobs"][0]["verdict"]) == (1, "needs a plan")
    problems = [problem["what"] for problem in document["jobs"][0]["problems"]]
    assert [any(f"class {name!r} is not registered" in each for each in problems) for name in ("Orders", "Money")] == [
        True,
        True,
    ]


def test_it_is_checked_against_a_flow_of_the_code(folder: Path, transfer: str, changed: None) -> None:
    assert routilux("check", transfer, "--app", "shop:flow").exit_code == 0
    code, document = checked(folder, transfer, "--app", "renamed:flow")
    assert (code, document["jobs"][0]["problems"][0]["place"]) == (1, "failed_tasks[0]")
    plan = plan_file(folder, slots={"billing.order": "bill"})
    assert checked(folder, transfer, "--app", "renamed:flow", "--plan", plan)[0] == 0


def test_what_is_no_exported_job_is_refused(folder: Path) -> None:
    (folder / "other.json").write_text("{}")
    result = routilux("check", "other.json")
    assert (result.exit_code, "it is no exported job" in result.stderr) == (1, True)


def test_a_file_is_checked_with_its_keys(folder: Path, failed: str) -> None:
    routilux("keys", "keys.json", "--add", "HMAC-SHA256")
    content = routilux("export", failed, "--key-file", "keys.json", "--compress").stdout_bytes
    (folder / "job.transfer").write_bytes(content)
    command = ("check", "job.transfer", "--app", "shop")
    assert verdicts(documents(*command, "--key-file", "keys.json")) == [(failed, "fits")]
    assert routilux(*command).exit_code == 1
    (folder / "job.transfer").write_bytes(content[:-1])
    assert "cut off" in routilux(*command, "--key-file", "keys.json").stderr
