"""Imported by another process, it breaks the engine there: a job that is read has lost the data of its slots."""

import pytest

from tests.kit.mutants import replayed

replayed(lambda job: job.slot_data.clear())(pytest.MonkeyPatch())
