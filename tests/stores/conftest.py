"""The suite that is shipped for stores explains its failures as tests do."""

import pytest

for part in ("parts", "journal", "keeping", "ownership"):
    pytest.register_assert_rewrite(f"routilux.testing.conformance_{part}")
