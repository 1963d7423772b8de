"""What a module gives to the handlers of its flows: `routilux_resources`."""

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.commands import documents, in_process, routilux


@pytest.fixture
def kiosk(folder: Path) -> Iterator[None]:
    shutil.copy(Path(__file__).with_name("kiosk.py"), folder / "kiosk.py")
    yield
    sys.modules.pop("kiosk", None)


RUN = ("run", "kiosk:make_flow", "--entry", "kiosk", "--json")


def ended(monkeypatch: pytest.MonkeyPatch, till: str, *arguments: str) -> Any:
    monkeypatch.setenv("TILL", till)
    result = routilux(*arguments, "--json")
    return json.loads(result.stdout)


def till_of(job_id: str) -> str:
    told: str = documents("show", job_id)["document"]["shared_data"]["till"]
    return told


@pytest.mark.parametrize(("flow", "till"), [("make_flow", "open"), ("equipped_flow", "of the flow")])
def test_run_gives_what_the_flow_is_not_given_by_its_own_code(
    kiosk: None, monkeypatch: pytest.MonkeyPatch, flow: str, till: str
) -> None:
    told = ended(monkeypatch, "open", "run", f"kiosk:{flow}", "--entry", "kiosk")
    assert (told["status"], till_of(told["job_id"])) == ("completed", till)


def test_without_it_no_job_is_started(kiosk: None) -> None:
    result = routilux(*RUN)
    assert (result.exit_code, json.loads(result.stderr)["error"]["type"]) == (1, "MissingResourceError")
    assert documents("jobs") == []


def test_retry_gives_it_and_says_what_is_missing(kiosk: None, monkeypatch: pytest.MonkeyPatch) -> None:
    job_id = ended(monkeypatch, "closed", *RUN[:-1])["job_id"]
    monkeypatch.delenv("TILL")
    refused = routilux("retry", job_id, "--app", "kiosk")
    assert (refused.exit_code, "routine 'kiosk' needs 'till'" in refused.stderr) == (1, True)
    assert ended(monkeypatch, "open", "retry", job_id, "--app", "kiosk")["status"] == "completed"
    assert till_of(job_id) == "open"


@pytest.mark.parametrize("verb", ["resume", "recover"])
def test_jobs_whose_process_died_go_on_where_it_is_given(
    folder: Path, kiosk: None, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    assert in_process(folder, *RUN, TILL="burning")[0] == 9
    (listed,) = documents("jobs")
    job = [listed["job_id"]] if verb == "resume" else []
    code, _, errors = in_process(folder, verb, *job, "--app", "kiosk", "--json")
    assert (code, "routine 'kiosk' needs 'till'" in json.loads(errors)["error"]["message"]) == (1, True)
    ended(monkeypatch, "open", verb, *job, "--app", "kiosk")
    assert till_of(listed["job_id"]) == "open"


def test_check_tells_what_is_missing(folder: Path, kiosk: None, monkeypatch: pytest.MonkeyPatch) -> None:
    job_id = ended(monkeypatch, "closed", *RUN[:-1])["job_id"]
    (folder / "transfer.json").write_text(routilux("export", job_id).stdout)
    assert documents("check", "transfer.json", "--app", "kiosk")["jobs"][0]["problems"] == []
    assert documents("check", "transfer.json", "--app", "kiosk:equipped_flow")["jobs"][0]["problems"] == []
    monkeypatch.delenv("TILL")
    for app in ("kiosk", "kiosk:make_flow"):
        result = routilux("check", "transfer.json", "--app", app)
        assert (result.exit_code, "routine 'kiosk' needs 'till'" in result.stdout) == (2, True)


def test_what_gives_no_dict_is_told(kiosk: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TILL", "odd")
    result = routilux(*RUN[:-1])
    assert (result.exit_code, "kiosk.routilux_resources gives no dict by name, but a list" in result.stderr) == (
        2,
        True,
    )
