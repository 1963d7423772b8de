"""Assertions of the shipped suite say what they compared."""

import pytest

for part in ("parts", "journal", "keeping", "ownership"):
    pytest.register_assert_rewrite(f"routilux.testing.conformance_{part}")
