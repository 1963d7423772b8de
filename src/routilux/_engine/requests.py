"""What one process asks of a job that another one runs, as it lies in their store."""

from typing import Any

import msgspec

from routilux._model import SlotKey
from routilux._records import Data
from routilux.errors import DamagedRecordError
from serilux import decode, encode


class PauseAsked(msgspec.Struct, tag="pause"):
    """The job shall pause."""

    reason: str


class CancelAsked(msgspec.Struct, tag="cancel"):
    """The job shall do nothing more."""

    reason: str


class DeliveryAsked(msgspec.Struct, tag="deliver"):
    """Somebody has data for the task that waits longest on a slot."""

    target: SlotKey
    document: Any

    @property
    def data(self) -> Data:
        """What is delivered."""
        data: Data = decode(self.document, "data")
        return data


Request = PauseAsked | CancelAsked | DeliveryAsked
_reader: msgspec.json.Decoder[Request] = msgspec.json.Decoder(Request)


def delivery_of(target: SlotKey, data: Data) -> DeliveryAsked:
    """A request to deliver."""
    return DeliveryAsked(target, encode(data, "data"))


def write_request(request: Request) -> bytes:
    """A request as it is stored."""
    return msgspec.json.encode(request)


def read_request(content: bytes) -> Request:
    """A request that was stored; DamagedRecordError where it is none."""
    try:
        return _reader.decode(content)
    except msgspec.DecodeError as error:
        raise DamagedRecordError(f"a request cannot be read: {error}", kind="request") from error
