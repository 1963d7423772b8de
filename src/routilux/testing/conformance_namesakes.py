"""An id that was freed and taken again: who had the job before does nothing to the one that has its id now (law 6)."""

from msgspec.structs import replace

from routilux._backends.backend import Backend, StoredJob
from routilux.testing.conformance_parts import BEGUN, appended, as_seen, compacted, created, deleted, moved_out, numbers

LATER = 100.000002
"""When the second job was created: hardly later than the first one, and otherwise just like it."""


def second_of_its_id(backend: Backend, job_id: str = "a") -> StoredJob:
    """Have a job deleted, and another one stored in its place, as far and under the same epoch."""
    backend.write([created(job_id)])
    deleted(backend, job_id)
    assert backend.write([created(job_id, at=LATER)]) == frozenset()
    return backend.read(job_id)


class NamesakeConformance:
    """Tests of a store; see `BackendConformance`."""

    def test_who_wrote_a_deleted_job_does_not_write_the_next_of_its_id(self, backend: Backend, beside: Backend) -> None:
        second = second_of_its_id(backend)
        for former in (appended("a", 2), appended("a", 2, status="completed"), appended("a", 9)):
            assert beside.write([former]) == {"a"}
            assert beside.write([replace(former, releases=True, answers=(("1", b"yes"),))]) == {"a"}
        assert (backend.read("a"), backend.answered("a", "1")) == (second, None)
        assert backend.write([appended("a", 2, created_at=LATER)]) == frozenset()
        assert numbers(backend.read("a")) == [b"1", b"2"]

    def test_nor_where_the_very_record_is_stored_of_both(self, backend: Backend) -> None:
        second = second_of_its_id(backend)
        assert backend.write([appended("a", 1)]) == {"a"}
        assert backend.write([created("a")]) == {"a"}
        assert backend.read("a") == second

    def test_the_records_of_other_jobs_are_written_beside(self, backend: Backend) -> None:
        second = second_of_its_id(backend, "b")
        backend.write([created("a"), created("c")])
        assert backend.write([appended(job_id, 2) for job_id in "abc"]) == {"b"}
        assert [backend.read(job_id).number for job_id in "ac"] == [2, 2]
        assert backend.write([appended("a", 3), appended("b", 2, created_at=LATER)]) == frozenset()
        assert numbers(backend.read("b")) == [*numbers(second), b"2"]

    def test_the_next_job_of_an_id_gets_no_snapshot_of_a_deleted_one(self, backend: Backend, beside: Backend) -> None:
        second = second_of_its_id(backend)
        assert beside.compact(compacted("a", 1, segment=b"[]")) is False
        assert beside.compact(compacted("a", 9)) is False
        assert backend.read("a") == second
        assert beside.compact(compacted("a", 1, created_at=LATER)) is True

    def test_who_saw_a_deleted_job_does_not_take_the_next_of_its_id(self, backend: Backend, beside: Backend) -> None:
        second = second_of_its_id(backend)
        assert beside.acquire(as_seen("a"), "you") is None
        assert beside.move_out(replace(second.record, created_at=BEGUN), at=200.0) is None
        assert beside.delete(replace(second.record, created_at=BEGUN)) is False
        assert backend.read("a") == second
        assert beside.acquire(as_seen("a", created_at=LATER), "you") is not None
        assert moved_out(beside, "a") is not None

    def test_nor_its_tombstone(self, backend: Backend) -> None:
        second_of_its_id(backend)
        moved_out(backend, "a")
        tombstone = backend.record("a")
        assert tombstone is not None
        assert backend.delete(replace(tombstone, created_at=BEGUN)) is False
        assert backend.delete(tombstone) is True

    def test_times_of_creation_come_back_to_the_bit(self, backend: Backend) -> None:
        times = {"a": 0.1 + 0.2, "b": 1764156789.1234567, "c": 1764156789.1234570, "d": 1764156789.0}
        backend.write([created(job_id, at=at) for job_id, at in times.items()])
        assert {record.job_id: record.created_at for record in backend.records()} == times
        records = [appended(job_id, 2, created_at=at) for job_id, at in times.items()]
        assert backend.write(records) == frozenset()
        assert [backend.write([replace(each, number=3)]) for each in records] == [frozenset()] * 4
