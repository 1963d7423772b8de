"""What the library advises in Python is said in commands."""

import json
import re
import shlex
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.commands import in_process, read_until, routilux, start

RUN = ("run", "shop:flow", "--entry", "orders", "--job-id", "m1", "--param")
PYTHON = ("import its module", "decorate", "store.load", "flow.resources", "store.deliver", "[Errno")


@pytest.fixture
def failed_here(folder: Path) -> Path:
    routilux(*RUN, "amounts=[-5]")
    return folder


def said(folder: Path, *arguments: str) -> str:
    """What a command says that is refused, in a process which knows none of the classes."""
    code, output, errors = in_process(folder, *arguments)
    assert (code in (1, 2), output) == (True, "")
    assert [words for words in PYTHON if words in errors] == []
    return errors


@pytest.mark.parametrize("verb", ["retry", "resume"])
def test_a_class_that_is_not_known_asks_for_a_module(failed_here: Path, verb: str) -> None:
    assert "class 'Orders' is not registered here; give the module that registers it with --app MODULE" in said(
        failed_here, verb, "m1"
    )


def test_where_modules_were_given_they_are_named(failed_here: Path) -> None:
    for name in ("other", "third"):
        (failed_here / f"{name}.py").write_text("")
    assert (
        "class 'Orders' is not registered here; the modules given (other, third) do not register it; was it renamed, "
        "or is it another module's?"
    ) in said(failed_here, "retry", "m1", "--app", "other", "--app", "third")


def test_with_json_too(failed_here: Path) -> None:
    assert "--app MODULE" in json.loads(said(failed_here, "retry", "m1", "--json"))["error"]["message"]


def test_an_id_that_is_taken_says_how_to_look_at_the_job(failed_here: Path) -> None:
    assert said(failed_here, *RUN, "amounts=[1]") == (
        "routilux: the store has a job 'm1' already, which is failed; look at it with `routilux show m1`, or give "
        "another --job-id\n"
    )


def test_a_store_that_was_named_is_named_in_what_is_to_be_typed(failed_here: Path) -> None:
    store = "--store=sqlite:///other.db"
    assert in_process(failed_here, *RUN, "amounts=[1]", store)[0] == 0
    assert "`routilux show m1 --store sqlite:///other.db`" in said(failed_here, *RUN, "amounts=[1]", store)


@pytest.mark.parametrize("job_id", ["it's", "-x", "a\\b"])
def test_whatever_its_id_is_the_command_that_shows_the_job_can_be_typed(folder: Path, job_id: str) -> None:
    command = ("run", "shop:flow", "--entry", "orders", "--param", "amounts=[1]", "--job-id", job_id)
    routilux(*command)
    refused = re.search("look at it with `(.+)`, or give", routilux(*command).stderr)
    assert refused is not None
    assert routilux(*shlex.split(refused[1])[1:]).stdout.startswith(f"job {job_id} of flow 'shop' is completed")


@pytest.mark.parametrize("verb", ["import", "check", "inspect"])
def test_how_large_a_file_may_be_is_an_option(failed_here: Path, verb: str) -> None:
    routilux("export", "m1", "-o", "m1.json")
    assert "10 bytes that are allowed; see --max-size" in said_here(verb, "m1.json", "--max-size", "10")


def said_here(*arguments: str) -> str:
    result = routilux(*arguments)
    assert "max_size" not in result.output
    return result.output


def test_an_id_of_a_job_that_was_moved_out_says_how_to_free_it(failed_here: Path) -> None:
    routilux("export", "m1", "-o", "m1.json")
    assert "give another --job-id, or `routilux delete` what is left of it first" in said(
        failed_here, *RUN, "amounts=[1]"
    )


def test_a_job_that_was_moved_out_is_said_to_have_been(failed_here: Path) -> None:
    routilux("export", "m1", "-o", "m1.json")
    assert said(failed_here, "export", "m1").endswith("any more: it was moved out (epoch 1)\n")
    assert said(failed_here, "resume", "m1").endswith("any more: it was moved out (epoch 1)\n")


def test_what_somebody_runs_is_taken_over_by_an_option(folder: Path, gate: Path) -> None:
    process = start(folder, *RUN, "amounts=[1, 2]", GATE=str(gate))
    read_until(process, "billing 1")
    assert "; `routilux resume --take-over` takes it over" in said(folder, "resume", "m1", "--app", "shop")


@pytest.fixture
def kiosk(folder: Path) -> Iterator[Path]:
    shutil.copy(Path(__file__).with_name("kiosk.py"), folder / "kiosk.py")
    yield folder
    sys.modules.pop("kiosk", None)


def test_what_a_handler_needs_is_given_by_a_module(kiosk: Path) -> None:
    assert "this flow is not given 'till'; give it in `routilux_resources` of an --app module" in said(
        kiosk, "run", "kiosk:make_flow", "--entry", "kiosk"
    )


def test_a_signed_file_asks_for_its_keys(failed_here: Path) -> None:
    routilux("keys", "keys.json", "--add", "HMAC-SHA256", "--id", "first")
    routilux("export", "m1", "-o", "signed", "--key-file", "keys.json")
    assert "is not known here; give the file of its keys with --key-file" in said(failed_here, "import", "signed")


def test_a_key_to_encrypt_with_is_made_by_a_command(failed_here: Path) -> None:
    refused = said(failed_here, "export", "m1", "-o", "x", "--encrypt")
    assert "`routilux keys FILE --add AES-256-GCM` makes one" in refused


def test_keys_that_are_not_there_are_made_by_an_option(folder: Path) -> None:
    assert "keys.json is not there; `routilux keys keys.json --add ALGORITHM` makes it" in said(
        folder, "keys", "keys.json"
    )


def test_a_file_that_is_not_there_has_no_number(folder: Path) -> None:
    assert said(folder, "inspect", "missing.json") == "routilux: missing.json: No such file or directory\n"
