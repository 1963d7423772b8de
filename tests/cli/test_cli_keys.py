"""`routilux keys`: a file of keys, and how it changes."""

import json
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from routilux.transfer import load_keys
from tests.cli.commands import documents, routilux


def facts() -> list[tuple[str, bool, bool]]:
    return [(key["key_id"], key["public"], key["retired"]) for key in documents("keys", "keys.json")]


def test_a_file_is_made_and_changed_key_by_key(folder: Path) -> None:
    assert routilux("keys", "keys.json", "--add", "Ed25519", "--id", "first").exit_code == 0
    routilux("keys", "keys.json", "--add", "AES-256-GCM", "--id", "second")
    routilux("keys", "keys.json", "--add", "HMAC-SHA256", "--retire", "first", "--id", "third")
    assert facts() == [("third", False, False), ("second", False, False), ("first", False, True)]
    assert stat.S_IMODE((folder / "keys.json").stat().st_mode) == 0o600
    result = routilux("keys", "keys.json", "--public", "public.json")
    assert result.stdout.splitlines() == [
        "key     algorithm",
        "third   HMAC-SHA256",
        "second  AES-256-GCM",
        "first   Ed25519      retired",
    ]
    assert [(key.key_id, key.secret) for key in load_keys("public.json").keys] == [("first", None)]
    assert "public part, retired" in routilux("keys", "public.json").stdout


def test_a_key_without_an_id_is_called_by_the_day(folder: Path) -> None:
    for _ in range(2):
        routilux("keys", "keys.json", "--add", "HMAC-SHA256")
    newest, oldest = (name for name, _, _ in facts())
    assert oldest <= datetime.now(UTC).date().isoformat()
    assert newest == f"{oldest}-2"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ([], 2, "--add ALGORITHM` makes it"),
        (["--retire", "x"], 2, "--add ALGORITHM` makes it"),
        (["--add", "RSA"], 1, "unknown algorithm 'RSA'"),
        (["--id", "x"], 2, "give --add too"),
    ],
)
def test_what_cannot_be_done_changes_nothing(folder: Path, arguments: list[str], code: int, said: str) -> None:
    result = routilux("keys", "keys.json", *arguments)
    assert (result.exit_code, said in result.stderr, (folder / "keys.json").exists()) == (code, True, False)


def test_an_id_that_is_taken_or_not_there_is_told(folder: Path) -> None:
    routilux("keys", "keys.json", "--add", "HMAC-SHA256", "--id", "first")
    for arguments, said in ((["--add", "Ed25519", "--id", "first"], "two keys"), (["--retire", "x"], "no key 'x'")):
        result = routilux("keys", "keys.json", *arguments, "--json")
        assert (result.exit_code, said in json.loads(result.stderr)["error"]["message"]) == (1, True)
    assert facts() == [("first", False, False)]


def test_the_secrets_are_not_shown(folder: Path) -> None:
    routilux("keys", "keys.json", "--add", "HMAC-SHA256")
    secret = json.loads((folder / "keys.json").read_text())["keys"][0]["secret"]
    assert secret not in routilux("keys", "keys.json").stdout + routilux("keys", "keys.json", "--json").stdout


def test_an_empty_ring_is_said_to_be_one(folder: Path) -> None:
    (folder / "keys.json").write_text('{"format": 1, "keys": []}')
    assert routilux("keys", "keys.json").stdout == "no keys\n"
