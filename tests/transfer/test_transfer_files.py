"""What is written is read again: by the same keys, by newer ones, in another process, from anything that has bytes."""

import io
import json
import os
import stat
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from routilux import DefinitionError, Flow, JobState, JobStateError, SecretError
from routilux.errors import TransferError, TransferForeignError, TransferKeyError, TransferReplayedError
from routilux.stores import open_store
from routilux.testing import StepRunner
from routilux.transfer import (
    Compression,
    Inspection,
    Key,
    KeyAlgorithm,
    KeyRing,
    SeenEpochs,
    dumps,
    inspect,
    load_keys,
    loads,
    pack,
    read,
    save_keys,
    unpack,
    write,
)
from serilux import identical
from serilux.errors import DocumentError, UnknownClassError
from tests.engine.engine_parts import flow_of, pipeline
from tests.laws.effort import examples
from tests.page.second_host import run_module
from tests.serilux.strategies import values
from tests.transfer.transfers import AES, ED25519, HMAC, SIGNED, WAYS, interpreted, parts_of, paused_job, written


def finished(flow: Flow, job_state: JobState) -> list[Any]:
    flow.resume(job_state)
    assert job_state.wait(10)
    assert job_state.status == "completed"
    return job_state.shared_log


# Round trips.


@pytest.mark.parametrize("name", WAYS)
def test_a_job_goes_on_from_a_file_where_it_stood(name: str, tmp_path: Path) -> None:
    (flow, job_state), path = paused_job(), tmp_path / "job.transfer"
    write(path, flow, job_state, **WAYS[name].writing)
    other, moved = read(path, keys=WAYS[name].reading)
    assert moved.serialize() == job_state.serialize()
    assert other.serialize() == flow.serialize()
    assert finished(other, moved) == [0, 0, 1, 2]


@pytest.mark.parametrize("name", WAYS)
@given(value=values, entry=st.text(st.characters(exclude_categories=["Cs"]), max_size=5))
@examples(25)
def test_whatever_a_job_has_comes_back(name: str, value: Any, entry: str) -> None:
    flow, job_state = paused_job()
    job_state.update_shared_data(entry, value)
    content = dumps(flow, job_state, **WAYS[name].writing)
    _, moved = loads(content, keys=WAYS[name].reading)
    assert identical(moved.shared_data[entry], value)
    assert moved.serialize() == job_state.serialize()


@examples(50)
@given(document=st.fixed_dictionaries({"more": st.text(), "list": st.lists(st.integers(-9, 9))}))
def test_compression_and_encryption_change_nothing(document: dict[str, Any]) -> None:
    whole = unpack(written()) | {"flow": document}
    for name, each in WAYS.items():
        assert (name, unpack(pack(whole, **each.writing), keys=each.reading)) == (name, whole)


def test_bytes_may_go_any_way(tmp_path: Path) -> None:
    flow, job_state = paused_job()
    stream = io.BytesIO()
    write(stream, flow, job_state)
    stream.seek(0)
    assert read(stream)[1].job_id == job_state.job_id
    write(str(tmp_path / "job"), flow, job_state)
    with open(tmp_path / "job", "rb") as file:
        assert read(file)[1].epoch == 2
    assert json.loads((tmp_path / "job").read_bytes()[14:].partition(b"}")[0] + b"}")["job_id"] == job_state.job_id


class Dripping(io.BytesIO):
    """Gives a byte at a time, like a slow pipe."""

    def read(self, size: int | None = -1) -> bytes:
        return super().read(min(size or 0, 1))


@pytest.mark.parametrize("name", WAYS)
def test_a_file_may_come_in_small_pieces(name: str) -> None:
    assert read(Dripping(written(name)), keys=WAYS[name].reading)[1].status == "paused"


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "job.transfer"
    path.write_bytes(b"what was there")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write(path, *paused_job())
    assert [(each.name, each.read_bytes()) for each in tmp_path.iterdir()] == [("job.transfer", b"what was there")]


def test_the_layout_is_as_it_is_described() -> None:
    content = written("hmac")
    parts = parts_of(content)
    assert (parts.put_together(), len(parts.signature)) == (content, 32)
    signed = content[: len(content) - len(parts.payload) - 32]
    assert HMAC.sign(signed) == parts.signature
    assert sorted(msgspec.json.decode(parts.payload)) == ["flow", "format", "graph", "job"]


def test_what_the_host_gives_is_given_to_the_flow() -> None:
    made: list[Flow] = []

    def make() -> Flow:
        made.append(Flow(resources={"kept": 1}))
        return made[-1]

    flow, _ = loads(written(), flow=make, resources={"client": 5})
    assert (flow is made[0], dict(flow.resources)) == (True, {"kept": 1, "client": 5})


def test_a_running_job_is_written_as_it_is_at_that_moment() -> None:
    runner = StepRunner()
    flow = pipeline(runner)
    job_state = runner.start(flow, "source", {"count": 2})
    runner.step()
    attempt = runner.begin(job_state)
    assert attempt is not None
    other, moved = loads(dumps(flow, job_state))
    assert (job_state.status, finished(other, moved)) == ("running", [0, 0, 1, 2])


# What cannot be written.


def test_a_job_that_is_kept_in_a_store_is_moved_by_that() -> None:
    runner = StepRunner()
    with open_store("memory:") as store:
        flow = pipeline(runner)
        job_state = runner.start(flow, "source", store=store)
        with pytest.raises(JobStateError, match=r"is kept in a store.*Store\.export_file"):
            dumps(flow, job_state)
        assert job_state.epoch == 0


def test_a_job_of_another_flow_is_refused() -> None:
    _, job_state = paused_job()
    with pytest.raises(JobStateError, match="is a run of flow 'flow', not of 'other'"):
        dumps(Flow("other"), job_state)
    with pytest.raises(DefinitionError, match="a Flow is expected, not dict"):
        dumps({}, job_state)  # type: ignore[arg-type]
    assert job_state.epoch == 0


def test_a_header_that_would_be_too_long_is_refused() -> None:
    runner = StepRunner()
    flow = pipeline(runner)
    with pytest.raises(TransferError, match="shorten the ids of its keys"):
        dumps(flow, runner.start(flow, "source"), keys=KeyRing([Key.generate("x" * 70_000)]))


def test_a_secret_is_in_no_file() -> None:
    flow, job_state = paused_job()
    source = flow.routines["source"]
    source.declare_secret("key")
    source.set_config(key="sk-live-123456789")
    assert b"sk-live" not in dumps(flow, job_state)
    job_state.shared_data["key"] = "sk-live-123456789"
    with pytest.raises(SecretError):
        dumps(flow, job_state)
    assert job_state.epoch == 1


def test_a_newer_format_of_what_is_in_a_file_is_refused_by_its_number() -> None:
    with pytest.raises(DocumentError, match="exported job format 2 is newer than this routilux"):
        loads(pack(unpack(written()) | {"format": 2}))
    with pytest.raises(DocumentError, match="this is no exported job"):
        loads(pack(unpack(written()) | {"graph": []}))


# Epochs.


def test_each_file_of_a_job_is_newer_than_the_one_before() -> None:
    flow, job_state = paused_job()
    files = [dumps(flow, job_state), dumps(flow, job_state)]
    other, moved = loads(files[1])
    files.append(dumps(other, moved))
    assert [loads(file)[1].epoch for file in files] == [1, 2, 3]


@pytest.fixture
def seen(tmp_path: Path) -> SeenEpochs:
    return SeenEpochs(tmp_path / "seen.db")


@pytest.mark.parametrize("name", WAYS)
def test_a_file_is_read_once_and_not_after_a_newer_one(name: str, seen: SeenEpochs) -> None:
    flow, job_state = paused_job()
    old, new = (dumps(flow, job_state, **WAYS[name].writing) for _ in range(2))
    keys = WAYS[name].reading
    loads(new, keys=keys, seen=seen)
    for content in (old, new):
        with interpreted() as calls, pytest.raises(TransferReplayedError) as caught:
            loads(content, keys=keys, seen=seen)
        assert calls == []
    assert (caught.value.job_id, caught.value.epoch, caught.value.known) == (job_state.job_id, 2, 2)
    assert "forget('job-1')" in str(caught.value)
    assert isinstance(caught.value, JobStateError)
    seen.forget(job_state.job_id)
    assert loads(old, keys=keys, seen=seen)[1].epoch == 1


def test_an_id_that_is_no_text_is_refused(seen: SeenEpochs) -> None:
    with pytest.raises(TransferError, match="surrogates not allowed"):
        seen.epoch_of("\udcff")
    with pytest.raises(TransferKeyError, match="has a lone surrogate, which no document can hold"):
        Key.generate("\udcff")


def test_what_is_refused_is_not_seen(seen: SeenEpochs) -> None:
    content = written("hmac")
    with pytest.raises(TransferForeignError):
        loads(content, keys=KeyRing([ED25519]), seen=seen)
    document = unpack(written())
    document["flow"]["routines"]["source"]["_type"] = "Nobody"
    with pytest.raises(UnknownClassError):
        loads(pack(document), seen=seen)
    assert seen.epoch_of("job-1") is None
    loads(content, keys=KeyRing([HMAC]), seen=seen)
    assert seen.epoch_of("job-1") == 1


def test_what_has_left_does_not_come_back_as_it_was(seen: SeenEpochs) -> None:
    flow, job_state = paused_job()
    content = dumps(flow, job_state, seen=seen)
    with pytest.raises(TransferReplayedError):
        loads(content, seen=seen)
    other, moved = loads(content)
    assert loads(dumps(other, moved), seen=seen)[1].epoch == 2
    with pytest.raises(TransferReplayedError):
        dumps(flow, job_state, seen=seen)


def test_plain_json_is_seen_too(seen: SeenEpochs, tmp_path: Path) -> None:
    path = tmp_path / "transfer.json"
    path.write_bytes(msgspec.json.encode(unpack(written())))
    read(path, seen=seen)
    with pytest.raises(TransferReplayedError, match=f"^{path}: job 'job-1' has been here as of epoch 1"):
        read(path, seen=seen)


def test_of_two_that_read_at_once_one_is_refused(seen: SeenEpochs) -> None:
    seen.check("job", 3)
    seen.check("job", 3)
    seen.note("job", 3)
    with pytest.raises(TransferReplayedError):
        seen.note("job", 3)
    with pytest.raises(TransferReplayedError):
        seen.note("job", 2)
    seen.note("job", 4)
    assert (seen.epoch_of("job"), seen.epoch_of("other")) == (4, None)


def test_a_register_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    (tmp_path / "odd.db").write_bytes(b"no register" * 100)
    for path in (tmp_path / "odd.db", tmp_path / "no folder" / "seen.db"):
        with pytest.raises(TransferError, match=r"the register '.*' cannot be used"):
            loads(written(), seen=SeenEpochs(path))
    assert repr(SeenEpochs("seen.db")) == "<SeenEpochs 'seen.db'>"


# Keys.


@pytest.mark.parametrize("algorithm", ["HMAC-SHA256", "Ed25519"])
def test_keys_are_changed_without_a_file_that_cannot_be_read(algorithm: str) -> None:
    old = KeyRing([Key.generate("2025", algorithm)])
    both = old.with_newest(Key.generate("2026", algorithm))
    by_old, by_new = (dumps(*paused_job(), keys=ring) for ring in (old, both))
    assert [inspect(io.BytesIO(content)).signature.key for content in (by_old, by_new)] == ["2025", "2026"]
    assert [loads(content, keys=both)[1].status for content in (by_old, by_new)] == ["paused", "paused"]
    later = both.retired("2025")
    assert loads(by_new, keys=later)[1].status == "paused"
    with pytest.raises(TransferForeignError, match="with key '2025', which is retired"):
        loads(by_old, keys=later)
    assert inspect(io.BytesIO(dumps(*paused_job(), keys=later))).signature.key == "2026"


def test_encryption_keys_are_changed_likewise() -> None:
    old = KeyRing([Key.generate("2025", "AES-256-GCM")])
    both = old.with_newest(Key.generate("2026", KeyAlgorithm.AES_256_GCM))
    by_old, by_new = (dumps(*paused_job(), keys=ring, encrypt=True) for ring in (old, both))
    assert [inspect(io.BytesIO(content)).encryption.key for content in (by_old, by_new)] == ["2025", "2026"]
    assert [loads(content, keys=both)[1].status for content in (by_old, by_new)] == ["paused", "paused"]
    with pytest.raises(TransferForeignError, match="with key '2025', which is retired"):
        loads(by_old, keys=both.retired("2025"))


def test_no_two_files_are_encrypted_alike() -> None:
    flow, job_state = paused_job()
    ring = KeyRing([AES])
    nonces = {inspect(io.BytesIO(dumps(flow, job_state, keys=ring, encrypt=True))).encryption.nonce for _ in range(20)}
    assert len(nonces) == 20


def test_what_is_encrypted_cannot_be_read() -> None:
    flow, job_state = paused_job()
    job_state.update_shared_data("note", "nobody's business")
    assert b"nobody's business" in dumps(flow, job_state)
    assert b"nobody's business" not in dumps(flow, job_state, keys=KeyRing([AES]), encrypt=True)


def test_what_others_are_given_verifies_and_does_not_sign() -> None:
    ring = KeyRing([ED25519, HMAC, AES])
    public = ring.for_others()
    assert [(key.key_id, key.secret) for key in public.keys] == [("ed", None)]
    assert loads(dumps(*paused_job(), keys=ring), keys=public)[1].status == "paused"
    assert public.for_others().keys[0].public == public.keys[0].public
    for key in (HMAC, AES):
        with pytest.raises(TransferKeyError, match="has no public part"):
            key.for_others()


@pytest.mark.parametrize(
    ("keys", "encrypt", "said"),
    [
        (None, True, "there is no key to encrypt with"),
        (KeyRing([HMAC]), True, "there is no key to encrypt with"),
        (KeyRing([HMAC, AES]).retired("aes"), True, "there is no key to encrypt with"),
        (KeyRing([AES]), False, "none of the keys can sign"),
        (KeyRing([HMAC]).retired("hmac"), False, "none of the keys can sign"),
        (KeyRing([ED25519]).for_others(), False, "none of the keys can sign"),
        (KeyRing([ED25519.for_others(), AES]), True, "none of the keys can sign"),
        (KeyRing(), False, "keys are a KeyRing with a Key in it"),
        ([HMAC], False, "keys are a KeyRing, not list"),
        (HMAC, False, "keys are a KeyRing, not Key"),
    ],
)
def test_what_the_keys_cannot_do_is_told_and_nothing_is_changed(keys: Any, encrypt: bool, said: str) -> None:
    flow, job_state = paused_job()
    with pytest.raises(TransferKeyError, match=said):
        dumps(flow, job_state, keys=keys, encrypt=encrypt)
    assert job_state.epoch == 0


def test_readers_are_told_so_too() -> None:
    for keys in (KeyRing(), [HMAC]):
        with pytest.raises(TransferKeyError, match="keys are a KeyRing"):
            loads(written(), keys=keys)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        (("k", "HMAC-SHA256", b"short"), "has a secret of 5 bytes; it has to have 32 or more"),
        (("k", "HMAC-SHA256", "x" * 32), "has parts that are no bytes"),
        (("k", "HMAC-SHA256"), "has no secret"),
        (("k", "HMAC-SHA256", None, bytes(32)), "has a public part, and there is none"),
        (("k", "AES-256-GCM", bytes(16)), "has parts of another length than 32 bytes"),
        (("k", "Ed25519", bytes(31)), "has parts of another length than 32 bytes"),
        (("k", "Ed25519", None, bytes(33)), "has parts of another length than 32 bytes"),
        (("k", "Ed25519", bytes(32), bytes(32)), "has a secret and a public part"),
        (("k", "RSA", bytes(32)), "unknown algorithm 'RSA'; there are: HMAC-SHA256, Ed25519, AES-256-GCM"),
        (("", "Ed25519", bytes(32)), "a key has an id"),
        ((b"k", "Ed25519", bytes(32)), "a key has an id"),
    ],
)
def test_a_key_that_is_none_is_refused_without_showing_it(parts: Any, said: str) -> None:
    with pytest.raises(TransferKeyError, match=said) as caught:
        Key(*parts)
    assert "xxx" not in str(caught.value)


def test_a_ring_has_keys_of_different_ids() -> None:
    with pytest.raises(TransferKeyError, match="two keys have the id 'hmac'"):
        KeyRing([HMAC, ED25519]).with_newest(HMAC)
    with pytest.raises(TransferKeyError, match="not str"):
        KeyRing(["hmac"])  # type: ignore[list-item]
    with pytest.raises(TransferKeyError, match="there is no key 'x'; there are: hmac, ed"):
        KeyRing([HMAC, ED25519]).retired("x")


def test_keys_are_shown_without_what_they_are() -> None:
    ring = KeyRing([HMAC, ED25519.for_others(), Key("s", "AES-256-GCM", b"secret" * 5 + b"!!")]).retired("ed")
    assert repr(ring) == (
        "<KeyRing [<Key 'hmac': HMAC-SHA256>, <Key 'ed': Ed25519, public only, retired>, <Key 's': AES-256-GCM>]>"
    )


def test_key_files_are_for_their_owner_and_come_back(tmp_path: Path) -> None:
    path, ring = tmp_path / "keys.json", KeyRing([ED25519.for_others(), HMAC, AES]).retired("hmac")
    save_keys(path, ring)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    read_back = load_keys(path)
    facts = [(key.key_id, key.algorithm, key.secret, key.public, key.retired) for key in read_back.keys]
    assert facts == [(key.key_id, key.algorithm, key.secret, key.public, key.retired) for key in ring.keys]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "[" * 100_000,
        '{"format": 2, "keys": []}',
        '{"format": 1}',
        '{"format": 1, "keys": [{"key_id": "k", "algorithm": "RSA"}]}',
        '{"format": 1, "keys": [{"key_id": "k", "algorithm": "Ed25519"}]}',
        '{"format": 1, "keys": [{"key_id": "k", "algorithm": "Ed25519", "secret": "no base64"}]}',
        '{"format": 1, "keys": [{"key_id": "k", "algorithm": "Ed25519", "secret": "c2VjcmV0"}]}',
        '{"format": 1, "keys": [], "more": 1}',
    ],
)
def test_a_file_without_keys_is_refused_by_its_name(text: str, tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    path.touch(mode=0o600)
    path.write_text(text)
    with pytest.raises(TransferKeyError, match=f"^{path}: no keys can be read from it: ") as caught:
        load_keys(path)
    assert "c2VjcmV0" not in str(caught.value)


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620, 0o601])
def test_secret_keys_to_which_others_have_access_are_refused(mode: int, tmp_path: Path) -> None:
    path = tmp_path / "the keys.json"
    save_keys(path, KeyRing([HMAC]))
    path.chmod(mode)
    with pytest.raises(TransferKeyError) as caught:
        load_keys(path)
    assert str(caught.value) == (
        f"{path}: others have access to its secret keys (its mode is {mode:04o}); run `chmod 600 '{path}'`, and make "
        "new keys if somebody may have read them"
    )
    path.chmod(0o400)
    assert [key.key_id for key in load_keys(path).keys] == ["hmac"]


def test_public_keys_are_for_everybody(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    save_keys(path, KeyRing([ED25519.for_others()]))
    path.chmod(0o644)
    assert [key.key_id for key in load_keys(path).keys] == ["ed"]


# Looking.


@pytest.mark.parametrize("name", WAYS)
def test_a_file_is_inspected_without_reading_what_is_in_it(name: str) -> None:
    content, each = written(name), WAYS[name]
    with interpreted() as calls:
        without, by_keys = inspect(io.BytesIO(content)), inspect(io.BytesIO(content), keys=KeyRing([HMAC, ED25519]))
        verified = inspect(io.BytesIO(content), keys=each.reading)
    assert calls == []
    assert (without.job_id, without.flow_id, without.epoch, without.status) == ("job-1", "flow", 1, "paused")
    assert (without.layout, without.intact, without.verified, without.problem) == (1, True, None, None)
    assert without.compression is (Compression.ZLIB if each.compress else Compression.NONE)
    assert (without.encryption is not None) == each.encrypt
    assert (verified.verified, verified.problem) == ((None, None) if each.keys is None else (True, None))
    assert by_keys.verified == (name in ("hmac", "ed25519"))
    assert (by_keys.problem is None) == (name in ("hmac", "ed25519"))


@pytest.mark.parametrize("name", SIGNED)
def test_a_file_that_was_altered_is_inspected_as_such(name: str) -> None:
    content = written(name)
    altered = inspect(io.BytesIO(content[:-1] + bytes([content[-1] ^ 1])), keys=WAYS[name].reading)
    assert (altered.intact, altered.verified, altered.job_id) == (False, False, "job-1")
    assert altered.problem == "its digest is another: something in it was altered; have it written again"
    cut = inspect(io.BytesIO(content[:-1]))
    assert (cut.intact, cut.verified) == (False, None)
    parts = parts_of(content)
    mended = inspect(io.BytesIO(parts.with_payload(b"x").put_together()), keys=WAYS[name].reading)
    assert (mended.intact, mended.verified) == (True, False)
    assert f"or {'encrypted' if name == 'aes' else 'made'} with another key" in mended.problem


def test_plain_json_is_inspected_too() -> None:
    content = msgspec.json.encode(unpack(written()))
    plain = inspect(io.BytesIO(content))
    expected = Inspection(
        layout=None, flow_id="flow", job_id="job-1", epoch=1, status="paused", size=len(content), expanded=len(content)
    )
    assert plain == expected
    assert inspect(io.BytesIO(content), keys=KeyRing([HMAC])).verified is False
    for job in ([], {"job_id": 5}):
        odd = msgspec.json.encode({"format": 1, "flow": {}, "graph": {}, "job": job})
        with pytest.raises(TransferError, match="its job does not say flow_id, job_id, epoch, status"):
            inspect(io.BytesIO(odd))


# Two processes.


@pytest.mark.parametrize("name", WAYS)
def test_another_process_goes_on_with_what_this_one_has_written(name: str, tmp_path: Path) -> None:
    ring = KeyRing([*(WAYS[name].keys or KeyRing()).keys, Key.generate("other")])
    save_keys(tmp_path / "keys.json", WAYS[name].reading or ring)
    flow, job_state = paused_job()
    write(tmp_path / "there.transfer", flow, job_state, **WAYS[name].writing)
    given = [str(tmp_path / "keys.json")] if WAYS[name].reading else []
    told = json.loads(run_module("tests.transfer.other_host", "", str(tmp_path), *given))
    assert told == {"process": told["process"], "log": [0, 0, 1, 2], "again": "TransferReplayedError"}
    assert told["process"] != os.getpid()
    _, back = read(tmp_path / "back.transfer")
    assert (back.status, back.epoch, back.shared_log) == ("completed", 2, [0, 0, 1, 2])


def test_without_cryptography_the_rest_works_and_the_remedy_is_told() -> None:
    program = run_module("tests.transfer.without_cryptography")
    assert json.loads(program) == {
        "plain": "paused",
        "hmac": "paused",
        "sign": "Ed25519 and encryption need the cryptography package; pip install 'routilux[crypto]'",
        "loaded": False,
    }


def test_an_unused_part_of_a_flow_is_no_matter() -> None:
    flow = flow_of(StepRunner(), only=pipeline().routines["source"].__class__())
    assert loads(dumps(flow, flow.execute("only")))[0].routines.keys() == {"only"}
