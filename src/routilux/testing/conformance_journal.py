"""Jobs, their records and their definitions."""

from msgspec.structs import replace

from routilux._backends.backend import Backend, Batch, Definition, NewJob
from routilux.errors import StoreError, UnknownJobError
from routilux.testing.conformance_parts import (
    BEGUN,
    FLOW,
    appended,
    as_seen,
    compacted,
    created,
    deleted,
    numbers,
    refused_with,
)


class JournalConformance:
    """Tests of a store; see `BackendConformance`."""

    def test_a_new_job_is_read_as_it_was_written(self, backend: Backend) -> None:
        assert backend.write([created("a", at=100.5)]) == frozenset()
        stored = backend.read("a")
        assert (stored.snapshot, stored.journal, stored.number) == (b'{"first": 1}', [b'{"n": 1}'], 1)
        assert (stored.segments, stored.first_segment) == ([], 1)
        record = stored.record
        assert (record.job_id, record.flow_id, record.definition) == ("a", "flow-1", "fingerprint-1")
        assert (record.status, record.epoch, record.owner) == ("running", 1, "me")
        assert (record.created_at, record.updated_at) == (100.5, 100.5)

    def test_a_new_job_without_a_status_is_pending(self, backend: Backend) -> None:
        new = NewJob("flow-1", FLOW, None, b"{}")
        backend.write([Batch("a", BEGUN, 7, 1, b"{}", 1.0, new=new)])
        record = backend.read("a").record
        assert (record.status, record.epoch, record.owner) == ("pending", 7, None)

    def test_a_job_may_come_from_elsewhere_with_a_later_number(self, backend: Backend) -> None:
        backend.write([Batch("a", BEGUN, 4, 58, b"58", 1.0, new=NewJob("flow-1", FLOW, "me", b"57"))])
        backend.write([appended("a", 59, epoch=4)])
        assert backend.read("a").number == 59
        assert backend.read("a").journal == [b"58", b'{"n": 59}']

    def test_records_are_read_in_their_order(self, backend: Backend) -> None:
        backend.write([created("a"), created("b")])
        for number in range(2, 12):
            backend.write([appended("a", number), appended("b", number)])
        backend.write([appended("a", 12), appended("a", 13)])
        assert numbers(backend.read("a")) == [b"%d" % number for number in range(1, 14)]
        assert backend.read("a").number == 13
        assert backend.read("b").number == 11

    def test_a_new_job_may_have_a_history_already(self, backend: Backend) -> None:
        backend.write([Batch("a", BEGUN, 1, 1, b"{}", 1.0, new=NewJob("flow-1", FLOW, "me", b"{}", b"[1]"))])
        assert backend.read("a").segments == [b"[1]"]
        backend.compact(compacted("a", 1, segment=b"[2]"))
        assert (backend.read("a").segments, backend.read("a").first_segment) == ([b"[1]", b"[2]"], 1)

    def test_a_job_may_go_on_with_another_definition(self, backend: Backend) -> None:
        backend.write([created("a"), created("b")])
        backend.compact(replace(compacted("a", 1), definition=Definition("other", b"{}")))
        assert [backend.read(job_id).record.definition for job_id in "ab"] == ["other", "fingerprint-1"]
        assert backend.definition("other") == b"{}"

    def test_writing_nothing_is_allowed(self, backend: Backend) -> None:
        assert backend.write([]) == frozenset()

    def test_many_jobs_are_written_together(self, backend: Backend) -> None:
        ids = [f"job-{number}" for number in range(700)]
        assert backend.write([created(job_id) for job_id in ids]) == frozenset()
        assert backend.write([appended(job_id, 2) for job_id in ids]) == frozenset()
        assert {backend.read(job_id).number for job_id in ids} == {2}

    def test_contents_come_back_byte_by_byte(self, backend: Backend) -> None:
        contents = [
            b"",
            b'"\x00"',
            '"\u00e9 \u65e5\u672c \U0001f600 \x7f"'.encode(),
            b'"%s"' % (b"0123456789" * 10_000),
            b"[1, \n\t 2]",
        ]
        backend.write([created("\u65e5-'%_\\ \U0001f600")])
        for number, content in enumerate(contents, start=2):
            backend.write([Batch("\u65e5-'%_\\ \U0001f600", BEGUN, 1, number, content, 1.0)])
        assert backend.read("\u65e5-'%_\\ \U0001f600").journal[1:] == contents

    def test_a_record_changes_the_status_and_the_time_of_its_job(self, backend: Backend) -> None:
        backend.write([created("a")])
        backend.write([appended("a", 2, at=105.25)])
        record = backend.read("a").record
        assert (record.status, record.updated_at) == ("running", 105.25)
        backend.write([appended("a", 3, at=106.5, status="completed")])
        record = backend.read("a").record
        assert (record.status, record.updated_at, record.created_at) == ("completed", 106.5, 100.0)

    def test_a_released_job_has_no_owner_and_keeps_its_epoch(self, backend: Backend) -> None:
        backend.write([created("a")])
        backend.write([Batch("a", BEGUN, 1, 2, b"{}", 101.0, status="paused", releases=True)])
        record = backend.read("a").record
        assert (record.status, record.owner, record.epoch) == ("paused", None, 1)

    def test_unknown_jobs_are_told_by_name(self, backend: Backend) -> None:
        with refused_with(UnknownJobError, "'nobody'"):
            backend.read("nobody")
        with refused_with(UnknownJobError, "'nobody'"):
            backend.acquire(as_seen("nobody"), "me")
        with refused_with(UnknownJobError, "'nobody'"):
            backend.move_out(as_seen("nobody"), at=200.0)
        with refused_with(UnknownJobError, "'nobody'"):
            backend.ask("nobody", "1", b"{}")
        assert backend.record("nobody") is None
        assert backend.write([appended("nobody", 2)]) == {"nobody"}
        assert backend.compact(compacted("nobody", 2)) is False

    def test_a_gap_is_an_error_and_nothing_is_written(self, backend: Backend) -> None:
        backend.write([created("a"), created("b")])
        with refused_with(StoreError, "'a'", "record 3", "2"):
            backend.write([appended("b", 2), appended("a", 3)])
        with refused_with(StoreError, "'a'", "record 3"):
            backend.write([appended("a", 3)])
        with refused_with(StoreError, "'a'", "record 3"):
            backend.write([created("c"), appended("b", 2, status="paused"), appended("a", 3)])
        assert (backend.read("a").number, backend.read("b").number) == (1, 1)
        assert backend.read("b").record.status == "running"
        assert backend.record("c") is None
        assert backend.write([Batch("b", BEGUN, 1, 2, b'"later"', 102.0), appended("a", 2)]) == frozenset()
        assert backend.read("b").journal[1:] == [b'"later"']

    def test_a_record_may_be_written_again(self, backend: Backend) -> None:
        backend.write([created("a")])
        backend.write([appended("a", 2)])
        assert backend.write([appended("a", 2)]) == frozenset()
        assert backend.write([appended("a", 2), appended("a", 3, status="paused")]) == frozenset()
        assert backend.write([appended("a", 3, status="paused")]) == frozenset()
        assert numbers(backend.read("a")) == [b"1", b"2", b"3"]

    def test_a_record_is_never_replaced_by_another(self, backend: Backend) -> None:
        backend.write([created("a")])
        backend.write([appended("a", 2)])
        with refused_with(StoreError, "'a'", "record 2"):
            backend.write([Batch("a", BEGUN, 1, 2, b'"other"', 102.0)])
        assert numbers(backend.read("a")) == [b"1", b"2"]

    def test_a_record_behind_the_snapshot_may_be_written_again(self, backend: Backend) -> None:
        backend.write([created("a"), appended("a", 2)])
        backend.compact(compacted("a", 2))
        assert backend.write([appended("a", 2)]) == frozenset()
        assert backend.read("a").journal == []

    def test_an_id_that_is_taken_is_refused(self, backend: Backend) -> None:
        backend.write([created("a"), appended("a", 2)])
        other = created("a", owner="another")
        assert backend.write([other, appended("a", 3), created("b")]) == {"a"}
        assert backend.read("a").record.owner == "me"
        assert backend.read("a").number == 2
        assert backend.read("b").number == 1

    def test_a_new_job_may_be_written_again_by_its_owner(self, backend: Backend) -> None:
        backend.write([created("a")])
        assert backend.write([created("a")]) == frozenset()
        assert backend.write([created("a", at=99.0)]) == {"a"}
        assert len(backend.read("a").journal) == 1

    def test_a_new_job_that_has_ended_at_once_may_be_written_again(self, backend: Backend) -> None:
        ended = replace(created("a"), status="completed", releases=True)
        backend.write([ended])
        assert backend.write([ended]) == frozenset()
        backend.acquire(as_seen("a"), "another")
        assert backend.write([ended]) == {"a"}

    def test_a_new_job_without_an_owner_is_written_once(self, backend: Backend) -> None:
        assert backend.write([created("a", owner=None)]) == frozenset()
        assert backend.write([created("a", owner=None)]) == {"a"}

    def test_a_definition_is_stored_with_its_first_job(self, backend: Backend) -> None:
        backend.write([created("a")])
        backend.write([created("b", definition=Definition("fingerprint-1", b"never looked at"))])
        assert backend.definition("fingerprint-1") == FLOW.document
        with refused_with(UnknownJobError, "'fingerprint-2'"):
            backend.definition("fingerprint-2")

    def test_prune_removes_definitions_that_no_job_needs(self, backend: Backend) -> None:
        backend.write([created("a"), created("b", definition=Definition("fingerprint-2", b"2"))])
        deleted(backend, "a")
        assert backend.prune(before=0.0, statuses=[]) == 0
        assert backend.definition("fingerprint-2") == b"2"
        with refused_with(UnknownJobError, "'fingerprint-1'"):
            backend.definition("fingerprint-1")
        backend.write([created("a")])
        assert backend.definition("fingerprint-1") == FLOW.document
