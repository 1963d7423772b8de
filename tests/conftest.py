"""Hypothesis profiles, `default`, `soak` and `mutation`, for `make` of that name. Fixtures of more than one folder."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, settings

from serilux import get_limits, set_limits

pytest_plugins = ["pytester", "tests.stores.postgres_fixtures"]
PARTS = ("parts", "journal", "keeping", "namesakes", "ownership")
for part in PARTS:  # the suite shipped for stores says what it compared
    pytest.register_assert_rewrite(f"routilux.testing.conformance_{part}")

settings.register_profile("default", max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("soak", settings.get_profile("default"), max_examples=2_500)
settings.register_profile(
    "mutation",
    settings.get_profile("default"),
    max_examples=5,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
)
settings.load_profile("default")


@pytest.fixture(autouse=True)
def limits_restored() -> Iterator[None]:
    """Limits are settings of the process: whatever a test sets, the next one finds those of before."""
    before = get_limits()
    yield
    set_limits(before)
