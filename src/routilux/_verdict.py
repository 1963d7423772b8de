"""What a check of a job against a flow has found (law 7)."""

from collections.abc import Iterable
from typing import Self


class Finding(str):
    """One thing that a check has found: a text, with the same facts as attributes.

    `place` says where in the documents it is (`pending_tasks[0]`, `slot_data.clean.input`, `routines.clean`);
    `routine_id` and `slot` are None where it is about none.
    """

    __slots__ = ("place", "routine_id", "slot")

    place: str
    routine_id: str | None
    slot: str | None

    def __new__(cls, text: str, place: str = "", routine_id: str | None = None, slot: str | None = None) -> Self:
        finding = super().__new__(cls, text)
        finding.place, finding.routine_id, finding.slot = place, routine_id, slot
        return finding


class Verdict(list[Finding]):
    """The findings that make `resume` refuse a job; beside them, as `notes`, those that do not.

    A job whose verdict is empty goes on. Notes say what is worth knowing before it does: that the flow has changed
    since, which slots only the document or only the class has, which data `resume` leaves where it is.
    """

    def __init__(self, problems: Iterable[Finding] = (), notes: Iterable[Finding] = ()) -> None:
        super().__init__(problems)
        self.notes = list(notes)
