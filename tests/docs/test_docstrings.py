"""Every public name has a docstring, and the examples in them run."""

import doctest
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.public_names import PUBLIC, members_of, resolve

WITH_EXAMPLES = {
    "routilux.ConditionalRouter",
    "routilux.ErrorHandler",
    "routilux.Flow",
    "routilux.JobState",
    "routilux.Routine",
    "routilux.Slot",
    "routilux.stores.open_store",
    "serilux.Serializable",
    "serilux.encode",
    "serilux.register_serializable",
}


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_says_what_it_is(name: str) -> None:
    subject = resolve(name)
    assert inspect.getdoc(subject)
    if isinstance(subject, type) and name != "routilux.testing.BackendConformance":  # whose names are sentences
        silent = [member for member in members_of(subject) if not inspect.getdoc(getattr(subject, member))]
        assert silent == []


@pytest.mark.parametrize("name", PUBLIC)
def test_the_names_with_examples_are_these(name: str) -> None:
    text = inspect.getdoc(resolve(name)) or ""
    assert bool(doctest.DocTestParser().get_examples(text)) == (name in WITH_EXAMPLES)


@pytest.mark.parametrize("name", sorted(WITH_EXAMPLES))
def test_the_examples_of_a_docstring_print_what_they_say(name: str) -> None:
    run = subprocess.run(
        [sys.executable, "-W", "error", str(Path(__file__).with_name("docstring_program.py")), *name.rsplit(".", 1)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (run.stdout, run.stderr, run.returncode) == ("", "", 0)
