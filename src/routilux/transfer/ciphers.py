"""What is done with the `cryptography` package, an extra: Ed25519 and AES-256-GCM. Loaded when a key needs it."""

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM


def public_of(secret: bytes) -> bytes:
    """The public part of a key."""
    return Ed25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw()


def sign(secret: bytes, message: bytes) -> bytes:
    """The signature of a message."""
    return Ed25519PrivateKey.from_private_bytes(secret).sign(message)


def is_signature(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether a signature is that of a key for a message."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def encrypt(secret: bytes, nonce: bytes, content: bytes, head: bytes) -> bytes:
    """Content that only the secret makes readable, bound to what stands before it."""
    return AESGCM(secret).encrypt(nonce, content, head)


def decrypt(secret: bytes, nonce: bytes, content: bytes, head: bytes) -> bytes | None:
    """What was encrypted; None where it was altered, with what stands before it, or encrypted with another secret."""
    try:
        return AESGCM(secret).decrypt(nonce, content, head)
    except (InvalidTag, ValueError):
        return None
