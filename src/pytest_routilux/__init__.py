"""The pytest plugin of routilux: fixtures, and a seed for the checks of `routilux.testing`.

pytest loads it with every run, so it imports nothing of routilux before a test asks for it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Generator, Iterator
from random import SystemRandom
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:  # to import them is what this module must not do
    from routilux.stores.store import Store
    from routilux.testing.step_runner import StepRunner
    from routilux.testing.virtual_clock import VirtualClock

_SEED, _REPLAYS = "ROUTILUX_SEED", "ROUTILUX_REPLAYS"
_FIXTURES = frozenset({"routilux_seed", "step_runner"})
_CHECKS = "routilux.testing.failed_checks"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("routilux")
    group.addoption("--routilux-seed", type=int, metavar="N", help="choose the schedules of concurrent flows by N")
    group.addoption("--routilux-replays", metavar="DIR", help="write the files of failed checks of flows to DIR")


def pytest_configure(config: pytest.Config) -> None:
    """Have `routilux.testing` know the seed, one for all workers of pytest-xdist, and the folder."""
    option = config.option
    if option.routilux_seed is None:
        option.routilux_seed = int(os.environ.get(_SEED) or SystemRandom().randrange(2**32))
    given = {_SEED: str(option.routilux_seed)}
    if option.routilux_replays is not None:
        given[_REPLAYS] = os.path.abspath(option.routilux_replays)
    before = {name: os.environ.get(name) for name in given}
    os.environ.update(given)
    config.add_cleanup(lambda: _restore(before))


def _restore(environment: dict[str, str | None]) -> None:
    for name, value in environment.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def pytest_report_header(config: pytest.Config) -> str:
    """Say which seed it is."""
    return f"routilux: --routilux-seed={config.option.routilux_seed}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Say with a failure that depends on the seed how to have it again."""
    report = yield
    if report.failed and (_uses_the_seed(item) or _is_a_check(call)):
        again = f"the same schedules again: pytest --routilux-seed={item.config.option.routilux_seed} {item.nodeid!r}"
        report.sections.append(("routilux", again))
    return report


def _uses_the_seed(item: pytest.Item) -> bool:
    return not _FIXTURES.isdisjoint(getattr(item, "fixturenames", ()))


def _is_a_check(call: pytest.CallInfo[None]) -> bool:
    checks = sys.modules.get(_CHECKS)
    return checks is not None and call.excinfo is not None and isinstance(call.excinfo.value, checks.CheckFailed)


@pytest.fixture
def routilux_seed(pytestconfig: pytest.Config) -> int:
    """The seed of this session."""
    seed: int = pytestconfig.option.routilux_seed
    return seed


@pytest.fixture
def virtual_clock() -> VirtualClock:
    """A clock that moves when told to."""
    from routilux.testing import VirtualClock  # noqa: PLC0415

    return VirtualClock()


@pytest.fixture
def step_runner(virtual_clock: VirtualClock, routilux_seed: int) -> StepRunner:
    """A runner on the virtual clock, for flows made with `engine_factory=step_runner.engine`.

    Concurrent activations overlap as the seed chooses.
    """
    from routilux.testing import StepRunner  # noqa: PLC0415

    return StepRunner(virtual_clock, seed=routilux_seed)


@pytest.fixture
def job_store() -> Iterator[Store]:
    """A store in memory."""
    from routilux.stores import open_store  # noqa: PLC0415

    with open_store("memory:") as store:
        yield store
