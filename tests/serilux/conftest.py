"""Limits are settings of the process: whatever a test sets, the next one finds those of before."""

from collections.abc import Iterator

import pytest

from serilux import get_limits, set_limits


@pytest.fixture(autouse=True)
def limits_restored() -> Iterator[None]:
    before = get_limits()
    yield
    set_limits(before)
