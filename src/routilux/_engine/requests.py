"""What one process asks of a job that another one runs, and what that answers, as it lies in their store."""

from typing import Any

import msgspec
from msgspec.structs import replace

from routilux._engine.namesakes import is_same_moment
from routilux._model import SlotKey
from routilux._records import Addressee, Data
from routilux.errors import DamagedRecordError
from serilux import decode, encode


class PauseAsked(msgspec.Struct, tag="pause", omit_defaults=True):
    """The job shall pause."""

    reason: str
    key: str = ""
    epoch: int | None = None
    created_at: float | None = None


class CancelAsked(msgspec.Struct, tag="cancel", omit_defaults=True):
    """The job shall do nothing more."""

    reason: str
    key: str = ""
    epoch: int | None = None
    created_at: float | None = None


class DeliveryAsked(msgspec.Struct, tag="deliver", omit_defaults=True):
    """Somebody has data for the task that waits longest on a slot."""

    target: SlotKey
    document: Any
    key: str = ""
    epoch: int | None = None
    created_at: float | None = None
    task_id: str | None = None

    @property
    def to(self) -> Addressee:
        """Whom it is for."""
        return Addressee(self.target, self.task_id)

    @property
    def data(self) -> Data:
        """What is delivered."""
        data: Data = decode(self.document, "data")
        return data


class DeliveryToOneAsked(DeliveryAsked, tag="deliver to", omit_defaults=True):
    """Somebody has data for one task, by its `task_id`.

    Of a kind of its own, so that an owner who knows nothing of ids refuses it, and gives it to no other task.
    """


Request = PauseAsked | CancelAsked | DeliveryAsked | DeliveryToOneAsked
"""The `key` is that under which whoever asks looks for an answer; where there is none, nobody does.

The `epoch` is that of the owner who is asked: a later one does not obey. None is for whoever owns the job. The job is
the one that was `created_at` that second, and not another that has its id by now; None is for whichever has it.
"""


class Answer(msgspec.Struct, omit_defaults=True):
    """What became of a request: it is done, it was refused, or it will never be done and has to be made again.

    That a delivery is done is written with it. What has become of a request to pause or to cancel is seen of the job.
    """

    is_done: bool = False
    refusal: str | None = None


class _Keyed(msgspec.Struct):
    """What is known of a request that may be of a later kind."""

    key: str = ""


_reader: msgspec.json.Decoder[Request] = msgspec.json.Decoder(Request)
_key_reader = msgspec.json.Decoder(_Keyed)
_answer_reader = msgspec.json.Decoder(Answer)
DONE = Answer(is_done=True)


def delivery_of(to: Addressee, data: Data) -> DeliveryAsked:
    """A request to deliver."""
    kind = DeliveryAsked if to.task_id is None else DeliveryToOneAsked
    return kind(to.slot, encode(data, "data"), task_id=to.task_id)


def write_request(request: Request, key: str = "", epoch: int | None = None, created_at: float | None = None) -> bytes:
    """A request as it is stored: to be answered under a key, by who owns that very job under that epoch."""
    return msgspec.json.encode(replace(request, key=key, epoch=epoch, created_at=created_at))


def is_for(request: Request, created_at: float, epoch: int) -> bool:
    """Whether it is of this very job that something is asked, and of its owner under that epoch."""
    is_meant = request.created_at is None or is_same_moment(request.created_at, created_at)
    return is_meant and request.epoch in (None, epoch)


def key_of(content: bytes) -> str:
    """Under which key somebody waits for an answer to a request, whatever else it says; "" where nobody can be told."""
    try:
        return _key_reader.decode(content).key
    except (ValueError, RecursionError):
        return ""


def write_answer(answer: Answer) -> bytes:
    """An answer as it is stored."""
    return msgspec.json.encode(answer)


def read_answer(content: bytes) -> Answer:
    """An answer that was stored; DamagedRecordError where it is none."""
    try:
        return _answer_reader.decode(content)
    except ValueError as error:
        raise DamagedRecordError(f"an answer cannot be read: {error}", kind="answer") from error


def read_request(content: bytes) -> Request:
    """A request that was stored; DamagedRecordError where it is none."""
    try:
        return _reader.decode(content)
    except ValueError as error:
        raise DamagedRecordError(f"a request cannot be read: {error}", kind="request") from error
