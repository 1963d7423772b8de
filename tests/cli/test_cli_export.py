"""`routilux export`: a job leaves its store, and is nowhere else than in what was printed."""

import errno
import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from routilux._backends.sqlite import SQLiteBackend
from routilux.cli.invocation import Invocation
from routilux.cli.moving import _saved_if_stranded
from routilux.cli.wording import for_the_command_line
from routilux.errors import StoreError, StrandedJobError
from routilux.transfer import load_keys, unpack
from tests.cli.commands import documents, finish, in_process, routilux, start
from tests.cli.test_cli_views import all_of


def test_what_is_printed_is_all_of_the_job_and_a_tombstone_stays(folder: Path, failed: str) -> None:
    transfer = json.loads(routilux("export", failed).stdout)
    assert (transfer["format"], transfer["job"]["job_id"], transfer["flow"]["flow_id"]) == (1, failed, "shop")
    assert documents("jobs")[0]["status"] == "moved"
    assert documents("show", failed)["document"] is None
    assert routilux("export", failed).exit_code == 1


def test_a_copy_is_another_job_and_the_first_one_stays(folder: Path, failed: str) -> None:
    transfer = json.loads(routilux("export", failed, "--copy").stdout)
    assert transfer["job"]["job_id"] != failed
    assert documents("jobs")[0]["status"] == "failed"


def test_a_job_that_could_not_be_written_is_back_in_its_store(folder: Path, failed: str) -> None:
    with open("/dev/full", "w") as full:
        code, _, errors = finish(start(folder, "export", failed, "--app", "shop", stdout=full))
    assert (code, errors.count("\n")) == (1, 1)
    assert "No space left on device" in errors
    assert documents("jobs")[0]["status"] == "failed"


@pytest.mark.parametrize("options", [[], ["--compress"]])
def test_a_job_whose_reader_has_gone_is_back_in_its_store(folder: Path, failed: str, options: list[str]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    code, _, errors = finish(start(folder, "export", failed, *options, "--app", "shop", stdout=writer))
    os.close(writer)
    assert (code, errors.count("\n"), "Broken pipe" in errors) == (1, 1, True)
    assert documents("jobs")[0]["status"] == "failed"


def test_a_job_that_is_interrupted_on_its_way_is_back_in_its_store(
    folder: Path, failed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("routilux.stores.transfer.put", interrupt)
        assert routilux("export", failed).exit_code != 0
    assert documents("jobs")[0]["status"] == "failed"


@pytest.mark.parametrize("options", [[], ["--compress"]])
def test_a_job_that_its_store_does_not_take_back_is_saved(
    folder: Path, failed: str, monkeypatch: pytest.MonkeyPatch, options: list[str]
) -> None:
    def fail(*_: object) -> None:
        raise StoreError("broken")

    def fill(*_: object) -> None:
        patched.setattr(SQLiteBackend, "write", fail)
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("routilux.stores.transfer.put", fill)
        result = routilux("export", failed, *options)
    (saved,) = folder.glob("stranded-*")
    assert (result.exit_code, result.stdout) == (1, "")
    assert f"it is in {saved.name}: `routilux import --reclaim` takes it back" in result.stderr
    assert stat.S_IMODE(saved.stat().st_mode) == 0o600
    assert routilux("import", saved.name, "--reclaim").exit_code == 0
    assert documents("jobs")[0]["status"] == "failed"


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> None:
    """No room in this folder."""

    def write(path: Path, content: bytes, *, mode: int) -> None:
        if not path.is_absolute():
            raise OSError(errno.ENOSPC, "No space left on device")
        path.write_bytes(content)

    monkeypatch.setattr("routilux.cli.moving.write_atomically", write)


def stranded() -> StrandedJobError:
    """The error of a job that has got nowhere, once it was saved."""
    with (
        pytest.raises(StrandedJobError) as raised,
        _saved_if_stranded(lambda transfer: json.dumps(transfer).encode()),
    ):
        raise StrandedJobError("lost", transfer={"job": 1})
    return raised.value


def test_what_must_not_be_lost_is_saved_among_temporary_files_if_there_is_room_only(
    full: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("routilux.cli.moving.gettempdir", lambda: str(tmp_path))
    assert json.loads(Path(stranded().file).read_bytes()) == {"job": 1}


def test_what_must_not_be_lost_is_on_stderr_if_no_place_can_be_written(
    full: None, monkeypatch: pytest.MonkeyPatch, capfdbinary: Any
) -> None:
    def nowhere() -> str:
        raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found")

    monkeypatch.setattr("routilux.cli.moving.gettempdir", nowhere)
    error = stranded()
    assert (capfdbinary.readouterr().err, error.file) == (b'{"job": 1}', "")
    assert for_the_command_line(str(error), Invocation.of([])) == (
        "lost; if the store lists it as moved, its document was written to stderr before this: "
        "`routilux import --reclaim` takes it back"
    )


def test_without_the_classes_of_its_values_nothing_is_moved(folder: Path, failed: str) -> None:
    code, output, errors = in_process(folder, "export", failed)
    assert (code, output, "Money" in errors) == (1, "", True)
    assert documents("jobs")[0]["status"] == "failed"


@pytest.fixture
def keys(folder: Path) -> str:
    for name in ("HMAC-SHA256", "AES-256-GCM"):
        routilux("keys", "keys.json", "--add", name, "--id", name)
    return "keys.json"


@pytest.mark.parametrize(
    "options", [["--compress"], ["--key-file", "keys.json"], ["--key-file", "keys.json", "--encrypt", "--compress"]]
)
def test_a_file_is_made_if_asked(folder: Path, failed: str, keys: str, options: list[str]) -> None:
    result = routilux("export", failed, *options)
    ring = load_keys(keys) if "--key-file" in options else None
    assert unpack(result.stdout_bytes, keys=ring)["job"]["job_id"] == failed
    assert documents("jobs")[0]["status"] == "moved"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--encrypt"], "there is no key to encrypt with"),
        (["--key-file", "public.json"], "none of the keys can sign"),
        (["--key-file", "none.json"], "No such file"),
    ],
)
def test_what_the_keys_cannot_do_moves_nothing(
    folder: Path, failed: str, keys: str, options: list[str], said: str
) -> None:
    routilux("keys", keys, "--retire", "HMAC-SHA256")
    routilux("keys", "public.json", "--add", "Ed25519")
    routilux("keys", "public.json", "--public", "public.json")
    result = routilux("export", failed, *options)
    assert (result.exit_code, result.stdout, said in result.stderr) == (1, "", True)
    assert documents("jobs")[0]["status"] == "failed"


def test_a_file_that_could_not_be_written_leaves_the_job_where_it_was(folder: Path, failed: str) -> None:
    with open("/dev/full", "w") as full:
        code, _, errors = finish(start(folder, "export", failed, "--compress", "--app", "shop", stdout=full))
    assert (code, errors.count("\n")) == (1, 1)
    assert "is where it was" in errors
    assert documents("jobs")[0]["status"] == "failed"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "give -o FILE, or --copy to look"),
        (["--compress"], "give -o FILE, or --copy to look"),
        (["--compress", "--copy"], "no text; give -o FILE"),
    ],
)
def test_a_job_is_not_moved_to_a_terminal(folder: Path, failed: str, options: list[str], said: str) -> None:
    mine, terminal = os.openpty()
    code, _, errors = finish(start(folder, "export", failed, *options, "--app", "shop", stdout=terminal))
    os.close(terminal)
    os.close(mine)
    assert (code, said in errors) == (2, True)
    assert documents("jobs")[0]["status"] == "failed"


def test_a_copy_may_be_looked_at_on_a_terminal(folder: Path, failed: str) -> None:
    mine, terminal = os.openpty()
    process = start(folder, "export", failed, "--copy", "--app", "shop", stdout=terminal)
    os.close(terminal)
    assert all_of(mine).startswith("{")
    os.close(mine)
    assert finish(process)[0] == 0


def test_a_job_goes_to_a_file_of_its_own(folder: Path, failed: str) -> None:
    result = routilux("export", failed, "-o", "job.json")
    assert (result.exit_code, result.stdout) == (0, f"job {failed} was moved to job.json (epoch 1)\n")
    assert json.loads((folder / "job.json").read_text())["job"]["job_id"] == failed
    assert documents("jobs")[0]["status"] == "moved"
    assert [path.name for path in folder.iterdir() if "job.json" in path.name] == ["job.json"]


@pytest.mark.parametrize("options", [["--compress"], ["--key-file", "keys.json", "--encrypt"]])
def test_so_does_a_file_that_is_sealed(folder: Path, failed: str, keys: str, options: list[str]) -> None:
    assert documents("export", failed, "-o", "job.transfer", *options) == {
        "job_id": failed,
        "file": "job.transfer",
        "moved": True,
    }
    ring = load_keys(keys) if "--key-file" in options else None
    assert unpack((folder / "job.transfer").read_bytes(), keys=ring)["job"]["job_id"] == failed


def test_a_copy_in_a_file_is_another_job(folder: Path, failed: str) -> None:
    result = routilux("export", failed, "-o", "job.json", "--copy")
    copied = json.loads((folder / "job.json").read_text())["job"]["job_id"]
    assert result.stdout == f"a copy of job {failed} is in job.json, as job {copied}\n"
    assert (copied == failed, documents("jobs")[0]["status"]) == (False, "failed")


def test_a_file_that_is_there_is_not_written_over(folder: Path, failed: str, completed: str) -> None:
    routilux("export", failed, "-o", "job.json")
    before = (folder / "job.json").read_bytes()
    result = routilux("export", completed, "-o", "job.json")
    assert (result.exit_code, "job.json is there already, and may hold a job" in result.stderr) == (2, True)
    assert (folder / "job.json").read_bytes() == before
    assert documents("show", completed)["job"]["status"] == "completed"


def test_on_a_full_disk_the_job_has_never_left(folder: Path, failed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("routilux._files.os.fsync", full)
        result = routilux("export", failed, "-o", "job.json")
    assert (result.exit_code, "No space left on device" in result.stderr) == (1, True)
    assert (documents("jobs")[0]["status"], documents("jobs")[0]["epoch"]) == ("failed", 0)
    assert [path.name for path in folder.iterdir() if "job.json" in path.name] == []
