"""Transfer files of every layout that was ever written are read, and the job in them is brought to its end."""

import json
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from routilux.transfer import Compression, KeyAlgorithm, KeyRing, inspect, load_keys, read, save_keys, unpack
from routilux.transfer.container import LAYOUT
from routilux.transfer.header import Header
from tests.golden import flows  # noqa: F401  # whose classes the documents name
from tests.golden.finishing import Stage, finish, outcome
from tests.golden.golden import FORMATS
from tests.golden.make import FILES, KEYS, make_files

FILES_THERE = [path for root in FORMATS for path in sorted((root / "files").glob("*.transfer"))]
NEWEST = FILES_THERE[-1].parent


def named(path: Path) -> str:
    return f"{path.parts[-3]}-{path.stem}"


@cache
def keys_in(folder: Path) -> KeyRing:
    """The keys beside golden files: of a copy that nobody else can read, as it has to be."""
    with TemporaryDirectory() as private:
        return load_keys(copy_for_owner(folder / "keys.json", Path(private)))


def copy_for_owner(path: Path, folder: Path) -> Path:
    copy = folder / path.name
    copy.touch(mode=0o600)
    copy.write_bytes(path.read_bytes())
    return copy


def keys_for(path: Path) -> KeyRing | None:
    """All keys for a file that somebody vouches for; those with which it is only encrypted, where it is not signed."""
    header, ring = inspect(path), keys_in(path.parent)
    if header.signature is None:
        ring = KeyRing(key for key in ring.keys if key.encrypts)
    return None if header.signature is None and header.encryption is None else ring


def moved(path: Path) -> tuple[Any, Any]:
    """The document that is in each file, and what is to become of the job."""
    folder = path.parents[1] / "transfers" / "moved"
    return tuple(json.loads((folder / name).read_text()) for name in ("transfer.json", "story.json"))


@pytest.mark.parametrize("path", FILES_THERE, ids=named)
def test_the_job_in_a_file_comes_to_its_end(path: Path) -> None:
    _, story = moved(path)
    stage = Stage(story["at"])
    flow, job_state = read(path, keys=keys_for(path), flow=stage.flow)
    finish(stage, flow, job_state, story["steps"])
    assert outcome(job_state) == story["end"]


@pytest.mark.parametrize("path", FILES_THERE, ids=named)
def test_what_is_in_a_file_is_what_was_put_into_it_and_its_keys_vouch_for_it(path: Path) -> None:
    keys, found = keys_for(path), inspect(path, keys=keys_for(path))
    assert unpack(path.read_bytes(), keys=keys) == moved(path)[0]
    assert (found.intact, found.verified, found.problem) == (True, None if keys is None else True, None)


@pytest.mark.parametrize("name", [name for name, settings in FILES.items() if not settings.get("compress")])
def test_it_is_written_so_today(name: str, tmp_path: Path) -> None:  # what compresses may change its mind
    make_files(tmp_path / "files", moved(NEWEST / "plain.transfer")[0])
    assert (tmp_path / "files" / f"{name}.transfer").read_bytes() == (NEWEST / f"{name}.transfer").read_bytes()


def test_keys_are_read_and_written_as_they_were(tmp_path: Path) -> None:
    read_keys = keys_in(NEWEST)
    save_keys(tmp_path / "keys.json", read_keys)
    assert (tmp_path / "keys.json").read_bytes() == (NEWEST / "keys.json").read_bytes()
    assert repr(read_keys) == repr(KEYS)


def test_all_that_a_file_can_be_some_file_is() -> None:
    found = [inspect(path) for path in sorted(NEWEST.glob("*.transfer"))]
    assert {each.compression for each in found} == set(Compression)
    used = {part.algorithm for each in found for part in (each.signature, each.encryption) if part is not None}
    assert used == set(KeyAlgorithm)
    assert {field for field in Header.__struct_fields__ if all(not getattr(each, field) for each in found)} == set()
    assert {each.layout for each in found} == {LAYOUT}
    assert {path.stem for path in NEWEST.glob("*.transfer")} == set(FILES)
