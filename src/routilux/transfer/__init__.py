"""A flow and a job as one file: signed and encrypted if asked, and refused where it is not what was written."""

from routilux.transfer.header import Compression, Encryption, Signature
from routilux.transfer.inspecting import Inspection, inspect
from routilux.transfer.key_files import load_keys, save_keys
from routilux.transfer.keys import Key, KeyAlgorithm, KeyRing
from routilux.transfer.packing import pack, unpack
from routilux.transfer.passing import dumps, loads, read, write
from routilux.transfer.seen import SeenEpochs

__all__ = [
    "Compression",
    "Encryption",
    "Inspection",
    "Key",
    "KeyAlgorithm",
    "KeyRing",
    "SeenEpochs",
    "Signature",
    "dumps",
    "inspect",
    "load_keys",
    "loads",
    "pack",
    "read",
    "save_keys",
    "unpack",
    "write",
]
