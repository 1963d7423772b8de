"""What a transfer file says of itself, for everybody to read."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

import msgspec

from routilux._shapes import Name
from routilux.transfer.keys import KeyAlgorithm

Count = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class Compression(StrEnum):
    """How what is in a file was made smaller."""

    NONE = "none"
    ZLIB = "zlib"


class Encryption(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """With which key the payload was encrypted, and what was used once with it."""

    algorithm: KeyAlgorithm
    key: Name
    nonce: bytes


class Signature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """With which key the file was signed."""

    algorithm: KeyAlgorithm
    key: Name


class Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which job is in a file, and how.

    `size` is how many bytes the payload has, `expanded` how many they were before they were compressed. `created_at` is
    aware and in UTC.
    """

    flow_id: Name
    job_id: Name
    epoch: Count
    status: Name
    created_at: Annotated[datetime, msgspec.Meta(tz=True)]
    size: Count
    expanded: Count
    compression: Compression = Compression.NONE
    encryption: Encryption | None = None
    signature: Signature | None = None
