"""That nothing which an attempt did, or somebody asks for, puts a secret of the flow into its job."""

from collections.abc import Iterator
from typing import Any

from routilux._context import Activation
from routilux._records import Changes
from routilux._secrecy import Secrecy
from routilux.errors import SecretError


def secret_in_outcome(secrecy: Secrecy, activation: Activation, changes: Changes | None) -> SecretError | None:
    """Why what an attempt has done cannot be committed; None where nothing is wrong with it."""
    try:
        for place, value in (*_emitted(activation), *_changed(changes)):
            secrecy.check(value, place)
    except SecretError as error:
        return error
    return None


def _emitted(activation: Activation) -> Iterator[tuple[str, Any]]:
    for record in list(activation.outbox):  # a handler that was given up may still be adding to it
        yield f"what {record.routine_id!r} emits as {record.event_name!r}: data", record.content
    for emission in (activation.routing or {}).values():
        yield f"what {activation.handler.routine_id!r} emits: metadata", emission.metadata


def _changed(changes: Changes | None) -> Iterator[tuple[str, Any]]:
    if changes is not None:
        yield "shared_data", changes.written
        yield "shared_log", changes.logged
        yield "the routine's state", changes.state
