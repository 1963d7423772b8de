"""What the tests of one session have in common. The pytest plugin sets it; so may whoever runs them otherwise."""

import os
import tempfile
from pathlib import Path
from random import SystemRandom

SEED = "ROUTILUX_SEED"
REPLAYS = "ROUTILUX_REPLAYS"


def chosen_seed(seed: int | None) -> int:
    """The seed that was given, or that of the session, or any."""
    if seed is not None:
        return seed
    of_session = os.environ.get(SEED)
    return SystemRandom().randrange(2**32) if of_session is None else int(of_session)


def folder_of_replays() -> Path:
    """Where checks that fail write their files to."""
    folder = os.environ.get(REPLAYS)
    return Path(tempfile.gettempdir()) / "routilux-replays" if folder is None else Path(folder)
