"""`routilux inspect`: what is in a file, without the code that made it."""

import json
from pathlib import Path

import pytest

from tests.cli.commands import documents, finish, in_process, routilux, start


@pytest.fixture
def keys(folder: Path) -> str:
    for name in ("Ed25519", "AES-256-GCM"):
        routilux("keys", "keys.json", "--add", name, "--id", name.lower()[:3])
    return "keys.json"


def exported(folder: Path, job_id: str, *options: str) -> str:
    result = routilux("export", job_id, "--copy", *options)
    assert (result.exit_code, result.stderr) == (0, "")
    (folder / "job.transfer").write_bytes(result.stdout_bytes)
    return "job.transfer"


def test_a_file_tells_its_job_where_none_of_its_classes_is_known(folder: Path, failed: str) -> None:
    file = exported(folder, failed, "--compress")
    code, output, errors = in_process(folder, "inspect", file)
    lines = output.splitlines()
    assert (code, errors) == (0, "")
    assert lines[0].endswith("of flow 'shop' is failed, epoch 0")
    assert " before zlib" in lines[1]
    assert lines[2] == "not signed"
    assert lines[3].startswith("digest sha256:")
    assert lines[4] == "it is whole"
    assert any(line.startswith("billing  failed") for line in lines)


def test_plain_json_is_inspected_likewise(folder: Path, failed: str) -> None:
    (folder / "transfer.json").write_text(text := routilux("export", failed).stdout)
    told = documents("inspect", "transfer.json")
    assert (told["file"]["job_id"], told["file"]["layout"], told["document"]) == (failed, None, json.loads(text)["job"])
    assert "plain JSON" in routilux("inspect", "transfer.json").stdout


def test_what_is_signed_is_shown_to_those_with_the_keys(folder: Path, failed: str, keys: str) -> None:
    file = exported(folder, failed, "--key-file", keys)
    without, by_keys = routilux("inspect", file), routilux("inspect", file, "--key-file", keys)
    assert "signed with key 'ed2' (Ed25519): not checked" in without.stdout
    assert without.stdout.endswith("what is in it is not shown: give its keys with --key-file\n")
    assert "signed with key 'ed2' (Ed25519): verified" in by_keys.stdout
    assert "billing" in by_keys.stdout
    assert (without.exit_code, by_keys.exit_code) == (0, 0)


def test_so_is_what_is_encrypted(folder: Path, failed: str, keys: str) -> None:
    file = exported(folder, failed, "--key-file", keys, "--encrypt")
    without, by_keys = documents("inspect", file), documents("inspect", file, "--key-file", keys)
    assert (without["document"], without["file"]["encryption"]["key"]) == (None, "aes")
    assert (by_keys["document"]["status"], by_keys["file"]["verified"]) == ("failed", True)
    assert "encrypted with key 'aes' (AES-256-GCM)" in routilux("inspect", file).stdout


def test_what_is_not_as_it_should_be_is_exit_code_1(folder: Path, failed: str, keys: str) -> None:
    file = exported(folder, failed, "--key-file", keys)
    content = (folder / file).read_bytes()
    (folder / "altered").write_bytes(content[:-1] + b"?")
    altered = routilux("inspect", "altered", "--key-file", keys)
    assert (altered.exit_code, "problem: its digest is another" in altered.stdout) == (1, True)
    assert altered.stdout.endswith("what is in it is not shown: it is not what it should be\n")
    routilux("keys", "other.json", "--add", "HMAC-SHA256")
    foreign = routilux("inspect", file, "--key-file", "other.json")
    assert (foreign.exit_code, "which is not known here" in foreign.stdout) == (1, True)
    assert "signed with key 'ed2' (Ed25519): not accepted" in foreign.stdout


def test_a_job_that_cannot_be_read_here_is_told(folder: Path, failed: str) -> None:
    transfer = json.loads(routilux("export", failed).stdout)
    transfer["job"]["format"] = 99
    (folder / "newer.json").write_text(json.dumps(transfer))
    result = routilux("inspect", "newer.json")
    assert (result.exit_code, "what is in it is not shown: " in result.stdout) == (0, True)
    assert "JobState format 99 is newer" in result.stdout


@pytest.mark.parametrize("content", [b"", b"nothing", b"\x89RTLX\r\n\n\0\2", b"{}"])
def test_something_else_is_refused_by_its_name(folder: Path, content: bytes) -> None:
    (folder / "odd").write_bytes(content)
    result = routilux("inspect", "odd")
    assert (result.exit_code, result.stderr.startswith("routilux: odd: ")) == (1, True)


def test_it_reads_stdin(folder: Path, failed: str) -> None:
    content = (folder / exported(folder, failed)).read_bytes()
    assert routilux("inspect", input=content).exit_code == 0
    process = start(folder, "inspect", "-")
    assert finish(process, content.decode())[0] == 0


def test_more_than_is_allowed_is_refused(folder: Path, failed: str) -> None:
    file = exported(folder, failed, "--compress")
    result = routilux("inspect", file, "--max-size", "100")
    assert (result.exit_code, "are allowed" in result.stderr) == (1, True)
