"""Keys: what files are signed and encrypted with."""

import hmac
import secrets
from collections.abc import Iterable
from enum import StrEnum
from typing import Any, Protocol, assert_never

from routilux._texts import text_problem
from routilux.errors import TransferKeyError

HMAC_SIZE, KEY_SIZE = 32, 32
"""Bytes: the least that a secret for HMAC has, and what the keys of the others have."""


class KeyAlgorithm(StrEnum):
    """What a key is for.

    `HMAC-SHA256` signs and verifies with one secret, which both sides have. `Ed25519` signs with a secret and verifies
    with a public key. `AES-256-GCM` encrypts, with one secret that both sides have. Only the first needs no more than
    Python; the others need `routilux[crypto]`.
    """

    HMAC_SHA256 = "HMAC-SHA256"
    ED25519 = "Ed25519"
    AES_256_GCM = "AES-256-GCM"


SIGNATURE_SIZES = {KeyAlgorithm.HMAC_SHA256: 32, KeyAlgorithm.ED25519: 64}
"""The algorithms that sign, and how many bytes a signature of theirs has."""


class Key:
    """A key with the id by which files name it.

    `secret` is at least 32 random bytes for HMAC, 32 for the others. A key of Ed25519 that has a `public` part instead
    verifies and does not sign. A `retired` one is known and no more accepted. TransferKeyError where the parts do not
    fit together.
    """

    __slots__ = ("algorithm", "key_id", "public", "retired", "secret")

    def __init__(
        self,
        key_id: str,
        algorithm: KeyAlgorithm | str,
        secret: bytes | None = None,
        public: bytes | None = None,
        *,
        retired: bool = False,
    ) -> None:
        if type(key_id) is not str or not key_id:
            raise TransferKeyError(f"a key has an id that is text, not {type(key_id).__name__}")
        if problem := text_problem(key_id):
            raise TransferKeyError(f"the id of a key: {problem}")
        self.key_id = key_id
        self.algorithm = checked_algorithm(algorithm)
        if problem := _problem(self.algorithm, secret, public):
            raise TransferKeyError(f"key {key_id!r} for {self.algorithm} {problem}")
        self.secret = secret
        self.public = public
        self.retired = retired

    def __repr__(self) -> str:
        parts = [self.algorithm.value, "public only" if self.secret is None else "", "retired" if self.retired else ""]
        return f"<Key {self.key_id!r}: {', '.join(filter(None, parts))}>"

    @classmethod
    def generate(cls, key_id: str, algorithm: KeyAlgorithm | str = KeyAlgorithm.HMAC_SHA256) -> "Key":
        """A new key, from the system's source of randomness."""
        return cls(key_id, checked_algorithm(algorithm), secrets.token_bytes(KEY_SIZE))

    @property
    def signs(self) -> bool:
        """Whether files can be signed with it."""
        return self.algorithm in SIGNATURE_SIZES and self.secret is not None

    @property
    def encrypts(self) -> bool:
        """Whether files can be encrypted with it."""
        return self.algorithm is KeyAlgorithm.AES_256_GCM

    def for_others(self) -> "Key":
        """The part for those who are to verify and not to sign; TransferKeyError where there is none."""
        if self.algorithm is not KeyAlgorithm.ED25519:
            raise TransferKeyError(
                f"key {self.key_id!r} has no public part: {self.algorithm} has one secret for both sides"
            )
        public = self.public if self.secret is None else ciphers().public_of(self.secret)
        return Key(self.key_id, self.algorithm, None, public, retired=self.retired)

    def sign(self, message: bytes) -> bytes:
        """The signature of a message; the key is one that signs."""
        assert self.secret is not None
        match self.algorithm:
            case KeyAlgorithm.HMAC_SHA256:
                return hmac.digest(self.secret, message, "sha256")
            case KeyAlgorithm.ED25519:
                return ciphers().sign(self.secret, message)
            case KeyAlgorithm.AES_256_GCM:  # pragma: no cover  # asked of keys that sign
                raise AssertionError(self.algorithm)
            case _:
                assert_never(self.algorithm)

    def has_signed(self, message: bytes, signature: bytes) -> bool:
        """Whether a signature is that of this key for a message."""
        match self.algorithm:
            case KeyAlgorithm.HMAC_SHA256:
                return hmac.compare_digest(self.sign(message), signature)
            case KeyAlgorithm.ED25519:
                public = self.public if self.secret is None else ciphers().public_of(self.secret)
                assert public is not None
                return ciphers().is_signature(public, message, signature)
            case KeyAlgorithm.AES_256_GCM:
                return False
            case _:
                assert_never(self.algorithm)


def checked_algorithm(algorithm: KeyAlgorithm | str) -> KeyAlgorithm:
    """An algorithm by its name, or TransferKeyError."""
    try:
        return KeyAlgorithm(algorithm)
    except ValueError as error:
        raise TransferKeyError(f"unknown algorithm {algorithm!r}; there are: {', '.join(KeyAlgorithm)}") from error


def _problem(algorithm: KeyAlgorithm, secret: Any, public: Any) -> str:
    """Why the parts make no key; what they are is not said."""
    if not all(isinstance(part, bytes | None) for part in (secret, public)):
        return "has parts that are no bytes"
    if algorithm is not KeyAlgorithm.ED25519 and public is not None:
        return "has a public part, and there is none"
    if secret is None and public is None:
        return "has no secret"
    if secret is not None and public is not None:
        return "has a secret and a public part, which follows from it; give one of them"
    if algorithm is KeyAlgorithm.HMAC_SHA256 and len(secret) < HMAC_SIZE:
        return f"has a secret of {len(secret)} bytes; it has to have {HMAC_SIZE} or more, and be random: Key.generate"
    if algorithm is not KeyAlgorithm.HMAC_SHA256 and any(
        len(part) != KEY_SIZE for part in (secret, public) if part is not None
    ):
        return f"has parts of another length than {KEY_SIZE} bytes"
    return ""


class Ciphers(Protocol):
    """What is done with the `cryptography` package."""

    def public_of(self, secret: bytes) -> bytes:
        """The public part of a key."""

    def sign(self, secret: bytes, message: bytes) -> bytes:
        """The signature of a message."""

    def is_signature(self, public: bytes, message: bytes, signature: bytes) -> bool:
        """Whether a signature is that of a key for a message."""

    def encrypt(self, secret: bytes, nonce: bytes, content: bytes, head: bytes) -> bytes:
        """Content that only the secret makes readable, bound to what stands before it."""

    def decrypt(self, secret: bytes, nonce: bytes, content: bytes, head: bytes) -> bytes | None:
        """What was encrypted; None where it, or what stands before it, is something else."""


def ciphers() -> Ciphers:
    """The ciphers, which are an extra; TransferKeyError where it is not installed."""
    try:  # so that HMAC and plain files need nothing but Python
        from routilux.transfer import ciphers as made  # noqa: PLC0415
    except ImportError as error:
        raise TransferKeyError(
            f"Ed25519 and encryption need the cryptography package; pip install 'routilux[crypto]' ({error})"
        ) from error
    return made


class KeyRing:
    """The keys of a host, the newest first: that one signs, all that are not retired verify.

    To change keys, give the new one to all readers (`with_newest`), then to the writers; when no file of the old one is
    on its way any more, retire that.
    """

    def __init__(self, keys: Iterable[Key] = ()) -> None:
        self.keys = tuple(keys)
        for key in self.keys:
            if not isinstance(key, Key):
                raise TransferKeyError(f"a KeyRing has Key objects, not {type(key).__name__}")
        ids = [key.key_id for key in self.keys]
        if twice := {each for each in ids if ids.count(each) > 1}:
            raise TransferKeyError(
                f"two keys have the id {sorted(twice)[0]!r}; files name keys by it, so give one another"
            )

    def __repr__(self) -> str:
        return f"<KeyRing {list(self.keys)!r}>"

    def with_newest(self, key: Key) -> "KeyRing":
        """These keys, and one that signs (or encrypts) from now on."""
        return KeyRing([key, *self.keys])

    def retired(self, key_id: str) -> "KeyRing":
        """These keys, one of which is no more accepted; TransferKeyError where there is none of this id."""
        if self.get(key_id) is None:
            raise TransferKeyError(
                f"there is no key {key_id!r}; there are: {', '.join(key.key_id for key in self.keys)}"
            )
        return KeyRing(
            Key(key.key_id, key.algorithm, key.secret, key.public, retired=key.retired or key.key_id == key_id)
            for key in self.keys
        )

    def for_others(self) -> "KeyRing":
        """The public parts, for hosts that are to verify and not to sign."""
        return KeyRing(key.for_others() for key in self.keys if key.algorithm is KeyAlgorithm.ED25519)

    def get(self, key_id: str) -> Key | None:
        """The key of an id, retired or not."""
        return next((key for key in self.keys if key.key_id == key_id), None)

    @property
    def verifies(self) -> bool:
        """Whether there is any key for signatures: files have to be signed then."""
        return any(key.algorithm in SIGNATURE_SIZES for key in self.keys)

    def newest_that_signs(self) -> Key | None:
        """The key that files are signed with."""
        return next((key for key in self.keys if key.signs and not key.retired), None)

    def newest_that_encrypts(self) -> Key | None:
        """The key that files are encrypted with."""
        return next((key for key in self.keys if key.encrypts and not key.retired), None)
