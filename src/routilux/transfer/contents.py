"""The documents in a transfer file, as bytes and back: JSON, compressed if asked."""

import zlib
from typing import Annotated, Any, NamedTuple

import msgspec

from routilux._core.document import read_job
from routilux._core.graph_document import GraphDocument, graph_of
from routilux._core.job import Job
from routilux._core.shapes import JobDocument
from routilux._flow_document import FlowDocument, checked_flow
from routilux._graph import Graph
from routilux._migrations import TRANSFER_FORMAT, upgraded
from routilux._records import Data
from routilux._shapes import a, said
from routilux.errors import TransferDamagedError, TransferFormatError, TransferTooLargeError
from routilux.transfer.header import Compression, Header
from serilux import check_document, rooted
from serilux.errors import DocumentError, SeriluxError


class Transfer(msgspec.Struct, forbid_unknown_fields=True):
    """A job and its flow: the documents of both, and the graph that the job ran with."""

    format: Annotated[int, said(const=TRANSFER_FORMAT)]
    flow: Annotated[dict[str, Any], said(**a(FlowDocument))]
    graph: GraphDocument
    job: Annotated[dict[str, Any], said(**a(JobDocument))]


class Contents(NamedTuple):
    """What a transfer document says: the document of a flow, the graph that its job ran with, and the job."""

    flow: Data
    graph: Graph
    job: Job


def current_transfer(document: Data) -> Transfer:
    """A transfer document of plain JSON, in the current format, of which flow and job are not yet read.

    DocumentError for another.
    """
    try:
        return msgspec.convert(upgraded(document, "exported job", TRANSFER_FORMAT), Transfer)
    except msgspec.ValidationError as error:
        raise DocumentError(f"this is no exported job: {error}", "$") from error


def checked_transfer(transfer: Any) -> Transfer:
    """A transfer document, in the current format; DocumentError or LimitError where it is none, or no plain JSON."""
    if not isinstance(transfer, dict):
        raise DocumentError(f"this is no exported job: it is an object, not {type(transfer).__name__}", "$")
    with rooted():
        check_document(transfer, "")
    return current_transfer(transfer)


def read_contents(transfer: Any) -> Contents:
    """What a transfer document says; DocumentError or another SeriluxError where it says something else."""
    read = checked_transfer(transfer)
    return Contents(checked_flow(read.flow, "flow"), graph_of(read.graph), _read_job(read.job))


def _read_job(document: Data) -> Job:
    try:
        return read_job(document)
    except SeriluxError as error:
        error.without_root("$")
        error.under("job")
        raise


def compressed(content: bytes, compression: Compression) -> bytes:
    """Content as it is in a file."""
    return zlib.compress(content) if compression is Compression.ZLIB else content


def expanded(payload: bytes, header: Header, max_size: int) -> bytes:
    """Content as it was; never more of it is made than the header says and `max_size` allows."""
    if header.expanded > max_size:
        raise TransferTooLargeError(
            f"what is in it is said to have {header.expanded} bytes, and {max_size} are allowed; see max_size"
        )
    content = payload if header.compression is Compression.NONE else _expanded(payload, header.expanded)
    if len(content) != header.expanded:
        raise TransferDamagedError(f"what is in it has {len(content)} bytes, and its header says {header.expanded}")
    return content


def _expanded(payload: bytes, size: int) -> bytes:
    stream = zlib.decompressobj()
    try:
        content = stream.decompress(payload, size + 1)
    except zlib.error as error:
        raise TransferDamagedError(f"what is in it cannot be expanded: {error}") from error
    if len(content) > size or not stream.eof or stream.unused_data:
        raise TransferDamagedError(f"what is in it does not expand to the {size} bytes that its header says")
    return content


def parsed(content: bytes) -> Data:
    """JSON text as a document; TransferFormatError where it is none."""
    try:
        document = msgspec.json.decode(content)
    except RecursionError as error:
        raise TransferFormatError("it is nested too deeply to be read; it is nothing that export wrote") from error
    except ValueError as error:
        raise TransferFormatError(f"it is no JSON: {error}") from error
    if not isinstance(document, dict) or not document.keys() >= {"format", "flow", "job"}:
        raise TransferFormatError("it is no exported job: it has no format, flow and job")
    return document
