"""What stays and what goes: snapshots, segments, listings, moving, deleting, pruning."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from msgspec.structs import replace

from routilux._backends.backend import MOVED, Backend, Batch, NewJob
from routilux.errors import StoreError, UnknownJobError
from routilux.testing.conformance_parts import (
    FLOW,
    appended,
    as_seen,
    compacted,
    created,
    deleted,
    moved_out,
    numbers,
    refused_with,
    replacing,
)


class KeepingConformance:
    """Tests of a store; see `BackendConformance`."""

    def test_a_snapshot_replaces_records_up_to_its_number(self, backend: Backend) -> None:
        backend.write([created("a"), appended("a", 2, at=102.0), appended("a", 3, at=103.0)])
        assert backend.compact(compacted("a", 2, segment=b"[1, 2]")) is True
        stored = backend.read("a")
        assert (stored.snapshot, stored.number, numbers(stored)) == (b'{"snapshot": 2}', 3, [b"3"])
        assert (stored.segments, stored.first_segment) == ([b"[1, 2]"], 1)
        assert stored.record.updated_at == 103.0

    def test_a_job_without_records_keeps_number_and_time(self, backend: Backend) -> None:
        backend.write([created("a"), appended("a", 2, at=102.0)])
        backend.compact(compacted("a", 2))
        stored = backend.read("a")
        assert (stored.number, stored.journal, stored.record.updated_at) == (2, [], 102.0)
        assert backend.write([appended("a", 3, at=103.0)]) == frozenset()
        assert (backend.read("a").number, backend.read("a").record.updated_at) == (3, 103.0)

    def test_segments_are_appended_and_old_ones_dropped(self, backend: Backend) -> None:
        backend.write([created("a")])
        for number in range(2, 6):
            backend.write([appended("a", number)])
            backend.compact(compacted("a", number, segment=b"%d" % number))
        assert (backend.read("a").segments, backend.read("a").first_segment) == ([b"2", b"3", b"4", b"5"], 1)
        backend.write([appended("a", 6)])
        backend.compact(compacted("a", 6, first_segment=3))
        assert (backend.read("a").segments, backend.read("a").first_segment) == ([b"4", b"5"], 3)
        backend.write([appended("a", 7)])
        backend.compact(compacted("a", 7, first_segment=2, segment=b"7"))
        assert (backend.read("a").segments, backend.read("a").first_segment) == ([b"4", b"5", b"7"], 3)
        backend.write([appended("a", 8)])
        backend.compact(compacted("a", 8, first_segment=99))
        assert (backend.read("a").segments, backend.read("a").first_segment) == ([], 6)

    def test_a_snapshot_may_be_written_again_and_an_older_one_changes_nothing(self, backend: Backend) -> None:
        backend.write([created("a"), appended("a", 2), appended("a", 3)])
        backend.compact(compacted("a", 2, segment=b"segment"))
        before = backend.read("a")
        assert backend.compact(compacted("a", 2, segment=b"segment")) is True
        assert backend.compact(compacted("a", 1, segment=b"older")) is True
        assert backend.read("a") == before

    def test_a_snapshot_of_records_that_are_not_there_is_an_error(self, backend: Backend) -> None:
        backend.write([created("a")])
        before = backend.read("a")
        with refused_with(StoreError, "'a'", "record 2"):
            backend.compact(compacted("a", 2))
        assert backend.read("a") == before

    def test_a_snapshot_under_another_epoch_changes_nothing(self, backend: Backend) -> None:
        backend.write([created("a"), appended("a", 2)])
        stored = backend.acquire(as_seen("a"), "you")
        assert backend.compact(compacted("a", 2, segment=b"segment")) is False
        assert backend.read("a") == stored

    def test_records_written_during_a_compaction_stay(self, backend: Backend, beside: Backend) -> None:
        backend.write([created("a")])
        start = Barrier(2)

        def write_many() -> None:
            start.wait()
            for number in range(2, 120):
                backend.write([appended("a", number)])

        with ThreadPoolExecutor(1) as thread:
            writing = thread.submit(write_many)
            start.wait()
            while not writing.done():
                beside.compact(compacted("a", beside.read("a").number))
            writing.result()
        stored = backend.read("a")
        assert stored.number == 119
        covered = int(stored.snapshot.removeprefix(b'{"snapshot": ').removesuffix(b"}"))
        assert numbers(stored) == [b"%d" % number for number in range(covered + 1, 120)]

    def test_jobs_are_listed_oldest_first(self, backend: Backend) -> None:
        backend.write([created("c", at=2.0), created("b", at=3.0), created("d", at=1.0), created("a", at=2.0)])
        assert [record.job_id for record in backend.records()] == ["d", "a", "c", "b"]
        assert [backend.record(job_id) for job_id in "dacb"] == backend.records()

    def test_jobs_are_listed_by_what_fits(self, backend: Backend) -> None:
        other = Batch("c", 300.0, 1, 1, b"{}", 1.0, new=NewJob("flow-2", FLOW, "you", b"{}"))
        ended = appended("b", 2, created_at=200.0, status="completed")
        backend.write([created("a"), created("b", at=200.0), other, ended])

        def ids(**wanted: str) -> list[str]:
            return [record.job_id for record in backend.records(**wanted)]

        assert ids(status="completed") == ["b"]
        assert ids(flow_id="flow-1") == ["a", "b"]
        assert ids(owner="you") == ["c"]
        assert ids(owner="me", status="running", flow_id="flow-1") == ["a"]
        assert ids(owner="me", flow_id="flow-2") == []

    def test_moving_out_leaves_a_tombstone(self, backend: Backend) -> None:
        backend.write([created("a"), appended("a", 2, at=102.0)])
        before = backend.read("a")
        assert moved_out(backend, "a") == before
        record = backend.record("a")
        assert record is not None
        assert (record.status, record.epoch, record.owner, record.updated_at) == (MOVED, 2, None, 200.0)
        assert backend.records() == [record]

    def test_a_job_that_is_not_as_it_was_seen_is_not_moved_out(self, backend: Backend) -> None:
        backend.write([created("a"), appended("a", 2, at=102.0)])
        before = backend.read("a")
        for name, value in {"epoch": 7, "status": "paused", "owner": None, "updated_at": 101.0}.items():
            assert backend.move_out(replace(before.record, **{name: value}), at=200.0) is None, name
        assert backend.read("a") == before

    def test_a_tombstone_is_no_job(self, backend: Backend) -> None:
        backend.write([created("a")])
        backend.ask("a", "1", b"{}")
        moved_out(backend, "a")
        with refused_with(UnknownJobError, "'a'"):
            backend.read("a")
        with refused_with(UnknownJobError, "'a'"):
            backend.acquire(as_seen("a", epoch=2), "you")
        with refused_with(UnknownJobError, "'a'"):
            backend.move_out(as_seen("a", epoch=2), at=200.0)
        with refused_with(UnknownJobError, "'a'"):
            backend.ask("a", "1", b"{}")
        assert backend.write([appended("a", 2), appended("a", 2, epoch=2)]) == {"a"}
        assert backend.write([appended("a", 2, epoch=2)]) == {"a"}
        assert backend.write([appended("a", 2, epoch=2, status="running")]) == {"a"}
        assert backend.write([created("a")]) == {"a"}
        assert backend.compact(compacted("a", 1, epoch=2)) is False
        assert backend.asked("me") == []

    def test_a_job_comes_back_in_the_place_of_its_tombstone(self, backend: Backend) -> None:
        backend.write([created("a")])
        assert backend.write([replacing("a", 99)]) == {"a"}
        assert backend.read("a").number == 1
        moved_out(backend, "a")
        assert backend.write([replacing("a", 1)]) == {"a"}
        record = backend.record("a")
        assert record is not None
        assert (record.status, record.epoch) == ("moved", 2)
        assert backend.write([created("b"), replacing("a", 2), appended("a", 2)]) == frozenset()
        stored = backend.read("a")
        assert (stored.record.epoch, stored.number) == (1, 2)

    def test_a_deleted_job_leaves_nothing(self, backend: Backend) -> None:
        backend.write([created("a"), appended("a", 2), created("b")])
        backend.compact(compacted("a", 1, segment=b"[]"))
        backend.ask("a", "1", b"{}")
        assert deleted(backend, "a") is True
        assert deleted(backend, "a") is False
        assert backend.write([appended("a", 3)]) == {"a"}
        backend.write([created("a")])
        stored = backend.read("a")
        assert (stored.number, stored.segments, numbers(stored)) == (1, [], [b"1"])
        assert backend.asked("me") == []
        assert backend.read("b").number == 1

    def test_a_tombstone_may_be_deleted(self, backend: Backend) -> None:
        backend.write([created("a")])
        moved_out(backend, "a")
        assert deleted(backend, "a") is True
        assert backend.records() == []

    def test_prune_removes_old_jobs_of_a_status(self, backend: Backend) -> None:
        backend.write([created(job_id) for job_id in "abcd"])
        backend.write([appended("a", 2, at=200.0, status="completed"), appended("b", 2, at=200.0, status="failed")])
        backend.write([appended("c", 2, at=300.0, status="completed"), appended("d", 2, at=200.0)])
        assert backend.prune(before=200.0, statuses=["completed", "failed"]) == 0
        assert backend.prune(before=250.0, statuses=["completed"]) == 1
        assert [record.job_id for record in backend.records()] == ["b", "c", "d"]
        assert backend.prune(before=250.0, statuses=["completed", "failed"]) == 1
        assert backend.prune(before=999.0, statuses=[]) == 0
        assert [record.job_id for record in backend.records()] == ["c", "d"]

    def test_prune_goes_by_when_a_job_was_moved_out(self, backend: Backend) -> None:
        backend.write([created("a"), appended("a", 2, at=102.0), created("b")])
        backend.compact(compacted("b", 1))
        for job_id, at in (("a", 200.0), ("b", 201.0)):
            moved_out(backend, job_id, at=at)
        assert backend.prune(before=200.0, statuses=[MOVED]) == 0
        assert backend.prune(before=201.0, statuses=[MOVED]) == 1
        assert [record.job_id for record in backend.records()] == ["b"]

    def test_prune_goes_by_the_last_record_of_a_compacted_job(self, backend: Backend) -> None:
        backend.write([created("a"), appended("a", 2, at=500.0, status="completed")])
        backend.compact(compacted("a", 2))
        assert backend.prune(before=400.0, statuses=["completed"]) == 0
        assert backend.prune(before=501.0, statuses=["completed"]) == 1

    def test_a_closed_store_says_so_and_may_be_closed_again(self, backend: Backend) -> None:
        backend.write([created("a")])
        record = backend.record("a")
        assert record is not None
        backend.close()
        calls: list[Callable[[], object]] = [
            lambda: backend.definition(FLOW.definition_id),
            lambda: backend.write([appended("a", 2)]),
            lambda: backend.write([created("b"), appended("a", 2)]),
            lambda: backend.compact(compacted("a", 1)),
            lambda: backend.read("a"),
            lambda: backend.acquire(as_seen("a"), "you"),
            lambda: backend.record("a"),
            backend.records,
            lambda: backend.move_out(record, at=200.0),
            lambda: backend.delete(record),
            lambda: backend.prune(before=1.0, statuses=["completed"]),
            lambda: backend.beat("me"),
            backend.silences,
            lambda: backend.leave("me"),
            lambda: backend.ask("a", "1", b"{}"),
            lambda: backend.asked("me"),
            lambda: backend.dismiss([("a", b"{}")]),
            lambda: backend.answer("a", "key", b"{}"),
            lambda: backend.answered("a", "key"),
            lambda: backend.acknowledge("a", "key"),
        ]
        for call in calls:
            with refused_with(StoreError, "closed"):
                call()
        backend.close()
