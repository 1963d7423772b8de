"""Hypothesis profiles: `default` for `make test`, `soak` for `make soak`. Fixtures of more than one folder."""

import pytest
from hypothesis import HealthCheck, settings

pytest_plugins = ["pytester", "tests.stores.postgres_fixtures"]
for part in ("parts", "journal", "keeping", "ownership"):  # the suite shipped for stores says what it compared
    pytest.register_assert_rewrite(f"routilux.testing.conformance_{part}")

settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("soak", settings.get_profile("default"), max_examples=5_000)
settings.load_profile("default")
