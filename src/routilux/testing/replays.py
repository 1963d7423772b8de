"""Failures of checks as files, and a check run again from one."""

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

from routilux._records import Data
from routilux.errors import DefinitionError
from routilux.flow import Flow
from routilux.testing.session import folder_of_replays
from routilux.testing.trial import Result, Trial, trial_of
from serilux import decode, encode, real_module
from serilux.errors import DocumentError

REPLAY_FORMAT = 1
_FIELDS = ("format", "check", "place", "step", "seed", "entry", "params", "deliveries", "result", "ends", "flow")
Place = dict[str, Any]
"""Where and how a check disturbs a job, as plain JSON."""


def write_replay(trial: Trial, check: str, place: Place, step: str, evidence: Data) -> Path:
    """Write down a failure, with all that it takes to run it again, but for secrets; `evidence` is for people."""
    document = {
        "format": REPLAY_FORMAT,
        "check": check,
        "place": place,
        "step": step,
        "seed": trial.seed,
        "entry": trial.entry,
        "params": encode(trial.params, "params"),
        "deliveries": encode([list(delivery) for delivery in trial.deliveries], "deliveries"),
        "result": name_of(trial.result),
        "ends": trial.ends,
        "flow": trial.document,
        "evidence": evidence,
    }
    folder = folder_of_replays()
    folder.mkdir(parents=True, exist_ok=True)
    name = re.sub(r"[^\w.-]+", "_", f"{check}-{trial.document['flow_id']}")[:80]
    path = folder / f"{name}-{uuid4().hex[:8]}.json"
    path.write_text(trial.discreet(json.dumps(document, indent=1, default=repr)), encoding="utf-8")
    return path


def read_replay(
    path: str | Path,
    flow: Flow | Callable[[], Flow] | None,
    result: Result | None,
    setup: Callable[[], object] | None,
) -> tuple[Trial, str, Place]:
    """The trial, the check and the place that a file is about; DocumentError where it is no such file."""
    document = _document(path)
    if flow is None:
        flow = Flow()
        flow.deserialize(document["flow"])
    trial = trial_of(
        flow,
        document["entry"],
        decode(document["params"], "params"),
        decode(document["deliveries"], "deliveries"),
        result,
        setup,
        document["ends"],
        document["seed"],
    )
    if name_of(trial.result) != document["result"]:
        raise DefinitionError(f"what was compared is {document['result']}; give replay that function as `result=`")
    return trial, document["check"], document["place"]


def _document(path: str | Path) -> Data:
    try:
        document = json.loads(Path(path).read_text(encoding="utf-8"))
    except ValueError as error:
        raise DocumentError(f"the file is no JSON: {error}", str(path)) from error
    if not isinstance(document, dict) or not set(_FIELDS) <= document.keys():
        raise DocumentError("this is no file of a check that failed", str(path))
    if document["format"] != REPLAY_FORMAT:
        raise DocumentError(f"format {document['format']!r}; this routilux reads {REPLAY_FORMAT}", str(path))
    return document


def name_of(function: Callable[..., Any]) -> str:
    """A function as people know it."""
    return f"{getattr(function, '__module__', '')}:{getattr(function, '__qualname__', type(function).__name__)}"


def modules_of(trial: Trial) -> list[str]:
    """The modules of users' that a process has to import to know the flow: of its routines, functions and maker."""
    flow = trial.source if isinstance(trial.source, Flow) else trial.source()
    names = {real_module(type(routine).__module__) for routine in flow.routines.values()}
    if not isinstance(trial.source, Flow):
        names.add(real_module(getattr(trial.source, "__module__", None) or "__main__"))
    for routine in flow.routines.values():
        for slot in routine.slots.values():
            functions = (slot.handler, slot.merge_strategy, slot.when)
            names |= {real_module(f.__module__) for f in functions if callable(f) and hasattr(f, "__module__")}
    library = {name for name in names if name.split(".")[0] in ("routilux", "serilux", "builtins")}
    return sorted(name for name in names - library if name in sys.modules)
