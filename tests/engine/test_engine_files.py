"""Files that hold no job."""

from pathlib import Path

import pytest

from routilux import JobState
from serilux import DocumentError, LimitError


@pytest.mark.parametrize("text", ["", "{", "\udcff".encode("utf-8", "surrogateescape").decode("latin-1")])
def test_a_file_that_is_no_json_is_refused_with_its_path(tmp_path: Path, text: str) -> None:
    file = tmp_path / "job.json"
    file.write_bytes(text.encode("latin-1"))
    with pytest.raises(DocumentError, match="the file is no JSON") as refusal:
        JobState.load(file)
    assert refusal.value.path == str(file)


def test_a_file_that_nests_too_deeply_is_refused_with_its_path(tmp_path: Path) -> None:
    file = tmp_path / "job.json"
    file.write_text("[" * 200_000)
    with pytest.raises(LimitError, match="nested too deeply") as refusal:
        JobState.load(file)
    assert refusal.value.path == str(file)
