"""What all checks of flows do: run a job as it should go, then disturbed in one place after another, and compare."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import ClassVar

from routilux._records import Data
from routilux.testing.failed_checks import CheckFailed, OutcomeChanged, listed_lines
from routilux.testing.outcomes import differences
from routilux.testing.overhearing import overhearing
from routilux.testing.replays import Place, modules_of, write_replay
from routilux.testing.trial import MANY_ORDERS, MOST_STEPS, Ran, Trial


class Refuted(Exception):
    """Something that must hold in the middle of a disturbed run does not."""


class Check(ABC):
    """One kind of disturbance.

    `evidence` is what the run now being made leaves for people to look at, `most` how many steps it may take,
    `warned` what handlers have been warned of.
    """

    name: ClassVar[str]
    disturbance: ClassVar[str]

    def __init__(self) -> None:
        self.evidence: Data = {}
        self.most = MOST_STEPS
        self.warned: Iterable[str] = ()

    @abstractmethod
    def places(self, trial: Trial, undisturbed: Ran) -> Iterable[Place]:
        """Where the job is to be disturbed, a run for each."""

    @abstractmethod
    def run(self, trial: Trial, place: Place) -> Ran:
        """Run the job, disturbed in one place. Whatever it raises is a failure of the check."""

    @abstractmethod
    def step(self, place: Place, undisturbed: Ran) -> str:
        """A place in words."""

    def close(self) -> None:
        """Let go of what the runs have needed."""
        return

    def narrowed(self, trial: Trial, place: Place, undisturbed: Ran) -> Place:
        """A smaller disturbance that fails just so, if there is one."""
        return place

    def check(self, trial: Trial) -> None:
        """Try all places; OutcomeChanged, or what `Trial.repeatable` raises."""
        with overhearing(trial.job_id) as self.warned:
            self._check_all(trial, trial.repeatable())

    def check_again(self, trial: Trial, place: Place) -> None:
        """Try one place only."""
        with overhearing(trial.job_id) as self.warned:
            self._check_place(trial, place, trial.repeatable())

    def _check_all(self, trial: Trial, undisturbed: Ran) -> None:
        for place in self.places(trial, undisturbed):
            if self.changes(trial, place, undisturbed):
                trial.check_orders(undisturbed, MANY_ORDERS)
                self._check_place(trial, self.narrowed(trial, place, undisturbed), undisturbed)
                self._check_place(trial, place, undisturbed)
                raise CheckFailed(f"{self.step(place, undisturbed)}: it failed once, and not again", seed=trial.seed)

    def changes(self, trial: Trial, place: Place, undisturbed: Ran) -> list[str]:
        """What the disturbance changes."""
        trial.setup()
        self.evidence, self.most = {}, 50 + 5 * len(undisturbed.moves)
        try:
            return list(differences(undisturbed.result, self.run(trial, place).result))
        except CheckFailed:
            raise
        except Exception as error:  # noqa: BLE001 - what the library raises there is what is being looked for
            return [f"{error}" if isinstance(error, Refuted) else f"it raised {type(error).__name__}: {error}"]

    def _check_place(self, trial: Trial, place: Place, undisturbed: Ran) -> None:
        found = [trial.discreet(line) for line in self.changes(trial, place, undisturbed)]
        if not found:
            return
        step = self.step(place, undisturbed)
        evidence = self.evidence | {"undisturbed": undisturbed.result, "differences": found}
        file = write_replay(trial, self.name, place, step, evidence)
        imports = "; ".join(f"import {module}" for module in modules_of(trial))
        warned = [trial.discreet(warning) for warning in self.warned]
        cause = f"\nthat may be why:{listed_lines(warned)}" if warned else ""
        raise OutcomeChanged(
            f"{self.disturbance} changes what becomes of flow {trial.document['flow_id']!r}\n{step}:"
            f"{listed_lines(found)}{cause}\n"
            f"seed {trial.seed}; to run just this again: {imports}; routilux.testing.replay({str(file)!r})",
            seed=trial.seed,
            step=step,
            differences=found,
            file=file,
            warnings=warned,
        )
