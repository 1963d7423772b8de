"""Who may write: epochs, owners and requests, from many threads and processes at once (law 6)."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

from msgspec.structs import replace

from routilux._backends.backend import Backend, StoredJob
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


class OwnershipConformance:
    """Tests of a store; see `BackendConformance`."""

    def test_another_epoch_is_refused_and_the_rest_is_written(self, backend: Backend) -> None:
        backend.write([created("a"), created("b"), created("c")])
        backend.acquire(as_seen("b"), "you")
        assert backend.write([appended("a", 2), appended("b", 2), appended("c", 2)]) == {"b"}
        assert backend.write([appended("b", 2)]) == {"b"}
        assert backend.write([appended("b", 2, status="failed"), appended("a", 3, status="paused")]) == {"b"}
        assert backend.write([appended("c", 3, epoch=2)]) == {"c"}
        assert [backend.read(job_id).number for job_id in "abc"] == [3, 1, 2]
        assert backend.read("b").record.status == "running"

    def test_a_gap_under_another_epoch_is_refused_as_such(self, backend: Backend) -> None:
        backend.write([created("a")])
        backend.acquire(as_seen("a"), "you")
        assert backend.write([appended("a", 9)]) == {"a"}

    def test_acquiring_raises_the_epoch_once(self, backend: Backend, beside: Backend) -> None:
        backend.write([created("a"), appended("a", 2)])
        stored = beside.acquire(as_seen("a"), "you")
        assert stored is not None
        assert (stored.record.epoch, stored.record.owner, stored.number) == (2, "you", 2)
        assert stored == beside.read("a")
        assert backend.acquire(as_seen("a"), "me") is None
        assert backend.read("a") == stored
        assert backend.write([appended("a", 3)]) == {"a"}
        assert beside.write([appended("a", 3, epoch=2)]) == frozenset()

    def test_one_of_many_acquires_a_job(self, backend: Backend, beside: Backend) -> None:
        backend.write([created("a")])
        start = Barrier(8)

        def acquire(number: int) -> StoredJob | None:
            start.wait()
            return (backend, beside)[number % 2].acquire(as_seen("a"), f"owner-{number}")

        with ThreadPoolExecutor(8) as threads:
            taken = [stored.record.owner for stored in threads.map(acquire, range(8)) if stored is not None]
        assert taken == [backend.read("a").record.owner]

    def test_what_a_taker_reads_is_all_that_will_ever_be_written_before_it(
        self, backend: Backend, beside: Backend
    ) -> None:
        for attempt in range(20):
            job_id = f"job-{attempt}"
            backend.write([created(job_id)])
            start, over = Barrier(2), Event()

            def write_until_refused(job_id: str = job_id, start: Barrier = start, over: Event = over) -> int:
                start.wait()
                number, late = 2, 0
                while late < 2 and not backend.write([appended(job_id, number)]):  # one may be just being written
                    late += over.is_set()
                    number += 1
                    if number % 10 == 0:  # who never rests may keep the taker out for ever, where there are no turns
                        over.wait(0.01)
                return number - 1

            with ThreadPoolExecutor(1) as thread:
                written = thread.submit(write_until_refused)
                try:
                    start.wait()
                    stored = beside.acquire(as_seen(job_id), "you")
                finally:
                    over.set()
            assert stored is not None
            assert stored.number == written.result() == backend.read(job_id).number

    def test_a_job_that_was_taken_over_is_not_deleted_by_who_saw_it_before(
        self, backend: Backend, beside: Backend
    ) -> None:
        backend.write([created("a")])
        seen = backend.record("a")
        assert seen is not None
        beside.acquire(as_seen("a"), "you")
        assert backend.delete(seen) is False
        assert backend.read("a").record.owner == "you"
        assert deleted(backend, "a") is True

    def test_nor_is_one_that_has_another_status_or_owner_by_now(self, backend: Backend, beside: Backend) -> None:
        backend.write([created("a"), created("b")])
        seen = {record.job_id: record for record in backend.records()}
        beside.write([appended("a", 2, status="paused")])
        beside.write([replace(appended("b", 2), releases=True)])
        assert [backend.delete(seen[job_id]) for job_id in "ab"] == [False, False]
        assert [deleted(backend, job_id) for job_id in "ab"] == [True, True]

    def test_one_of_two_has_a_job_that_is_taken_over_and_deleted_at_once(
        self, backend: Backend, beside: Backend
    ) -> None:
        for number in range(20):
            job_id = f"job-{number}"
            backend.write([created(job_id)])
            seen, start = backend.record(job_id), Barrier(2)
            assert seen is not None

            def acquire(job_id: str = job_id, start: Barrier = start) -> bool:
                start.wait()
                try:
                    return beside.acquire(as_seen(job_id), "you") is not None
                except UnknownJobError:
                    return False

            with ThreadPoolExecutor(1) as thread:
                acquired = thread.submit(acquire)
                start.wait()
                was_deleted = backend.delete(seen)
            assert [acquired.result(), backend.record(job_id) is not None] == [not was_deleted] * 2

    def test_silence_begins_with_a_beat_and_ends_with_leaving(self, backend: Backend, beside: Backend) -> None:
        assert backend.silences() == {}
        backend.beat("me")
        beside.beat("you")
        first = backend.silences()
        assert sorted(first) == ["me", "you"]
        assert all(0.0 <= seconds < 60.0 for seconds in first.values())
        assert beside.silences()["me"] >= first["me"]
        backend.leave("me")
        assert list(beside.silences()) == ["you"]

    def test_an_owner_that_leaves_owns_no_jobs(self, backend: Backend) -> None:
        backend.write([created("a"), created("b", owner="you")])
        backend.leave("me")
        owners = {record.job_id: (record.owner, record.epoch) for record in backend.records()}
        assert owners == {"a": (None, 1), "b": ("you", 1)}

    def test_requests_are_given_to_the_owner_in_their_order(self, backend: Backend, beside: Backend) -> None:
        backend.write([created("a"), created("b"), created("c", owner="you")])
        beside.ask("b", "1", b"1")
        backend.ask("a", "2", b"2")
        beside.ask("c", "3", b"3")
        beside.ask("b", "4", '"\u65e5"'.encode())
        assert backend.asked("nobody") == []
        assert backend.asked("me") == [("b", b"1"), ("a", b"2"), ("b", '"\u65e5"'.encode())]
        assert beside.asked("you") == [("c", b"3")]

    def test_requests_stay_until_they_are_dismissed(self, backend: Backend, beside: Backend) -> None:
        """An owner to whom they were given may not have got them: the connection may be lost by then."""
        backend.write([created("a"), created("b")])
        for job_id, request in (("a", b"1"), ("b", b"1"), ("a", b"2")):
            beside.ask(job_id, request.decode(), request)
        for _ in range(2):
            assert backend.asked("me") == [("a", b"1"), ("b", b"1"), ("a", b"2")]
        for _ in range(2):
            backend.dismiss([("a", b"1"), ("b", b"3"), ("c", b"1")])
            assert backend.asked("me") == [("b", b"1"), ("a", b"2")]
        backend.dismiss([("a", b"2"), ("b", b"1")])
        assert backend.asked("me") == []

    def test_who_asks_again_has_asked_once(self, backend: Backend, beside: Backend) -> None:
        backend.write([created("a"), created("b")])
        for again in (beside, backend, beside):
            again.ask("a", "1", b"1")
        beside.ask("b", "1", b"1")
        assert backend.asked("me") == [("a", b"1"), ("b", b"1")]

    def test_who_asks_again_for_what_was_answered_has_not_asked_again(self, backend: Backend, beside: Backend) -> None:
        backend.write([created("a"), created("b")])
        beside.ask("a", "1", b"1")
        backend.write([replace(appended("a", 2), answers=(("1", b"yes"),))])
        backend.dismiss([("a", b"1")])
        backend.answer("a", "2", b"no")
        for key in "123":
            beside.ask("a", key, key.encode())
            beside.ask("b", key, key.encode())
        assert backend.asked("me") == [("b", b"1"), ("b", b"2"), ("a", b"3"), ("b", b"3")]
        assert [beside.answered("a", key) for key in "123"] == [b"yes", b"no", None]

    def test_of_many_who_ask_for_the_same_at_once_one_has_asked(self, backend: Backend, beside: Backend) -> None:
        """They are one, whose answers were lost: the store may be at the first of its calls still."""
        backend.write([created("a")])
        for number in range(20):
            start = Barrier(2)

            def ask(mine: Backend, key: str = str(number), start: Barrier = start) -> None:
                start.wait()
                mine.ask("a", key, key.encode())

            with ThreadPoolExecutor(2) as threads:
                list(threads.map(ask, (backend, beside)))
        assert backend.asked("me") == [("a", b"%d" % number) for number in range(20)]

    def test_requests_are_for_one_owner_and_not_for_the_next(self, backend: Backend) -> None:
        backend.write([created("a"), created("b")])
        backend.ask("a", "1", b"1")
        backend.ask("b", "2", b"2")
        backend.acquire(as_seen("a"), "me")
        assert backend.asked("me") == [("b", b"2")]

    def test_an_answer_is_given_to_who_asks_for_it_by_its_key(self, backend: Backend, beside: Backend) -> None:
        backend.write([created("a"), created("b")])
        backend.answer("a", "1", b"no")
        backend.answer("a", "2", '"\u65e5"'.encode())
        backend.answer("a", "1", b"no")
        assert [beside.answered("a", "3"), beside.answered("b", "1"), beside.answered("c", "1")] == [None] * 3
        assert beside.answered("a", "1") == b"no"
        assert backend.answered("a", "2") == '"\u65e5"'.encode()

    def test_an_answer_stays_until_it_is_acknowledged(self, backend: Backend, beside: Backend) -> None:
        """Whoever it was given to may not have got it: the connection may be lost by then."""
        backend.write([created("a"), created("b")])
        for job_id, key in ("a1", "a2", "b1"):
            backend.answer(job_id, key, b"no")
        for _ in range(2):
            assert beside.answered("a", "1") == b"no"
        for _ in range(2):
            beside.acknowledge("a", "1")
            assert [backend.answered(job_id, key) for job_id, key in ("a1", "a2", "b1")] == [None, b"no", b"no"]
        beside.acknowledge("c", "1")

    def test_of_two_answers_under_one_key_the_first_counts(self, backend: Backend, beside: Backend) -> None:
        backend.write([created("a")])
        backend.answer("a", "1", b"yes")
        beside.answer("a", "1", b"no")
        assert backend.answered("a", "1") == b"yes"

    def test_answers_stay_when_the_job_has_another_owner_and_go_with_the_job(self, backend: Backend) -> None:
        backend.write([created(job_id) for job_id in "abcde"])
        for job_id in "abcdef":
            backend.answer(job_id, "1", b"no")
        backend.acquire(as_seen("a"), "you")
        moved_out(backend, "b")
        deleted(backend, "c")
        backend.write([appended("e", 2, status="completed")])
        backend.prune(before=102.0, statuses=["completed"])
        backend.write([created("c"), created("e")])
        backend.answer("b", "2", b"no")
        assert [backend.answered(job_id, "1") for job_id in "abcdef"] == [b"no", b"no", None, b"no", None, None]
        assert backend.answered("b", "2") is None

    def test_answers_stay_where_a_job_is_moved_out_and_comes_back(self, backend: Backend, beside: Backend) -> None:
        backend.write([created("a")])
        backend.answer("a", "1", b"yes")
        moved_out(backend, "a")
        backend.write([replace(replacing("a", 2), answers=(("2", b"no"),))])
        assert [beside.answered("a", key) for key in "12"] == [b"yes", b"no"]
        deleted(backend, "a")
        backend.write([created("a")])
        assert [beside.answered("a", key) for key in "12"] == [None, None]

    def test_an_answer_is_written_with_what_it_is_about(self, backend: Backend, beside: Backend) -> None:
        backend.write([created(job_id) for job_id in "abcd"])
        backend.acquire(as_seen("b"), "you")
        new = replace(created("e"), answers=(("1", b"new"),))
        said = [replace(appended(job_id, 2), answers=(("1", b"yes"), ("2", job_id.encode()))) for job_id in "abc"]
        assert backend.write([*said, appended("d", 2), new]) == {"b"}
        answers = [[beside.answered(job_id, key) for key in "12"] for job_id in "abcde"]
        assert answers == [[b"yes", b"a"], [None, None], [b"yes", b"c"], [None, None], [b"new", None]]
        assert [backend.read(job_id).number for job_id in "abcde"] == [2, 1, 2, 2, 1]

    def test_a_record_that_is_written_again_is_not_answered_again(self, backend: Backend) -> None:
        new = replace(created("a"), answers=(("1", b"new"),))
        said = replace(appended("a", 2), answers=(("2", b"yes"),))
        for again in (False, True):
            assert backend.write([new]) == frozenset()
            assert backend.write([said]) == frozenset()
            assert [backend.answered("a", key) is None for key in "12"] == [again] * 2
            for key in "12":
                backend.acknowledge("a", key)
        backend.write([new, said])
        assert [backend.answered("a", "1"), backend.answered("a", "2")] == [None, None]

    def test_nothing_is_answered_where_a_record_cannot_be_written(self, backend: Backend) -> None:
        backend.write([created("a"), created("b")])
        gap = replace(appended("b", 9), answers=(("1", b"yes"),))
        with refused_with(StoreError, "'b'"):
            backend.write([replace(appended("a", 2), answers=(("1", b"yes"),)), gap])
        assert [backend.answered("a", "1"), backend.answered("b", "1")] == [None, None]
        assert backend.write([replace(appended("a", 2), answers=(("1", b"yes"),))]) == frozenset()
        assert backend.answered("a", "1") == b"yes"

    def test_an_answer_beside_a_record_gives_way_to_one_that_is_there(self, backend: Backend) -> None:
        backend.write([created("a")])
        backend.answer("a", "1", b"no")
        assert backend.write([replace(appended("a", 2), answers=(("1", b"yes"),))]) == frozenset()
        assert [backend.answered("a", "1"), backend.read("a").number] == [b"no", 2]

    def test_what_one_writes_the_other_reads(self, backend: Backend, beside: Backend) -> None:
        backend.write([created("a")])
        assert beside.write([appended("a", 2)]) == frozenset()
        assert beside.read("a") == backend.read("a")
        assert beside.definition("fingerprint-1") == FLOW.document
        beside.compact(compacted("a", 2))
        assert backend.read("a").journal == []
        assert deleted(beside, "a") is True
        assert backend.records() == []

    def test_threads_write_to_different_jobs_at_once(self, backend: Backend, beside: Backend) -> None:
        start = Barrier(6)

        def write_many(thread: int) -> None:
            mine, job_id = (backend, beside)[thread % 2], f"job-{thread}"
            start.wait()
            mine.write([created(job_id)])
            for number in range(2, 40):
                assert mine.write([appended(job_id, number)]) == frozenset()
                assert mine.read(job_id).number == number

        with ThreadPoolExecutor(6) as threads:
            list(threads.map(write_many, range(6)))
        for thread in range(6):
            assert numbers(backend.read(f"job-{thread}")) == [b"%d" % number for number in range(1, 40)]

    def test_a_job_is_read_as_of_one_moment(self, backend: Backend, beside: Backend) -> None:
        backend.write([created("a")])
        start = Barrier(2)

        def write_and_compact() -> None:
            start.wait()
            for number in range(2, 150):
                backend.write([appended("a", number)])
                backend.compact(compacted("a", number - 1, segment=b"%d" % number))

        with ThreadPoolExecutor(1) as thread:
            writing = thread.submit(write_and_compact)
            start.wait()
            while not writing.done():
                stored = beside.read("a")
                assert numbers(stored)[-1:] == [b"%d" % stored.number]
                assert stored.segments == [b"%d" % number for number in range(2, len(stored.segments) + 2)]
            writing.result()
        assert (backend.read("a").number, len(backend.read("a").segments)) == (149, 148)
