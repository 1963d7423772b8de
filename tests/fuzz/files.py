"""Transfer files as recipes, which are JSON: what is in one, how it is packed, what is then done to its bytes.

So what is wrong may be in any part, and all that stands before it be right: a document that nobody would write gets
signed and encrypted, a header that lies has the right digest.
"""

import hashlib
import io
import json
import struct
import zlib
from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

from routilux.errors import TransferError
from routilux.transfer import Key, KeyAlgorithm, KeyRing, inspect, loads
from routilux.transfer.keys import ciphers
from serilux import SeriluxError
from tests.fuzz import corpus
from tests.fuzz.choices import Choices, one_of
from tests.fuzz.mutations import mutated, some, value

SIGNERS = {
    "hmac": Key("hmac", KeyAlgorithm.HMAC_SHA256, bytes(range(32))),
    "ed25519": Key("ed25519", KeyAlgorithm.ED25519, bytes(range(1, 33))),
}
CIPHER = Key("aes", KeyAlgorithm.AES_256_GCM, bytes(range(2, 34)))
RINGS = {
    "none": None,
    "all": KeyRing([*SIGNERS.values(), CIPHER]),
    "retired": KeyRing([*SIGNERS.values(), CIPHER]).retired("hmac"),
    "cipher": KeyRing([CIPHER]),
}
NONCE = b"used once..."
LARGEST = 1 << 24
HEADER = ("flow_id", "job_id", "epoch", "status", "created_at", "size", "expanded", "compression", "encryption",
          "signature", "more")  # fmt: skip
EDITS = ("flip", "flip", "flip", "cut", "put", "copy", "end")


class GivenFile(NamedTuple):
    """A file to be read, with the keys of its reader; `trusted` if these vouch for it as it is."""

    content: bytes
    keys: KeyRing | None
    trusted: bool


@cache
def recipes() -> list[str]:
    """Of files as they are written, in all ways there are."""
    ways: list[dict[str, Any]] = [
        {"plain": True, "sign": None, "reader": "none"},
        {"sign": None, "reader": "none"},
        {"sign": None, "zlib": True, "reader": "none"},
        {"sign": "hmac", "reader": "all"},
        {"sign": "ed25519", "zlib": True, "reader": "all"},
        {"sign": "hmac", "encrypt": True, "reader": "all"},
        {"sign": "ed25519", "encrypt": True, "zlib": True, "reader": "retired"},
        {"sign": None, "encrypt": True, "zlib": True, "reader": "cipher"},
    ]
    documents = corpus.transfers()
    usual = {"plain": False, "zlib": False, "encrypt": False, "header": {}, "edits": []}
    return [
        json.dumps({**usual, **way, "document": json.loads(documents[at % len(documents)])})
        for at, way in enumerate(ways * 2)
    ]


# Recipes are changed,


def mutated_recipe(choices: Choices, own: Sequence[str], others: Sequence[str]) -> str:
    recipe = json.loads(one_of(choices, own))
    for _ in range(1 + choices.below(2)):
        one_of(choices, (edit, edit, lie, rewrite, rewrite, repack))(choices, recipe, others)
    return json.dumps(recipe)


def edit(choices: Choices, recipe: Any, *_: Any) -> None:
    """Change bytes of the file; places are parts of a million."""
    for _ in range(1 + some(choices, 3)):
        recipe["edits"].append([one_of(choices, EDITS), choices.below(1_000_000), 1 + some(choices, 5_000)])


def lie(choices: Choices, recipe: Any, *_: Any) -> None:
    """Let the header say something else, with the right digest and signature."""
    said: Any = one_of(choices, (value, number_near, packing_said))(choices)
    recipe["header"][one_of(choices, HEADER)] = said


def number_near(choices: Choices) -> int:
    return one_of(choices, (0, 1, -1, 2**24, 2**40, 2**63)) + choices.below(3)


def packing_said(choices: Choices) -> Any:
    key = one_of(choices, ("hmac", "ed25519", "aes", "other"))
    return one_of(choices, ("zlib", "none", {"algorithm": one_of(choices, (*KeyAlgorithm, "none")), "key": key}))


def rewrite(choices: Choices, recipe: Any, others: Sequence[str]) -> None:
    """Let something else be in it."""
    recipe["document"] = json.loads(mutated(choices, [json.dumps(recipe["document"])], others))


def repack(choices: Choices, recipe: Any, *_: Any) -> None:
    """Pack it in another way, or have it read with other keys."""
    name = one_of(choices, ("plain", "zlib", "encrypt", "sign", "reader"))
    options = {"sign": (None, *SIGNERS), "reader": (*RINGS,)}.get(name, (False, True))
    recipe[name] = one_of(choices, options)


# made into a file,


def file_of(recipe: Any) -> GivenFile:
    whole = plain_file(recipe) if recipe["plain"] else packed_file(recipe)
    content = whole
    for kind, place, size in recipe["edits"]:
        content = edited(content, kind, place * len(content) // 1_000_000, size)
    signed, encrypted = recipe["sign"] is not None, recipe["encrypt"] and recipe["reader"] == "cipher"
    trusted = content == whole and not recipe["plain"] and (signed or encrypted)
    return GivenFile(content, RINGS[recipe["reader"]], trusted)


def plain_file(recipe: Any) -> bytes:
    return json.dumps(recipe["document"]).encode()


def packed_file(recipe: Any) -> bytes:
    """The layout as `routilux.transfer.container` says it, with whatever header."""
    content = plain_file(recipe)
    payload = zlib.compress(content) if recipe["zlib"] else content
    header = json.dumps(header_of(recipe, len(content), len(payload))).encode()
    head = struct.pack(">8sHI", b"\x89RTLX\r\n\n", 1, len(header)) + header
    if recipe["encrypt"]:
        assert CIPHER.secret is not None
        payload = ciphers().encrypt(CIPHER.secret, NONCE, payload, head)
    digest = hashlib.sha256(head + payload).digest()
    signature = SIGNERS[recipe["sign"]].sign(head + digest) if recipe["sign"] else b""
    return head + digest + signature + payload


def header_of(recipe: Any, expanded: int, size: int) -> dict[str, Any]:
    document, sign, encrypt = recipe["document"], recipe["sign"], recipe["encrypt"]
    job = document.get("job") if isinstance(document, dict) else None
    said = job if isinstance(job, dict) else {}
    return {
        **{name: said.get(name) for name in ("flow_id", "job_id", "epoch", "status")},
        "created_at": "2026-01-02T03:04:05Z",
        "size": size + 16 if encrypt else size,
        "expanded": expanded,
        "compression": "zlib" if recipe["zlib"] else "none",
        "encryption": {"algorithm": "AES-256-GCM", "key": "aes", "nonce": "dXNlZCBvbmNlLi4u"} if encrypt else None,
        "signature": {"algorithm": SIGNERS[sign].algorithm, "key": sign} if sign else None,
        **recipe["header"],
    }


def edited(content: bytes, kind: str, place: int, size: int) -> bytes:
    before, after = content[:place], content[place:]
    match kind:
        case "flip":
            return before + bytes([(after[0] ^ (size % 255 + 1)) if after else 0]) + after[1:]
        case "cut":
            return before + after[size:]
        case "put":
            return before + bytes([size % 256]) * size + after
        case "copy":
            return before + after[:size] + after
        case _:
            return before


# and the file is read.


def loaded(given: GivenFile) -> None:
    """Look at a file and read it; where there are keys, and they do not vouch for it, nothing is interpreted."""
    seen = inspected(given)
    try:
        loads(given.content, keys=given.keys, max_size=LARGEST)
    except SeriluxError:
        assert given.keys is None or given.trusted, "what nobody vouches for was interpreted"
        raise
    assert given.keys is None or given.trusted, "what nobody vouches for was read"
    assert seen is not None and seen.problem is None, f"what can be read is said to be wrong: {seen}"


def inspected(given: GivenFile) -> Any:
    """What is said of a file, None where it is said to be none."""
    try:
        return inspect(io.BytesIO(given.content), keys=given.keys, max_size=LARGEST)
    except TransferError:
        return None
