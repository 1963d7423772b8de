"""What one process asks of a job that another one runs, and what that answers, as it lies in their store."""

from typing import Any

import msgspec
from msgspec.structs import replace

from routilux._model import SlotKey
from routilux._records import Data
from routilux.errors import DamagedRecordError
from serilux import decode, encode


class PauseAsked(msgspec.Struct, tag="pause", omit_defaults=True):
    """The job shall pause."""

    reason: str
    key: str = ""


class CancelAsked(msgspec.Struct, tag="cancel", omit_defaults=True):
    """The job shall do nothing more."""

    reason: str
    key: str = ""


class DeliveryAsked(msgspec.Struct, tag="deliver", omit_defaults=True):
    """Somebody has data for the task that waits longest on a slot."""

    target: SlotKey
    document: Any
    key: str = ""

    @property
    def data(self) -> Data:
        """What is delivered."""
        data: Data = decode(self.document, "data")
        return data


Request = PauseAsked | CancelAsked | DeliveryAsked
"""The `key` is that under which whoever asks looks for an answer; where there is none, nobody does."""


class Answer(msgspec.Struct, omit_defaults=True):
    """What became of a request: it is done, it was refused, or nobody has looked at it and it has to be made again."""

    is_done: bool = False
    refusal: str | None = None


class Asked(msgspec.Struct):
    """What is known of a request that may be of a later kind."""

    type: str = ""
    key: str = ""

    def wants(self, answer: Answer) -> bool:
        """Whether somebody waits for this answer: what has become of a job can be seen, but not whose data it got."""
        return bool(self.key) and (not answer.is_done or self.type == "deliver")


_reader: msgspec.json.Decoder[Request] = msgspec.json.Decoder(Request)
_asked_reader = msgspec.json.Decoder(Asked)
_answer_reader = msgspec.json.Decoder(Answer)


def delivery_of(target: SlotKey, data: Data) -> DeliveryAsked:
    """A request to deliver."""
    return DeliveryAsked(target, encode(data, "data"))


def write_request(request: Request, key: str = "") -> bytes:
    """A request as it is stored, to be answered under a key."""
    return msgspec.json.encode(replace(request, key=key))


def about(content: bytes) -> Asked:
    """How a request is to be answered, whatever else it says; nobody waits where it cannot be read."""
    try:
        return _asked_reader.decode(content)
    except msgspec.DecodeError:
        return Asked()


def write_answer(answer: Answer) -> bytes:
    """An answer as it is stored."""
    return msgspec.json.encode(answer)


def read_answer(content: bytes) -> Answer:
    """An answer that was stored; DamagedRecordError where it is none."""
    try:
        return _answer_reader.decode(content)
    except msgspec.DecodeError as error:
        raise DamagedRecordError(f"an answer cannot be read: {error}", kind="answer") from error


def read_request(content: bytes) -> Request:
    """A request that was stored; DamagedRecordError where it is none."""
    try:
        return _reader.decode(content)
    except msgspec.DecodeError as error:
        raise DamagedRecordError(f"a request cannot be read: {error}", kind="request") from error
