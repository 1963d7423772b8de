"""A job on its way into a file is in its store or on disk, whatever happens in between."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from routilux import JobStateError
from routilux._core.facts import JobCancelled
from routilux._core.journal import write_record
from routilux.errors import StoreError, StoreUnavailableError
from routilux.stores import Batch, Store, open_store
from tests.stores.test_stored_transfers import finished, paused_in


@pytest.fixture
def here() -> Iterator[Store]:
    with open_store("memory:") as store:
        yield store


@pytest.fixture
def there() -> Iterator[Store]:
    with open_store("memory:") as store:
        yield store


class Gone(BaseException):
    """The process dies at this point."""


def failing(error: BaseException) -> Any:
    def fail(*_: object, **__: object) -> Any:
        raise error

    return fail


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def test_a_full_disk_is_found_before_the_job_leaves(
    here: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = paused_in(here)
    monkeypatch.setattr("routilux._files.os.fsync", failing(OSError("the disk is full")))
    with pytest.raises(StoreError, match=r"is full.*is where it was"):
        here.export_file(job_id, tmp_path / "job")
    monkeypatch.undo()
    assert (here.summary(job_id).status, here.summary(job_id).epoch, names(tmp_path)) == ("paused", 0, [])


def test_who_dies_after_the_job_has_left_has_it_on_disk(
    here: Store, there: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = paused_in(here)
    monkeypatch.setattr("routilux._files.Draft.keep", failing(Gone()))
    monkeypatch.setattr("routilux.stores.transfer.admit_transfer", failing(Gone()))
    with pytest.raises(Gone):
        here.export_file(job_id, tmp_path / "job")
    monkeypatch.undo()
    (draft,) = names(tmp_path)
    assert (here.summary(job_id).status, draft.startswith(".job.")) == ("moved", True)
    assert there.admit_file(tmp_path / draft) == job_id
    assert finished(there, job_id).status == "completed"


def test_a_file_that_cannot_have_its_name_leaves_the_job_where_it_was(
    here: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = paused_in(here)
    monkeypatch.setattr("routilux._files.os.replace", failing(OSError("no such folder")))
    with pytest.raises(StoreError, match="is where it was"):
        here.export_file(job_id, tmp_path / "job")
    monkeypatch.undo()
    assert names(tmp_path) == []
    assert finished(here, job_id).status == "completed"


def test_a_job_whose_file_has_its_name_does_not_come_back(
    here: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id, real = paused_in(here), os.replace

    def replace_and_break(source: Path, target: Path) -> None:
        real(source, target)
        monkeypatch.setattr("routilux._files.os.fsync", failing(OSError("input/output error")))

    monkeypatch.setattr("routilux._files.os.replace", replace_and_break)
    with pytest.raises(StoreError, match="may not be on disk"):
        here.export_file(job_id, tmp_path / "job")
    monkeypatch.undo()
    assert (here.summary(job_id).status, names(tmp_path)) == ("moved", ["job"])


@pytest.mark.parametrize("has_left", [True, False])
def test_a_store_that_does_not_answer_may_have_moved_the_job_so_the_file_stays(
    here: Store, there: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_left: bool
) -> None:
    job_id, backend = paused_in(here), here.ledger.backend
    real = backend.move_out

    def unanswered(job_id: str, *, epoch: int) -> Any:
        if has_left:
            real(job_id, epoch=epoch)
        raise StoreUnavailableError("the connection broke")

    monkeypatch.setattr(backend, "move_out", unanswered)
    with pytest.raises(StoreUnavailableError, match="is not known") as caught:
        here.export_file(job_id, tmp_path / "job")
    monkeypatch.undo()
    (draft,) = names(tmp_path)
    assert str(tmp_path / draft) in str(caught.value)
    assert there.admit_file(tmp_path / draft) == job_id


def test_a_job_that_was_taken_over_leaves_no_file(here: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job_id = paused_in(here)
    monkeypatch.setattr(here.ledger.backend, "move_out", lambda *_, **__: None)
    with pytest.raises(JobStateError, match="taken over just now"):
        here.export_file(job_id, tmp_path / "job")
    monkeypatch.undo()
    assert (here.summary(job_id).status, names(tmp_path)) == ("paused", [])


def test_what_was_stored_of_the_job_meanwhile_is_in_the_file(
    here: Store, there: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id, backend = paused_in(here), here.ledger.backend
    real, stored = backend.move_out, backend.read(job_id)

    def after_a_cancellation(job_id: str, *, epoch: int) -> Any:
        content = write_record([(JobCancelled("meanwhile"), stored.record.updated_at)])
        batch = Batch(job_id, epoch, stored.number + 1, content, stored.record.updated_at, "cancelled")
        assert backend.write([batch]) == frozenset()
        return real(job_id, epoch=epoch)

    with monkeypatch.context() as patched:
        patched.setattr(backend, "move_out", after_a_cancellation)
        here.export_file(job_id, tmp_path / "job")
    assert names(tmp_path) == ["job"]
    there.admit_file(tmp_path / "job")
    assert there.peek(job_id).explanation.note == "it was cancelled (meanwhile)"


def test_a_store_that_fails_to_admit_keeps_its_tombstone(
    here: Store, there: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without it an older file of the job was taken in, and its work done again."""
    job_id = paused_in(here)
    old = here.export(job_id)
    there.admit(old)
    back = there.export(job_id)
    with monkeypatch.context() as patch:
        patch.setattr(here._backend, "write", failing(StoreUnavailableError("away")))
        with pytest.raises(StoreUnavailableError):
            here.admit(back)
    assert here.summary(job_id).status == "moved"
    with pytest.raises(JobStateError, match="moved out of this store"):
        here.admit(old)
    assert here.admit(back) == job_id
    assert here.summary(job_id).status == "paused"
