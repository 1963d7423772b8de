"""Hypothesis profiles: `default` for `make test`, `soak` for `make soak`. The shipped suites say what they compared."""

import pytest
from hypothesis import HealthCheck, settings

for part in ("parts", "journal", "keeping", "ownership"):
    pytest.register_assert_rewrite(f"routilux.testing.conformance_{part}")

settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("soak", settings.get_profile("default"), max_examples=5_000)
settings.load_profile("default")
