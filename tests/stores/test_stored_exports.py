"""A job on its way into a file is in its store or on disk, whatever happens in between."""

import json
import os
from collections.abc import Callable, Iterable, Iterator
from io import BytesIO
from itertools import repeat
from pathlib import Path
from typing import Any, cast

import pytest

from routilux import JobStateError
from routilux._core.facts import JobCancelled
from routilux._core.journal import write_record
from routilux._records import Data
from routilux.errors import DamagedRecordError, StoreError, StoreUnavailableError, StrandedJobError, UnknownJobError
from routilux.stores import Backend, Batch, JobRecord, Store, open_store
from routilux.stores.transfer import export_file, transfer_of
from routilux.stores.uninterrupted import uninterrupted
from tests.crashes.failing_backend import FailingBackend, Failure
from tests.stores.test_stored_transfers import Full, finished, paused_in


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
    monkeypatch.setattr("routilux._files.Draft.keep_as_new", failing(Gone()))
    monkeypatch.setattr("routilux.stores.transfer.admit_transfer", failing(Gone()))
    with pytest.raises(StrandedJobError, match="cannot be taken back"):
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
    for name in ("link", "rename"):
        monkeypatch.setattr(f"routilux._files.os.{name}", failing(OSError("no such folder")))
    with pytest.raises(StoreError, match="is where it was"):
        here.export_file(job_id, tmp_path / "job")
    monkeypatch.undo()
    assert names(tmp_path) == []
    assert finished(here, job_id).status == "completed"


@pytest.mark.parametrize("copy", [False, True])
@pytest.mark.parametrize("is_late", [False, True])
@pytest.mark.parametrize("has_links", [False, True])
def test_a_file_that_is_there_is_not_written_over(
    here: Store,
    there: Store,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    copy: bool,
    is_late: bool,
    has_links: bool,
) -> None:
    """It may be all that there is of another job, which came there a moment before."""
    first, second, file = paused_in(here), paused_in(here, "job-2"), tmp_path / "job"
    here.export_file(first, file)
    if is_late:
        monkeypatch.setattr("routilux.stores.transfer.check_new", lambda path: None)
    if not has_links:
        monkeypatch.setattr("routilux._files.os.link", failing(PermissionError("no links here")))
    with pytest.raises(StoreError, match=r"there.*is where it was"):
        here.export_file(second, file, copy=copy)
    assert (names(tmp_path), there.admit_file(file)) == (["job"], first)
    assert finished(here, second).status == "completed"


@pytest.mark.parametrize("has_links", [False, True])
def test_a_job_is_in_one_file(
    here: Store, there: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_links: bool
) -> None:
    if not has_links:
        monkeypatch.setattr("routilux._files.os.link", failing(PermissionError("no links here")))
    here.export_file(job_id := paused_in(here), tmp_path / "job")
    assert (names(tmp_path), there.admit_file(tmp_path / "job")) == (["job"], job_id)


def test_a_job_whose_file_has_its_name_does_not_come_back(
    here: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id, real = paused_in(here), os.link

    def link_and_break(source: Path, target: Path) -> None:
        real(source, target)
        monkeypatch.setattr("routilux._files.os.fsync", failing(OSError("input/output error")))

    monkeypatch.setattr("routilux._files.os.link", link_and_break)
    with pytest.raises(StoreError, match="may not be on disk"):
        here.export_file(job_id, tmp_path / "job")
    monkeypatch.undo()
    assert (here.summary(job_id).status, names(tmp_path)) == ("moved", ["job"])


def plain(document: Data) -> bytes:
    return json.dumps(document).encode()


def to_path(backend: Backend, job_id: str, path: Path) -> None:
    export_file(backend, job_id, path, plain, copy=False, patience=0.0)


@pytest.mark.parametrize("has_left", [True, False])
def test_a_store_that_does_not_say_whether_the_job_has_left_may_have_moved_it_so_the_file_stays(
    here: Store, there: Store, tmp_path: Path, has_left: bool
) -> None:
    job_id = paused_in(here)
    silent = failing_always(here, ["move_out", "record"], done=has_left)
    with pytest.raises(StrandedJobError, match="is not known") as caught:
        to_path(silent, job_id, tmp_path / "job")
    (draft,) = names(tmp_path)
    assert caught.value.file == str(tmp_path / draft)
    assert caught.value.file in str(caught.value)
    assert there.admit_file(tmp_path / draft) == job_id


def failing_always(store: Store, methods: list[str], *, done: bool = False) -> Backend:
    return failing_backend(store, methods, repeat(Failure(done)))


def failing_backend(store: Store, methods: list[str], failures: Iterable[Failure | None]) -> Backend:
    return uninterrupted(cast(Backend, FailingBackend(store.ledger.backend, methods, failures)))


@pytest.mark.parametrize("has_left", [True, False])
def test_the_error_has_the_job_of_which_the_store_does_not_say_whether_it_has_left(here: Store, has_left: bool) -> None:
    job_id = paused_in(here)
    with pytest.raises(StrandedJobError, match="it is the `transfer` of this error") as caught:
        transfer_of(failing_always(here, ["move_out", "record"], done=has_left), job_id, copy=False, patience=0.0)
    if has_left:
        assert here.admit(caught.value.transfer, reclaim=True) == job_id
    else:
        with pytest.raises(JobStateError, match="has not left it"):
            here.admit(caught.value.transfer, reclaim=True)
    assert finished(here, job_id).status == "completed"


LOST = [StoreUnavailableError, StoreError, ZeroDivisionError]


@pytest.mark.parametrize("kind", LOST)
@pytest.mark.parametrize("way", ["document", "stream", "path"])
def test_a_job_that_has_left_is_given_out_although_the_answer_is_lost(
    here: Store, there: Store, tmp_path: Path, way: str, kind: type[Exception]
) -> None:
    """Its store had the tombstone, and nobody the job."""
    job_id, path, stream = paused_in(here), tmp_path / "job", BytesIO()
    backend = failing_backend(here, ["move_out"], [Failure(done=True, kind=kind)])
    if way == "document":
        there.admit(transfer_of(backend, job_id, copy=False))
    else:
        export_file(backend, job_id, path if way == "path" else stream, plain, copy=False)
        there.admit_file(path if way == "path" else BytesIO(stream.getvalue()))
    assert finished(there, job_id).status == "completed"
    assert names(tmp_path) == (["job"] if way == "path" else [])


def test_what_a_store_has_done_without_an_answer_may_be_seen_late(here: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where a server still commits what it was asked by a connection that is lost."""
    job_id, backend = paused_in(here), here.ledger.backend
    real = backend.move_out

    def done_after_all(record: JobRecord, *, at: float) -> Any:
        real(record, at=at)
        return real(record, at=at)

    def late(record: JobRecord, *, at: float) -> Any:
        monkeypatch.setattr(backend, "move_out", done_after_all)
        raise StoreUnavailableError("the connection broke")

    monkeypatch.setattr(backend, "move_out", late)
    assert here.export(job_id)["job"]["job_id"] == job_id


def test_what_another_has_moved_is_not_given_out_twice(
    here: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id, backend = paused_in(here), here.ledger.backend
    real = backend.move_out

    def too_late(record: JobRecord, *, at: float) -> Any:
        real(record, at=at)
        return real(record, at=at)

    monkeypatch.setattr(backend, "move_out", too_late)
    with pytest.raises(UnknownJobError, match="was moved out"):
        here.export_file(job_id, tmp_path / "job")
    assert names(tmp_path) == []


def test_of_a_job_that_was_written_to_just_before_it_was_to_leave_without_an_answer_the_error_has_what_was_read(
    here: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is in its store, but the answer might come late."""
    job_id, backend = paused_in(here), here.ledger.backend
    monkeypatch.setattr(backend, "move_out", after_a_cancellation(backend, job_id))
    with pytest.raises(StrandedJobError, match="is not known") as caught:
        transfer_of(failing_backend(here, ["move_out"], [Failure(done=True)]), job_id, copy=False, patience=0.0)
    assert caught.value.transfer["job"]["status"] == "paused"


def test_what_another_has_moved_without_an_answer_here_is_not_given_out_either(
    here: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By when it was moved one sees who did."""
    job_id, backend = paused_in(here), here.ledger.backend
    real = backend.move_out

    def too_late_and_away(record: JobRecord, *, at: float) -> Any:
        real(record, at=at - 0.001)
        raise StoreUnavailableError("the connection broke")

    with monkeypatch.context() as patched:
        patched.setattr(backend, "move_out", too_late_and_away)
        with pytest.raises(StrandedJobError, match="is not known"):
            transfer_of(backend, job_id, copy=False, patience=0.0)


def test_a_damaged_job_has_not_left(here: Store, tmp_path: Path) -> None:
    job_id = paused_in(here)
    damaged = failing_backend(here, ["move_out"], [Failure(done=False, kind=DamagedRecordError)])
    with pytest.raises(DamagedRecordError):
        to_path(damaged, job_id, tmp_path / "job")
    assert (here.summary(job_id).status, names(tmp_path)) == ("paused", [])


def test_an_interrupted_export_leaves_the_job_where_it_was(here: Store) -> None:
    job_id = paused_in(here)
    backend = failing_backend(here, ["move_out"], [Failure(done=True, kind=KeyboardInterrupt)])
    with pytest.raises(KeyboardInterrupt):
        transfer_of(backend, job_id, copy=False)
    assert finished(here, job_id).status == "completed"


@pytest.mark.parametrize("method", ["record", "write"])
@pytest.mark.parametrize("done", [False, True])
@pytest.mark.parametrize("kind", LOST)
def test_a_job_comes_back_although_its_store_fails_once_more(
    here: Store, method: str, done: bool, kind: type[Exception]
) -> None:
    """A full disk, and a store that was away for a moment, left the job nowhere."""
    job_id = paused_in(here)
    backend = failing_backend(here, [method], [Failure(done, kind)])
    if kind is StoreUnavailableError or (method, done) == ("write", True):
        with pytest.raises(StoreError, match=r"No space left on device.*is where it was"):
            export_file(backend, job_id, Full(), plain, copy=False)
    else:
        with pytest.raises(StrandedJobError, match=r"No space left on device.*cannot be taken back") as caught:
            export_file(backend, job_id, Full(), plain, copy=False)
        here.admit(caught.value.transfer, reclaim=True)
    assert finished(here, job_id).status == "completed"


def test_the_file_of_a_job_that_cannot_come_back_stays(
    here: Store, there: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = paused_in(here)
    with monkeypatch.context() as patched:
        for name in ("link", "rename"):
            patched.setattr(f"routilux._files.os.{name}", failing(OSError("no such folder")))
        with pytest.raises(StrandedJobError, match=r"no such folder.*cannot be taken back: the connection") as caught:
            to_path(failing_always(here, ["write"]), job_id, tmp_path / "job")
    assert there.admit_file(caught.value.file) == job_id


def test_what_cannot_be_packed_has_not_left(here: Store, tmp_path: Path) -> None:
    job_id = paused_in(here)
    for file in (BytesIO(), tmp_path / "job"):
        with pytest.raises(ZeroDivisionError):
            export_file(here.ledger.backend, job_id, file, failing(ZeroDivisionError()), copy=False)
    assert (here.summary(job_id).status, here.summary(job_id).epoch) == ("paused", 0)


def test_a_job_that_was_taken_over_leaves_no_file(here: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job_id = paused_in(here)
    monkeypatch.setattr(here.ledger.backend, "move_out", lambda *_, **__: None)
    with pytest.raises(JobStateError, match="changed just now"):
        here.export_file(job_id, tmp_path / "job")
    monkeypatch.undo()
    assert (here.summary(job_id).status, names(tmp_path)) == ("paused", [])


def after_a_cancellation(backend: Backend, job_id: str) -> Callable[..., Any]:
    """Has a job that is to be moved out written to just before, once."""
    real, stored = backend.move_out, backend.read(job_id)

    def move_out(record: JobRecord, *, at: float) -> Any:
        content = write_record([(JobCancelled("meanwhile"), record.updated_at)])
        place = job_id, record.created_at, record.epoch, stored.number + 1
        assert backend.write([Batch(*place, content, record.updated_at + 1.0, "cancelled")]) == frozenset()
        return real(record, at=at)

    return move_out


@pytest.mark.parametrize("is_stream", [False, True])
def test_a_job_does_not_leave_without_what_was_stored_of_it_meanwhile(
    here: Store, there: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_stream: bool
) -> None:
    job_id, backend = paused_in(here), here.ledger.backend
    file = BytesIO() if is_stream else tmp_path / "job"
    with monkeypatch.context() as patched:
        patched.setattr(backend, "move_out", after_a_cancellation(backend, job_id))
        with pytest.raises(JobStateError, match="changed just now"):
            here.export_file(job_id, file)
    assert names(tmp_path) == []
    here.export_file(job_id, file)
    there.admit_file(BytesIO(file.getvalue()) if isinstance(file, BytesIO) else file)
    assert there.peek(job_id).explanation.note == "it was cancelled (meanwhile)"
    assert names(tmp_path) == ([] if is_stream else ["job"])


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
