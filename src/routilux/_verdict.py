"""What a check of a job against a flow has found (law 7)."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Self

from routilux._plan import Plan


class Fit(StrEnum):
    """Whether a job can go on in a flow.

    `fits`: as it is. `needs a plan`: when somebody has said what became of a name, or of a task. `breaks`: what it has
    to do means nothing in this flow; the code can be mended, or the work dropped.
    """

    FITS = "fits"
    NEEDS_PLAN = "needs a plan"
    BREAKS = "breaks"


_SEVERITY = (Fit.FITS, Fit.NEEDS_PLAN, Fit.BREAKS)


def worst(fits: Iterable[Fit]) -> Fit:
    """The worst of them; nothing fits."""
    return max(fits, key=_SEVERITY.index, default=Fit.FITS)


class Finding(str):
    """One thing that a check has found: a text, with the same facts as attributes.

    `what` is found at `place` in the documents (`pending_tasks[0]`, `slot_data.clean.input`, `routines.clean`);
    `routine_id` and `slot` are None where it is about none. `fit` says how bad it is, `means` what it means for what
    the job still has to do, `remedy` what there is to do about it. `hint` is a plan that would mend it, where there is
    just one that seems to; nobody but you can know whether it is right.
    """

    __slots__ = ("fit", "hint", "means", "place", "remedy", "routine_id", "slot", "what")

    what: str
    place: str
    routine_id: str | None
    slot: str | None
    fit: Fit
    means: str
    remedy: str
    hint: Plan | None

    def __new__(
        cls,
        what: str,
        place: str = "",
        routine_id: str | None = None,
        slot: str | None = None,
        *,
        fit: Fit = Fit.FITS,
        means: str = "",
        remedy: str = "",
        hint: Plan | None = None,
    ) -> Self:
        finding = super().__new__(cls, "; ".join(part for part in (what, means, _to_do(remedy, hint)) if part))
        finding.what, finding.place, finding.routine_id, finding.slot = what, place, routine_id, slot
        finding.fit, finding.means, finding.remedy, finding.hint = fit, means, remedy, hint
        return finding


def _to_do(remedy: str, hint: Plan | None) -> str:
    return remedy if hint is None else with_hint(str(hint), remedy)


def with_hint(hint: str, remedy: str) -> str:
    """What there is to do where a plan seems to mend it, and where that is not right."""
    return f"with {hint} it would fit, if that is right" + (f"; else {remedy}" if remedy else "")


class Verdict(list[Finding]):
    """The findings that make `resume` refuse a job; beside them, as `notes`, those that do not.

    A job whose verdict is empty goes on. `fit` sums it up. Notes say what is worth knowing before it does: that the
    flow has changed since, and what of that concerns this job; which slots only the document or only the class has,
    which data `resume` leaves where it is.
    """

    def __init__(self, problems: Iterable[Finding] = (), notes: Iterable[Finding] = ()) -> None:
        super().__init__(problems)
        self.notes = list(notes)

    @property
    def fit(self) -> Fit:
        """Whether the job goes on, would with a plan, or not at all."""
        return worst(finding.fit for finding in self)
