"""What makes golden documents still does: for each of the newest format there is a scene, and for each scene one."""

from pathlib import Path

from routilux._backends.sqlite import SQLiteBackend
from routilux._migrations import CURRENT_FORMAT
from tests.golden.golden import BY_HAND, FORMATS, number_of
from tests.golden.make import (
    FLOWS,
    KNOWN,
    MOVED,
    MOVED_TOO,
    PLANNED,
    leave_all,
    make_flows,
    make_jobs,
    make_known,
    make_planned,
)
from tests.golden.scenes import SCENES
from tests.golden.stored_scenes import STORED_SCENES

ROOTS = [root for root in FORMATS if number_of(root) == CURRENT_FORMAT]
ROOT = ROOTS[0]


def names(folder: Path) -> set[str]:
    return {path.stem for path in folder.iterdir()}


def test_flows_and_jobs_are_made_of_which_each_has_its_golden_document(tmp_path: Path) -> None:
    make_flows(tmp_path / "flows")
    make_jobs(tmp_path / "jobs")  # which compares the ends of jobs with and without their documents
    assert names(tmp_path / "flows") == set(FLOWS) == names(ROOT / "flows")
    assert names(tmp_path / "jobs") | {BY_HAND} == {*SCENES, BY_HAND} == names(ROOT / "jobs")


def test_stored_jobs_are_made_of_which_each_has_its_story(tmp_path: Path) -> None:
    left = leave_all(SQLiteBackend(tmp_path / "jobs.db"), STORED_SCENES)
    stories = {path.stem for root in ROOTS for path in root.glob("stores/jobs/*.json")}
    assert set(left) == set(STORED_SCENES) == stories | {MOVED}
    make_planned(tmp_path / PLANNED)
    make_known(tmp_path / KNOWN)
    assert names(ROOT / "transfers") == {MOVED, *MOVED_TOO, PLANNED, KNOWN}
