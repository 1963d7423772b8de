"""Secrets: configured, needed, and told nobody."""

import json
import warnings
from base64 import b64encode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, quote_plus

import pytest

from routilux import (
    DefinitionError,
    ErrorHandler,
    Flow,
    JobState,
    MissingResourceError,
    Plan,
    ResourceFactory,
    ResumeError,
    Routine,
    SecretError,
)
from routilux._engine.live_job import LiveJob
from routilux._secrecy import KEPT, Secrecy
from routilux.testing import StepRunner
from serilux import register_serializable
from serilux.errors import DocumentError
from tests.engine.engine_parts import StandInLock, emitted, flow_of, routine
from tests.patience import PATIENCE

KEY = "sk-live-51 H'x\"é\n/9=="
CODE = b"\x00\xff\x10binary-secret"


@register_serializable
class EngineMailer(Routine):
    """Uses its key without telling it."""

    def __init__(self) -> None:
        super().__init__()
        self.declare_secret("api_key")
        self.define_slot("trigger", self.send)
        self.define_event("sent", ["length"])

    def send(self, to: str = "you") -> None:
        self.emit("sent", length=len(self.get_config("api_key")))


def mailing(runner: StepRunner | None = None, **settings: Any) -> Flow:
    return flow_of(runner, mailer=EngineMailer(), **settings)


def telling(runner: StepRunner, tell: Callable[..., None], *events: str, **options: Any) -> Flow:
    """A flow whose one routine does something with its secret `api_key`, which is KEY."""
    made = routine(tell, *events, **options)
    made.declare_secret("api_key")
    made.set_config(api_key=KEY)
    return flow_of(runner, teller=made)


def lengths(job_state: JobState) -> list[int]:
    return [data["length"] for data in emitted(job_state, "sent")]


# How it is given.


def test_a_secret_that_is_set_is_read_and_is_in_no_document() -> None:
    flow = mailing(StepRunner())
    flow.routines["mailer"].set_config(api_key=KEY, sender="me")
    job_state = flow.execute("mailer")
    assert lengths(job_state) == [len(KEY)]
    document = flow.serialize()["routines"]["mailer"]
    assert (document["_config"], document["_secrets"]) == ({"sender": "me"}, ["api_key"])
    assert flow.routines["mailer"].get_config() == {"sender": "me"}
    assert flow.routines["mailer"].get_config("api_key") == KEY


def test_where_there_are_no_secrets_the_document_does_not_speak_of_them() -> None:
    assert "_secrets" not in Routine().serialize()


@pytest.mark.parametrize("value", [KEY, CODE])
def test_a_secret_may_be_given_like_a_resource(value: Any) -> None:
    flow = mailing(StepRunner(), resources={"api_key": value})
    assert lengths(flow.execute("mailer")) == [len(value)]


def test_a_secret_may_be_fetched_when_it_is_needed() -> None:
    fetched: list[int] = []

    def fetch() -> str:
        fetched.append(1)
        return KEY

    flow = mailing(StepRunner(), resources={"api_key": ResourceFactory(fetch)})
    flow.check(JobState())
    assert fetched == []
    assert (lengths(flow.execute("mailer")), fetched) == ([len(KEY)], [1])


def test_two_routines_of_a_class_may_have_their_own() -> None:
    resources = {"api_key": "for all", "b.api_key": "for b alone"}
    flow = flow_of(StepRunner(), a=EngineMailer(), b=EngineMailer(), c=EngineMailer(), resources=resources)
    flow.routines["c"].set_config(api_key="set here")
    assert [flow.routines[name].get_config("api_key") for name in "abc"] == ["for all", "for b alone", "set here"]


def test_what_was_configured_before_it_was_declared_is_a_secret_too() -> None:
    made = Routine()
    made.set_config(api_key=KEY, sender="me")
    made.declare_secret("api_key")
    assert (made.get_config(), made.get_config("api_key")) == ({"sender": "me"}, KEY)
    assert made.serialize()["_config"] == {"sender": "me"}
    assert made.declared_secrets == ("api_key",)


def test_one_that_is_not_there_is_the_default() -> None:
    assert (EngineMailer().get_config("api_key"), EngineMailer().get_config("api_key", "none")) == (None, "none")


def test_a_new_value_in_a_handler_is_no_change_of_what_jobs_share() -> None:
    def rotate(self: Routine) -> None:
        self.set_config(api_key="another key")

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        flow = telling(StepRunner(), rotate)
        job_state = flow.execute("teller")
    assert (job_state.status, flow.routines["teller"].get_config("api_key")) == ("completed", "another key")


@pytest.mark.parametrize("value", ["", b"", 5, None, ["key"], {"key": 1}])
def test_a_secret_is_text_or_bytes(value: Any) -> None:
    made = EngineMailer()
    with pytest.raises(DefinitionError, match=r"the secret 'api_key' (has to be text or bytes|is empty)"):
        made.set_config(sender="me", api_key=value)
    assert made.get_config() == {}
    made = Routine()
    made.set_config(api_key=value)
    with pytest.raises(DefinitionError, match=r"has to be text or bytes|is empty"):
        made.declare_secret("api_key")
    assert (made.get_config(), made.declared_secrets) == ({"api_key": value}, ())


@pytest.mark.parametrize("value", ["", 5, "\ud800"])
def test_one_that_is_given_and_is_no_secret_is_missing(value: Any) -> None:
    with pytest.raises(
        MissingResourceError, match=r"routine 'mailer' needs 'api_key': the secret 'api_key' (has to be|is empty)"
    ):
        mailing(resources={"api_key": value}).execute("mailer")


def test_a_plan_with_a_secret_in_it_is_recorded_in_no_job() -> None:
    runner = StepRunner()
    flow = mailing(runner)
    flow.routines["mailer"].set_config(api_key=KEY)
    job_state = runner.start(flow, "mailer")
    flow.pause(job_state)
    before, plan = job_state.serialize(), Plan(reason=f"the key is {KEY} now")
    for use in (flow.check, flow.resume, flow.retry):
        with pytest.raises(SecretError, match=r"^plan.reason has the secret 'api_key' in it") as caught:
            use(job_state, plan=plan)
        assert KEY not in str(caught.value)
    assert job_state.serialize() == before
    flow.resume(job_state, plan=Plan(reason="the key is another now"))
    runner.run()
    assert job_state.status == "completed"


# Asked for before a job runs.


def test_no_job_runs_or_resumes_without_it_and_it_is_told_how_to_give_it() -> None:
    runner = StepRunner()
    flow = mailing(runner)
    remedy = (
        "routine 'mailer' needs 'api_key': it is a secret, which no document has; set it with "
        "flow.routines['mailer'].set_config(api_key=...), or give it with flow.resources['api_key'] = ..."
    )
    with pytest.raises(MissingResourceError) as missing:
        flow.execute("mailer")
    assert (missing.value.missing, remedy in str(missing.value)) == (("api_key",), True)
    flow.routines["mailer"].set_config(api_key=KEY)
    job_state = runner.start(flow, "mailer")
    flow.pause(job_state)
    other, read = Flow(engine_factory=runner.engine), JobState()
    other.deserialize(json.loads(json.dumps(flow.serialize())))
    read.deserialize(json.loads(json.dumps(job_state.serialize())))
    with pytest.raises(ResumeError) as refused:
        other.resume(read)
    assert list(refused.value.problems) == [remedy] == other.check(read)
    other.routines["mailer"].set_config(api_key="of this host")
    other.resume(read)
    runner.run()
    assert lengths(read) == [len("of this host")]


# Documents.


def test_what_the_constructor_has_set_is_kept_when_a_document_is_read() -> None:
    class Env(EngineMailer):
        def __init__(self) -> None:
            super().__init__()
            self.set_config(api_key=KEY)

    document = Env().serialize()
    made = Env()
    made.deserialize(document)
    assert made.get_config("api_key") == KEY


def test_a_document_from_before_it_was_declared_gives_the_value_that_it_has() -> None:
    document = EngineMailer().serialize() | {"_config": {"api_key": KEY, "sender": "me"}}
    del document["_secrets"]
    made = EngineMailer()
    made.deserialize(document)
    assert (made.get_config("api_key"), made.get_config()) == (KEY, {"sender": "me"})
    assert made.serialize()["_config"] == {"sender": "me"}


def test_what_only_the_document_calls_a_secret_is_one() -> None:
    made = Routine()
    made.deserialize(Routine().serialize() | {"_secrets": ["token"], "_config": {"token": KEY}})
    assert (made.declared_secrets, made.get_config("token"), made.get_config()) == (("token",), KEY, {})


@pytest.mark.parametrize(
    ("field", "value", "path"),
    [
        ("_secrets", "api_key", "_secrets"),
        ("_secrets", [1], "_secrets"),
        ("_secrets", None, "_secrets"),
        ("_config", {"api_key": 5}, "_config"),
    ],
)
def test_a_document_that_says_something_else_changes_nothing(field: str, value: Any, path: str) -> None:
    made = EngineMailer()
    made.set_config(api_key=KEY, sender="me")
    with pytest.raises(DocumentError, match=rf"EngineMailer\.{path}: "):
        made.deserialize(EngineMailer().serialize() | {field: value})
    assert (made.get_config("api_key"), made.get_config()) == (KEY, {"sender": "me"})


# Errors.


def test_the_record_of_an_error_is_redacted_wherever_it_is() -> None:
    def fail(self: Routine) -> None:
        key = self.get_config("api_key")
        cause = LookupError(f"no account for {key}")
        cause.add_note(f"tried with {key!r}")
        raise ConnectionError({"key": key}) from cause

    flow = telling(StepRunner(), fail)
    job_state = flow.execute("teller")
    assert job_state.error is not None
    assert job_state.error.message == "{'key': '<secret api_key>'}"
    assert "no account for <secret api_key>" in job_state.error.traceback
    assert "tried with '<secret api_key>'" in job_state.error.traceback
    assert "sk-live" not in json.dumps(job_state.serialize()) + str(job_state.explain())


ODD_KEYS = [KEY, "a'b'c'd", 'a"b"c"d', "'\"'\"'", "\n\t\n\té\té", "\\a\\n\\'", "plain", "mixed 'é\n\"\\"]


@pytest.mark.parametrize("key", ODD_KEYS)
@pytest.mark.parametrize(
    "tell",
    [
        str,
        repr,
        ascii,
        json.dumps,
        lambda key: json.dumps(key, ensure_ascii=False),
        lambda key: repr(repr(key)),
        lambda key: json.dumps(repr(key)),
        lambda key: repr({"a'b": key}),
        lambda key: repr(f"it's {key}"),
        lambda key: repr(f'"it" {key}'),
        lambda key: repr(f"""it's "it" {key}"""),
        lambda key: repr(key.encode()),
        quote,
        quote_plus,
        lambda key: quote(key, safe=""),
        lambda key: b64encode(key.encode()).decode(),
    ],
)
def test_all_of_it_is_found_however_it_is_written(key: str, tell: Callable[[str], str]) -> None:
    secrecy = Secrecy()
    secrecy.learn("", "key", key)
    text = secrecy.without(f"before {tell(key)} after")
    around = tell("").replace(b64encode(b"").decode(), "")
    plain = str.maketrans("", "", "'\"\\b")  # which quotes are written depends on what is in them
    expected = f"before {around} after".translate(plain).split()
    assert text.replace("<secret key>", " ").translate(plain).split() == expected


@pytest.mark.parametrize(
    "tell",
    [
        lambda key: f"...{key[:13]}...",
        lambda key: f"...{key[-12:]}",
        lambda key: "\n".join(f"  | {line}" for line in f"x{key}y".splitlines()),
    ],
)
def test_pieces_of_it_are_found(tell: Callable[[str], str]) -> None:
    secrecy = Secrecy()
    secrecy.learn("", "key", KEY)
    text = secrecy.without(f"before {tell(KEY)} after")
    pieces = [KEY[i : i + 8] for i in range(len(KEY) - 7)]
    assert (text.startswith("before "), text.endswith(" after"), "<secret key>" in text) == (True, True, True)
    assert [piece for piece in pieces if piece in text] == []


def test_each_line_of_it_is_found() -> None:
    secrecy = Secrecy()
    secrecy.learn("", "key", "first\nother\nthird\nlines of more than that")
    assert secrecy.without("  | first\n  | other\n  | third") == "  | <secret key>\n  | <secret key>\n  | <secret key>"


def test_a_timeout_and_a_failed_policy_are_redacted_too() -> None:
    @register_serializable
    class EngineTellingPolicy(ErrorHandler):
        def decide(self, error: BaseException, attempt: int) -> Any:
            raise RuntimeError(f"cannot decide on {error}")

    def fail(self: Routine) -> None:
        raise ValueError(self.get_config("api_key"))

    flow = telling(StepRunner(), fail)
    flow.routines["teller"].set_error_handler(EngineTellingPolicy())
    error = flow.execute("teller").error
    assert error is not None
    assert (error.message, "sk-live" in error.traceback) == ("cannot decide on <secret api_key>", False)


def test_a_value_that_was_replaced_is_known_for_a_while() -> None:
    def fail(self: Routine) -> None:
        old = self.get_config("api_key")
        self.set_config(api_key="the new one")
        raise ValueError(f"{old}, {self.get_config('api_key')}")

    error = telling(StepRunner(), fail).execute("teller").error
    assert error is not None
    assert error.message == "<secret api_key>, <secret api_key>"


def test_only_so_many_values_of_a_secret_are_known() -> None:
    secrecy = Secrecy()
    for number in range(KEPT + 1):
        secrecy.learn("mailer", "key", f"{number:03}" * 4)
    assert secrecy.without("000000000000, 001001001001") == "000000000000, <secret key>"


def test_where_nothing_is_known_nothing_is_looked_for() -> None:
    def fail(self: Routine) -> None:
        raise ValueError("plain")

    error = flow_of(StepRunner(), teller=routine(fail)).execute("teller").error
    assert error is not None
    assert error.message == "plain"


# Data.


def emit_it(self: Routine) -> None:
    self.emit("out", header={"deep": [f"Bearer {self.get_config('api_key')}"]})


def emit_as_metadata(self: Routine) -> None:
    self.emit_with("out", {}, metadata={"key": self.get_config("api_key")})


def emit_as_name(self: Routine) -> None:
    self.emit("out", data={self.get_config("api_key"): 1})


def emit_as_bytes(self: Routine) -> None:
    self.emit("out", data=b"-" + self.get_config("api_key").encode())


def share_it(self: Routine) -> None:
    self.get_execution_context().job_state.shared_data["key"] = self.get_config("api_key")


def update_with_it(self: Routine) -> None:
    self.get_execution_context().job_state.update_shared_data("key", lambda _: (self.get_config("api_key"),))


def log_it(self: Routine) -> None:
    self.get_execution_context().job_state.append_to_shared_log({self.get_config("api_key")})


def keep_it(self: Routine) -> None:
    self.get_execution_context().state["key"] = self.get_config("api_key")


@register_serializable
@dataclass(frozen=True)
class EngineEnvelope:
    """Has bytes in it."""

    content: bytes


def emit_in_object(self: Routine) -> None:
    content = b"-" + self.get_config("api_key").encode()
    self.emit("out", data=[{EngineEnvelope(content): 1}])


TELLING = [
    emit_it,
    emit_as_metadata,
    emit_as_name,
    emit_as_bytes,
    emit_in_object,
    share_it,
    update_with_it,
    log_it,
    keep_it,
]


@pytest.mark.parametrize("tell", TELLING)
def test_data_with_a_secret_in_it_is_a_failed_attempt(tell: Callable[..., None]) -> None:
    flow = telling(StepRunner(), tell, "out")
    job_state = flow.execute("teller")
    assert job_state.error is not None
    assert job_state.error.type == "routilux.errors.SecretError"
    assert "the secret 'api_key'" in job_state.error.message
    assert "sk-live" not in json.dumps(job_state.serialize())


@pytest.mark.parametrize("tell", TELLING)
def test_a_flush_with_a_secret_in_it_is_refused(tell: Callable[..., None]) -> None:
    refused: list[SecretError] = []

    def tell_and_flush(self: Routine) -> None:
        tell(self)
        with pytest.raises(SecretError) as caught:
            self.flush()
        refused.append(caught.value)

    job_state = telling(StepRunner(), tell_and_flush, "out").execute("teller")
    assert (job_state.status, [error.name for error in refused]) == ("failed", ["api_key"])
    assert "sk-live" not in json.dumps(job_state.serialize())


@pytest.mark.parametrize("tell", TELLING)
def test_what_a_failed_attempt_leaves_behind_has_none_either(tell: Callable[..., None]) -> None:
    def tell_and_fail(self: Routine) -> None:
        tell(self)
        raise ValueError("something else")

    flow = telling(StepRunner(), tell_and_fail, "out")
    flow.routines["teller"].set_as_optional()
    job_state = flow.execute("teller")
    error = job_state.get_routine_state("teller")["error"]
    assert (job_state.status, error.message) == ("completed", "something else")
    assert "what it emitted and wrote is not kept: " in error.traceback
    assert "sk-live" not in json.dumps(job_state.serialize())


def test_a_secret_of_bytes_is_found_in_text_that_says_the_same() -> None:
    def tell(self: Routine) -> None:
        self.emit("out", data="Bearer " + self.get_config("api_key").decode())

    flow = telling(StepRunner(), tell, "out")
    flow.routines["teller"].set_config(api_key=b"sk-live-of-bytes")
    job_state = flow.execute("teller")
    assert job_state.error is not None
    assert job_state.error.type == "routilux.errors.SecretError"
    assert "sk-live" not in json.dumps(job_state.serialize())


@pytest.mark.parametrize("value", [KEY.encode() + b".", [EngineEnvelope(b"." + KEY.encode())]])
def test_a_document_is_searched_for_bytes_as_they_are(value: Any) -> None:
    _, job_state = waiting(StepRunner())
    job_state.shared_data["key"] = value
    with pytest.raises(SecretError, match="has the secret 'api_key'"):
        job_state.serialize()


@pytest.mark.parametrize("payload", ["no base64", "base", "a", 1, None])
def test_what_only_looks_like_bytes_in_a_document_is_searched_as_text(payload: Any) -> None:
    known = Secrecy()
    known.learn("r", "api_key", "base")
    assert known._search({"$bytes": payload}) == ((".$bytes", "api_key") if "base" in str(payload) else None)


def test_the_place_of_a_secret_is_told() -> None:
    error = telling(StepRunner(), emit_it, "out").execute("teller").error
    assert error is not None
    assert error.message == (
        "what 'teller' emits as 'out': data.header.deep[0] has the secret 'api_key' in it, and would be in documents; "
        "let the routine that needs it declare it (declare_secret) and read it where it is used (get_config)"
    )


def merge_with_key(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    return {"to": KEY}


def test_merged_data_has_none() -> None:
    def take(self: Routine, to: str) -> None:
        raise AssertionError

    flow = telling(StepRunner(), take, merge_strategy=merge_with_key)
    job_state = flow.execute("teller", {"to": "x"})
    assert job_state.error is not None
    assert job_state.error.type == "routilux.errors.SecretError"
    assert "sk-live" not in json.dumps(job_state.serialize())


def wait_for_answer(self: Routine) -> None:
    self.expect("answer")


def answered(self: Routine, text: str) -> None: ...


def waiting(runner: StepRunner) -> tuple[Flow, JobState]:
    flow = telling(runner, wait_for_answer)
    teller = flow.routines["teller"]
    teller.define_slot("answer", handler=answered.__get__(teller))
    job_state = runner.start(flow, "teller")
    runner.run()
    return flow, job_state


OUTSIDE: list[Callable[[Flow, JobState], object]] = [
    lambda flow, job_state: flow.execute("teller", {"text": f"x{KEY}x"}),
    lambda flow, job_state: flow.deliver(job_state, "teller", "answer", {"text": KEY}),
    lambda flow, job_state: flow.pause(job_state, KEY),
    lambda flow, job_state: flow.pause(job_state, "", {"key": KEY}),
    lambda flow, job_state: flow.cancel(job_state, KEY),
    lambda flow, job_state: job_state.update_shared_data("key", [KEY]),
    lambda flow, job_state: job_state.append_to_shared_log(KEY),
]


@pytest.mark.parametrize("tell", OUTSIDE)
@pytest.mark.parametrize("read", [False, True])
def test_what_comes_from_outside_is_refused_and_changes_nothing(
    tell: Callable[[Flow, JobState], object], read: bool
) -> None:
    flow, job_state = waiting(StepRunner())
    if read:
        flow.pause(job_state)
        document, job_state = job_state.serialize(), JobState()
        job_state.deserialize(document)
        flow.pause(job_state)
    before = job_state.serialize()
    with pytest.raises(SecretError, match="the secret 'api_key'"):
        tell(flow, job_state)
    after = job_state.serialize()
    assert {**before, "updated_at": 0, "running": 0} == {**after, "updated_at": 0, "running": 0}


def test_a_document_is_refused_that_would_have_one_all_the_same() -> None:
    _, job_state = waiting(StepRunner())
    job_state.shared_data["key"] = KEY
    with pytest.raises(SecretError, match=r"job\.shared_data\.key has the secret 'api_key'"):
        job_state.serialize()
    mails = mailing()
    mails.routines["mailer"].set_config(api_key=KEY)
    mails.routines["mailer"].get_slot("trigger").receive({"to": KEY})
    with pytest.raises(SecretError, match=r"EngineMailer\[mailer\]\._slots\.trigger\._data\.to has the secret"):
        mails.serialize()


def test_the_secret_of_one_routine_is_in_no_part_of_another() -> None:
    flow = flow_of(mailer=EngineMailer(), other=EngineMailer())
    flow.routines["mailer"].set_config(api_key=CODE)
    flow.routines["other"].set_config(header=CODE)
    with pytest.raises(SecretError, match=r"EngineMailer\[other\]\._config\.header\.\$bytes has the secret 'api_key'"):
        flow.serialize()


def test_a_job_that_is_reloaded_after_each_step_has_its_secret_again() -> None:
    runner = StepRunner()
    flow = mailing(runner)
    flow.routines["mailer"].set_config(api_key=KEY)
    flow, job_state = runner.reload(flow, runner.start(flow, "mailer"))
    runner.run()
    assert lengths(job_state) == [len(KEY)]


def test_nothing_shows_it() -> None:
    flow = mailing(resources={"api_key": KEY})
    flow.routines["mailer"].set_config(api_key=CODE)
    shown = f"{flow!r}{flow.routines!r}{flow.resources!r}{flow.check(JobState())!r}"
    assert ("sk-live" in shown, "binary" in shown) == (False, False)


class HadFirst(StandInLock):
    """A lock that others have first, and with it the job."""

    def __init__(self, lock: Any, act: Callable[[], object]) -> None:
        super().__init__(lock)
        self._act = act

    def __enter__(self) -> Any:
        self._act()
        return super().__enter__()


ASK: dict[str, Callable[[Flow, JobState], object]] = {
    "pause": lambda flow, job_state: flow.pause(job_state, KEY, timeout=PATIENCE),
    "checkpoint": lambda flow, job_state: flow.pause(job_state, checkpoint={"key": KEY}),
    "cancel": lambda flow, job_state: flow.cancel(job_state, KEY),
    "deliver": lambda flow, job_state: flow.deliver(job_state, "teller", "answer", {"text": KEY}),
}


@pytest.mark.parametrize("as_it_is_seen", [True, False])
@pytest.mark.parametrize("ask", ASK)
def test_a_job_keeps_the_secrets_of_the_flow_that_has_just_resumed_it(ask: str, as_it_is_seen: bool) -> None:
    """Another flow of its id, which knew nothing of them, let them into the job by what it asked for meanwhile."""
    flow, other = asking(api_key=KEY), asking()
    job_state = flow.execute("teller")
    flow.pause(job_state)
    live: Any = job_state._live
    left = [flow.resume]

    def resume() -> None:
        if left:
            with ThreadPoolExecutor(1) as executor:
                executor.submit(left.pop(), job_state).result(PATIENCE)

    def is_attached(live: Any) -> bool:
        """Whether it is, as far as is seen without the lock, and as it is resumed a moment later."""
        seen: bool = vars(live)["attached"]
        if as_it_is_seen and not live.lock._is_owned():
            resume()
        return seen

    live.lock = HadFirst(live.lock, resume)
    raced = property(is_attached, lambda live, attached: vars(live).update(attached=attached))
    live.__class__ = type("Raced", (LiveJob,), {"attached": raced})
    with pytest.raises(SecretError, match="api_key"):
        ASK[ask](other, job_state)
    assert live.secrecy is flow._secrecy
    live.__class__ = LiveJob
    flow.shutdown()


def asking(**secrets: str) -> Flow:
    """A flow whose one routine waits for an answer; it has these secrets."""
    made = routine(lambda self: self.expect("answer"))
    made.define_slot("answer", lambda text: None)
    made.declare_secret(*secrets)
    made.set_config(**secrets)
    return flow_of(teller=made)
