"""Jobs that go from store to store in files: signed, refused where they are old, back where they cannot be written."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from routilux import Flow, JobState, JobStateError
from routilux.errors import (
    StoreError,
    TransferForeignError,
    TransferKeyError,
    TransferReplayedError,
    TransferTooLargeError,
    TransferUnsignedError,
    UnknownJobError,
)
from routilux.stores import Store, open_store
from routilux.testing import StepRunner
from routilux.transfer import Key, KeyRing, dumps, inspect, pack, read, unpack, write
from serilux.errors import DocumentError
from tests.engine.engine_parts import pipeline
from tests.transfer.transfers import HMAC, WAYS, interpreted, paused_job


@pytest.fixture(params=["memory:", "sqlite"])
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Store, Store]]:
    urls = [request.param] * 2 if request.param == "memory:" else [f"sqlite:///{tmp_path}/{n}.db" for n in "ab"]
    with open_store(urls[0]) as here, open_store(urls[1]) as there:
        yield here, there


def paused_in(store: Store, job_id: str | None = None) -> str:
    """A job in a store, which is to add up 0, 1 and 2 twice."""
    runner = StepRunner()
    flow = pipeline(runner)
    job_state = runner.start(flow, "source", {"count": 3}, store=store, job_id=job_id)
    runner.step()
    flow.pause(job_state, "moving")
    return job_state.job_id


def finished(store: Store, job_id: str) -> JobState:
    flow, job_state = store.load(job_id)
    assert flow.resume(job_state).wait(30)
    return job_state


@pytest.mark.parametrize("name", WAYS)
def test_a_job_goes_from_store_to_store_in_a_file(name: str, stores: tuple[Store, Store], tmp_path: Path) -> None:
    (here, there), path = stores, tmp_path / "job.transfer"
    job_id = paused_in(here)
    here.export_file(job_id, path, **WAYS[name].writing)
    assert (here.summary(job_id).status, inspect(path).epoch) == ("moved", 1)
    assert there.admit_file(path, keys=WAYS[name].reading) == job_id
    job_state = finished(there, job_id)
    assert (job_state.status, sum(job_state.shared_log)) == ("completed", 9)
    assert job_state.epoch == 2


@pytest.mark.parametrize("name", ["plain", "hmac", "all"])
def test_an_old_file_is_refused_before_anything_in_it_is_interpreted(
    name: str, stores: tuple[Store, Store], tmp_path: Path
) -> None:
    (here, there), keys = stores, WAYS[name].reading
    job_id = paused_in(here)
    here.export_file(job_id, tmp_path / "there", **WAYS[name].writing)
    there.admit_file(tmp_path / "there", keys=keys)
    there.export_file(job_id, tmp_path / "back", **WAYS[name].writing)
    for store, file, known in ((here, "there", 1), (there, "there", 2), (there, "back", 2)):
        with interpreted() as calls, pytest.raises(TransferReplayedError) as caught:
            store.admit_file(tmp_path / file, keys=keys)
        assert (calls, caught.value.known, caught.value.file) == ([], known, str(tmp_path / file))
    assert here.admit_file(tmp_path / "back", keys=keys) == job_id
    for file in ("there", "back"):
        with interpreted() as calls, pytest.raises(TransferReplayedError, match="is in this store already"):
            here.admit_file(tmp_path / file, keys=keys)
        assert calls == []


def test_a_job_that_is_here_and_has_gone_on_elsewhere_is_refused(stores: tuple[Store, Store]) -> None:
    here, _ = stores
    job_id = paused_in(here)
    document = here.export(job_id)
    here.admit(document, reclaim=True)
    document["job"]["epoch"] = 9
    with pytest.raises(JobStateError, match="in this store already, and has moved elsewhere too"):
        here.admit(document)


def test_what_was_exported_and_imported_nowhere_can_be_taken_back(stores: tuple[Store, Store], tmp_path: Path) -> None:
    here, _ = stores
    job_id = paused_in(here)
    here.export_file(job_id, tmp_path / "job")
    with pytest.raises(TransferReplayedError):
        here.admit_file(tmp_path / "job")
    assert here.admit_file(tmp_path / "job", reclaim=True) == job_id
    assert finished(here, job_id).status == "completed"


def test_a_copy_is_another_job(stores: tuple[Store, Store], tmp_path: Path) -> None:
    here, there = stores
    job_id = paused_in(here)
    here.export_file(job_id, tmp_path / "copy", copy=True)
    copied = there.admit_file(tmp_path / "copy")
    assert (copied != job_id, here.summary(job_id).status) == (True, "paused")
    assert [finished(store, each).status for store, each in ((here, job_id), (there, copied))] == ["completed"] * 2


class Full(io.BytesIO):
    """A file on a full disk."""

    def write(self, content: Any) -> int:
        raise OSError(28, "No space left on device")


@pytest.mark.parametrize("copy", [False, True])
def test_a_job_that_cannot_be_written_is_where_it_was(stores: tuple[Store, Store], copy: bool) -> None:
    here, _ = stores
    job_id = paused_in(here)
    with pytest.raises(StoreError, match=r"No space left on device.*is where it was"):
        here.export_file(job_id, Full(), copy=copy)
    assert here.summary(job_id).status == "paused"
    assert finished(here, job_id).status == "completed"


def test_what_the_keys_cannot_do_moves_nothing(stores: tuple[Store, Store]) -> None:
    here, _ = stores
    job_id = paused_in(here)
    with pytest.raises(TransferKeyError):
        here.export_file(job_id, io.BytesIO(), encrypt=True)
    assert (here.summary(job_id).status, here.summary(job_id).epoch) == ("paused", 0)
    with pytest.raises(UnknownJobError):
        here.export_file("nobody", io.BytesIO())


def test_a_running_job_is_not_moved(stores: tuple[Store, Store]) -> None:
    here, _ = stores
    runner = StepRunner()
    job_state = runner.start(pipeline(runner), "source", store=here)
    with pytest.raises(JobStateError, match="is running: pause it first"):
        here.export_file(job_state.job_id, io.BytesIO())


def test_a_running_job_is_copied_as_it_is_stored(stores: tuple[Store, Store], tmp_path: Path) -> None:
    here, there = stores
    runner = StepRunner()
    job_state = runner.start(pipeline(runner), "source", store=here)
    here.export_file(job_state.job_id, tmp_path / "copy", copy=True)
    copy_id = there.admit_file(tmp_path / "copy")
    assert [(each.job_id, each.status) for each in there.orphans()] == [(copy_id, "running")]
    assert here.summary(job_state.job_id).epoch == 0


def test_what_is_not_as_the_keys_ask_for_does_not_come_in(stores: tuple[Store, Store]) -> None:
    here, there = stores
    document = here.export(paused_in(here))
    refusals: list[tuple[Any, dict[str, Any], bytes]] = [
        (TransferUnsignedError, {"keys": KeyRing([HMAC])}, pack(document)),
        (TransferForeignError, {"keys": KeyRing([HMAC])}, pack(document, keys=KeyRing([Key.generate("x")]))),
        (TransferForeignError, {}, pack(document, keys=KeyRing([HMAC]))),
        (TransferTooLargeError, {"max_size": 10}, pack(document)),
    ]
    for kind, options, content in refusals:
        with pytest.raises(kind):
            there.admit_file(io.BytesIO(content), **options)
    assert there.jobs() == []
    there.admit(unpack(pack(document, keys=KeyRing([HMAC])), keys=KeyRing([HMAC])))
    assert len(there.jobs()) == 1


def test_what_was_written_without_a_store_comes_into_one(stores: tuple[Store, Store], tmp_path: Path) -> None:
    here, _ = stores
    flow, job_state = paused_job()
    write(tmp_path / "job", flow, job_state)
    assert here.admit_file(tmp_path / "job") == job_state.job_id
    assert finished(here, job_state.job_id).shared_log == [0, 0, 1, 2]


def test_what_a_store_has_exported_goes_on_without_one(stores: tuple[Store, Store], tmp_path: Path) -> None:
    here, _ = stores
    here.export_file(paused_in(here), tmp_path / "job")
    flow, job_state = read(tmp_path / "job")
    assert flow.resume(job_state).wait(30)
    assert sum(job_state.shared_log) == 9


def test_data_that_waits_in_the_flow_is_not_lost_in_a_store(stores: tuple[Store, Store]) -> None:
    here, _ = stores
    flow, job_state = paused_job(0)
    flow.routines["collect"].get_slot("trigger").receive({"value": 5})
    content = dumps(flow, job_state)
    with pytest.raises(DocumentError, match=r"flow\.routines\.collect\._slots\.trigger\._data: .*resume its job with"):
        here.admit_file(io.BytesIO(content))
    assert here.jobs() == []
    other, moved = read(io.BytesIO(content), flow=Flow)
    other.resume(moved, store=here).wait(30)
    assert (moved.status, moved.shared_log) == ("completed", [5])
