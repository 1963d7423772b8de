"""`routilux schema`: what a document looks like."""

import json

import pytest
from jsonschema import Draft202012Validator

from routilux.schemas.documents import SCHEMAS
from tests.cli.commands import documents, routilux


@pytest.mark.parametrize("kind", SCHEMAS)
def test_it_prints_the_schema_of_a_kind_of_document(kind: str) -> None:
    result = routilux("schema", kind)
    assert (result.exit_code, result.stderr, json.loads(result.stdout)) == (0, "", SCHEMAS[kind]())
    assert documents("schema", kind) == SCHEMAS[kind]()


def test_an_exported_job_is_what_it_says(failed: str) -> None:
    transfer = documents("export", failed, "--copy")
    Draft202012Validator(documents("schema", "transfer")).validate(transfer)


def test_a_document_that_there_is_not_is_refused_with_those_there_are() -> None:
    result = routilux("schema", "routine")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "'flow', 'job', 'transfer'" in result.stderr
