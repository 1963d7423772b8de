"""How much is tried: as much as a test says under the default profile, more in a soak."""

from hypothesis import settings

USUAL = 50


def examples(count: int) -> settings:
    """Settings with so many examples, times what the profile asks for beyond the usual."""
    return settings(max_examples=rounds(count))


def rounds(count: int) -> int:
    """So many rounds, times what the profile asks for beyond the usual."""
    return count * settings.default.max_examples // USUAL
