"""Every public name has a docstring, and the examples in them run."""

import doctest
import inspect

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
def test_the_examples_of_a_docstring_print_what_they_say(name: str) -> None:
    parser, runner = doctest.DocTestParser(), doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    text = inspect.getdoc(resolve(name)) or ""
    test = parser.get_doctest(text, {"__name__": "examples_of_docstrings"}, name, None, 0)
    report: list[str] = []
    runner.run(test, out=report.append)
    assert "".join(report) == ""
    assert bool(test.examples) == (name in WITH_EXAMPLES)
