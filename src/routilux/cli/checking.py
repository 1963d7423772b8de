"""The command that says whether jobs could go on with the code that is here: check."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from routilux._plan import Plan
from routilux._records import Data
from routilux._verdict import Finding, Fit, with_hint, worst
from routilux.cli.given import Given, given_by
from routilux.cli.options import (
    DEFAULT_STORE,
    LARGEST,
    Code,
    Json,
    KeyFile,
    MaxSize,
    PlanFiles,
    StoreUrl,
    existing_store,
    keys_in,
    transfer_file,
)
from routilux.cli.printing import print_json, print_lines, readable_json
from routilux.cli.suggestion import Suggestions
from routilux.cli.user_output import users_output
from routilux.stores import Checked
from routilux.stores.host import Host
from routilux.stores.transfer import check_transfer
from routilux.transfer.passing import read_document

EXIT_CODES = {Fit.FITS: 0, Fit.NEEDS_PLAN: 1, Fit.BREAKS: 2}
_COUNTED = {Fit.FITS: "fit", Fit.NEEDS_PLAN: "need a plan", Fit.BREAKS: "break"}
_File = Annotated[
    Path | None, typer.Argument(metavar="FILE", help="What `export` wrote, - is stdin; without it, the store's jobs.")
]


def check(
    file: _File = None,
    key_file: KeyFile = None,
    max_size: MaxSize = LARGEST,
    app: Code = None,
    plan: PlanFiles = None,
    store: StoreUrl = DEFAULT_STORE,
    json: Json = False,
) -> int:
    """Say of jobs that have not settled whether they could go on with this code; nothing is changed by that."""
    given, keys = given_by(app, plan, as_json=json), keys_in(key_file)
    exported = None if file is None else read_document(transfer_file(file), keys=keys, max_size=max_size)
    count: Counter[Fit] = Counter()
    documents, suggestions = [], Suggestions(given.plans)
    with users_output(as_json=json):
        for checked in _checked(exported, store, given):
            count[checked.verdict.fit] += 1
            suggestions.add(checked)
            if json:
                documents.append(_document(checked))
            else:
                print_lines(_lines(checked))
    if json:
        print_json({"jobs": documents, "suggested_plans": suggestions.documents()})
    else:
        print_lines(_summary(count, suggestions))
    return EXIT_CODES[worst(count)]


def _checked(exported: Data | None, store: str, given: Given) -> Iterator[Checked]:
    if exported is not None:
        yield check_transfer(exported, Host(*given))
        return
    with existing_store(store) as opened:
        yield from opened.check(**given._asdict())


def _lines(checked: Checked) -> Iterator[str]:
    """A job and its verdict; below, what is wrong, what there is to do, and notes, once for all that is alike."""
    yield f"job {checked.job_id} of flow {checked.flow_id!r}, {checked.status}, {checked.verdict.fit}"
    alike: dict[tuple[str | None, str | None, str], list[Finding]] = {}
    for finding in checked.verdict:
        alike.setdefault((finding.routine_id, finding.slot, finding.remedy), []).append(finding)
    for (*_, remedy), (first, *others) in alike.items():
        yield f"  {_said(first, others)}"
        if remedy:
            yield f"    to do: {remedy if first.hint is None else with_hint(_as_json(first.hint), remedy)}"
    yield from _notes(checked.verdict.notes)


def _notes(notes: list[Finding]) -> Iterator[str]:
    """What does not keep a job from going on; what says the same of several places is alike."""
    alike: dict[tuple[str, str], list[Finding]] = {}
    for note in notes:
        alike.setdefault((note.what.removeprefix(note.place), note.means), []).append(note)
    for first, *others in alike.values():
        yield f"  note: {_said(first, others)}"


def _said(first: Finding, others: list[Finding]) -> str:
    more = f" (and {len(others)} more like it)" if others else ""
    means = f"; {first.means}" if first.means else ""
    return f"{first.what}{means}{more}"


def _as_json(plan: Plan) -> str:
    return f"the plan {readable_json(plan.document())}"


def _document(checked: Checked) -> dict[str, Any]:
    return {
        "job_id": checked.job_id,
        "flow_id": checked.flow_id,
        "status": checked.status,
        "verdict": checked.verdict.fit.value,
        "problems": [_finding(finding) for finding in checked.verdict],
        "notes": [_finding(finding) for finding in checked.verdict.notes],
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "what": finding.what,
        "means": finding.means,
        "remedy": finding.remedy,
        "place": finding.place,
        "routine_id": finding.routine_id,
        "slot": finding.slot,
        "verdict": finding.fit.value,
        "hint": None if finding.hint is None else finding.hint.document(),
    }


def _summary(count: Counter[Fit], suggestions: Suggestions) -> Iterator[str]:
    jobs = "1 job" if count.total() == 1 else f"{count.total()} jobs"
    yield f"{jobs}: {', '.join(f'{count[fit]} {said}' for fit, said in _COUNTED.items())}"
    for document in suggestions.documents():
        yield "what has just one likely meaning is in this plan; only you can know whether it is right:"
        yield from readable_json(document, indent=2).split("\n")
