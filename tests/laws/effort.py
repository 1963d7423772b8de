"""How many examples a property is tried with: as many as it says under the default profile, more in a soak."""

from hypothesis import settings

USUAL = 100


def examples(count: int) -> settings:
    """Settings with so many examples, times what the profile asks for beyond the usual."""
    return settings(max_examples=count * settings.default.max_examples // USUAL)
