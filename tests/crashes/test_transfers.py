"""Each call of a transfer fails once, or all from there on, before or after its work: one copy goes on, whole."""

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from io import BytesIO
from itertools import count, repeat
from pathlib import Path
from typing import NamedTuple, cast

import pytest

from routilux import JobStateError, RoutiluxError
from routilux._backends.backend import MOVED, Backend
from routilux._backends.opening import open_backend
from routilux._engine import trying_again
from routilux._records import Data
from routilux.errors import StoreError, StoreUnavailableError, StrandedJobError
from routilux.stores import Store
from routilux.stores.transfer import admit_transfer, export_file, transfer_of
from routilux.stores.uninterrupted import uninterrupted
from tests.crashes.failing_backend import FailingBackend, Failure
from tests.laws.effort import rounds
from tests.stores.test_stored_transfers import Full, paused_in

STORES = ["memory", "sqlite"][: rounds(1)]
PATIENCE = 0.05
CALLS = ["definition", "write", "read", "record", "move_out"]
KINDS = [StoreUnavailableError, StoreError, ZeroDivisionError, KeyboardInterrupt]


@pytest.fixture(autouse=True, scope="module")
def impatient() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trying_again, "FIRST_DELAY", 0.0)
        patch.setattr(trying_again, "LAST_DELAY", 0.0)
        yield


@pytest.fixture(scope="module")
def transfer() -> Data:
    """A paused job that has left a store."""
    with Store(open_backend("memory:")) as store:
        return store.export(paused_in(store))


class Place(NamedTuple):
    """Where a job is on its way: its store, and a folder for files."""

    backend: Backend
    job_id: str
    folder: Path

    @property
    def file(self) -> Path:
        return self.folder / "job"


@pytest.fixture(params=STORES)
def places(request: pytest.FixtureRequest, transfer: Data, tmp_path: Path) -> Iterator[Callable[[], Place]]:
    numbers, opened = count(), list[Backend]()

    def place() -> Place:
        folder = tmp_path / str(next(numbers))
        folder.mkdir()
        backend = open_backend(
            "memory:" if request.param == "memory" else f"sqlite:///{folder.parent}/{folder.name}.db"
        )
        opened.append(backend)
        return Place(backend, admit_transfer(backend, transfer, reclaim=False), folder)

    yield place
    for backend in opened:
        backend.close()


def plain(document: Data) -> bytes:
    return json.dumps(document).encode()


def to_document(place: Place, failing: Backend) -> Data:
    return transfer_of(failing, place.job_id, copy=False, patience=PATIENCE)


def to_path(place: Place, failing: Backend) -> Data:
    export_file(failing, place.job_id, place.file, plain, copy=False, patience=PATIENCE)
    return cast(Data, json.loads(place.file.read_bytes()))


def to_stream(place: Place, failing: Backend) -> Data:
    stream = BytesIO()
    export_file(failing, place.job_id, stream, plain, copy=False, patience=PATIENCE)
    return cast(Data, json.loads(stream.getvalue()))


def to_full_disk(place: Place, failing: Backend) -> Data:
    export_file(failing, place.job_id, Full(), plain, copy=False, patience=PATIENCE)
    raise AssertionError("there was room")


Operation = Callable[[Place, Backend], Data]


def failing_from(place: Place, call: int, failure: Failure, *, to_the_end: bool) -> tuple[Backend, list[bool]]:
    """A backend whose call of that number fails, and perhaps all after it; the list says whether one has."""
    reached: list[bool] = []

    def failures() -> Iterator[Failure | None]:
        yield from repeat(None, call)
        reached.append(True)
        yield from repeat(failure) if to_the_end else [failure]

    backend = FailingBackend(place.backend, CALLS, failures())
    return uninterrupted(cast(Backend, backend)), reached


def trials(places: Callable[[], Place], failure: Failure, *, to_the_end: bool) -> Iterator[tuple[Place, Backend]]:
    """A new place for each call that an operation makes, until it makes no more."""
    for call in count():
        place = places()
        backend, reached = failing_from(place, call, failure, to_the_end=to_the_end)
        yield place, backend
        if not reached:
            assert call > 0
            return


def job_in(place: Place) -> Data | None:
    """The job that can go on in the store, which it leaves by that; None where there is only a tombstone of it."""
    record = place.backend.record(place.job_id)
    assert record is not None
    return None if record.status == MOVED else transfer_of(place.backend, place.job_id, copy=False)


def content(document: Data | None) -> Data | None:
    """What of an exported job may not be lost on the way: all but its epoch."""
    return None if document is None else document | {"job": document["job"] | {"epoch": 0}}


def given_out(operation: Operation, place: Place, failing: Backend) -> Data | None:
    """The job as an operation gives it out; None where that fails. What an error has of it is taken back."""
    try:
        return operation(place, failing)
    except StrandedJobError as error:
        with suppress(JobStateError):  # it has not left
            if error.file:
                Store(place.backend).admit_file(error.file, reclaim=True)
            else:
                admit_transfer(place.backend, error.transfer, reclaim=True)
    except (RoutiluxError, KeyboardInterrupt):
        assert list(place.folder.iterdir()) == []
    return None


@pytest.mark.parametrize("to_the_end", [False, True])
@pytest.mark.parametrize("done", [False, True])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("operation", [to_document, to_path, to_stream, to_full_disk])
def test_a_job_that_leaves_its_store_is_there_or_given_out(
    places: Callable[[], Place],
    transfer: Data,
    operation: Operation,
    kind: type[BaseException],
    done: bool,
    to_the_end: bool,
) -> None:
    for place, failing in trials(places, Failure(done, kind), to_the_end=to_the_end):
        found = [given_out(operation, place, failing), job_in(place)]
        assert [content(document) for document in found if document is not None] == [content(transfer)]


@pytest.mark.parametrize("done", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_a_job_that_is_copied_stays(
    places: Callable[[], Place], transfer: Data, kind: type[BaseException], done: bool
) -> None:
    for place, failing in trials(places, Failure(done, kind), to_the_end=False):
        with suppress(RoutiluxError, KeyboardInterrupt):
            transfer_of(failing, place.job_id, copy=True)
        assert content(job_in(place)) == content(transfer)


@pytest.mark.parametrize("reclaim", [False, True])
@pytest.mark.parametrize("done", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_a_job_that_comes_into_a_store_is_there_or_may_come_again(
    places: Callable[[], Place], transfer: Data, kind: type[BaseException], done: bool, reclaim: bool
) -> None:
    for place, failing in trials(places, Failure(done, kind), to_the_end=False):
        document = transfer_of(place.backend, place.job_id, copy=False)
        if not reclaim:
            document["job"]["epoch"] += 1  # it has been elsewhere
        with suppress(RoutiluxError, KeyboardInterrupt):
            admit_transfer(failing, document, reclaim=reclaim)
        with suppress(JobStateError):  # it is there
            admit_transfer(place.backend, document, reclaim=reclaim)
        with pytest.raises(JobStateError):
            admit_transfer(place.backend, document, reclaim=reclaim)
        assert content(job_in(place)) == content(transfer)
