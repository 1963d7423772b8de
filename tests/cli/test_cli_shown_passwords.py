"""The command that is suggested has no password in it: what is printed may be kept in a log."""

import pytest

from routilux.cli.invocation import Invocation


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://ann:pa55@host/jobs", "'postgresql://ann:***@host/jobs'"),
        ("postgresql://host/jobs?user=ann&password=pa55", "'postgresql://host/jobs?user=ann&password=***'"),
        ("postgresql://ann@host/jobs", "postgresql://ann@host/jobs"),
        ("sqlite:///mine.db", "sqlite:///mine.db"),
    ],
)
def test_a_suggested_command_leaves_a_password_out(url: str, shown: str) -> None:
    given = Invocation.of(["show", "--store", url, "--app", "shop"])
    assert given.command("resume", "job-1") == f"routilux resume job-1 --store {shown} --app shop"
    assert given.plain("show", "job-1") == f"routilux show job-1 --store {shown}"
