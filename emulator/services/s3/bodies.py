"""A request's body on its way in: decoded, measured, hashed and written off the event loop, then verified.

While one batch of pieces is hashed and written in a thread, the next one is received; no more is held in memory. A
large body that is not encoded does not pass through the event loop at all.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

from starlette.requests import Request

from emulator.aws.connections import Connection, connection_of
from emulator.aws.errors import AwsError
from emulator.services.s3.checks import ChecksumPlan, plan_checksum
from emulator.services.s3.chunked import AwsChunkedDecoder
from emulator.services.s3.errors import (
    bad_digest,
    entity_too_large,
    incomplete_body,
    invalid_request,
    missing_content_length,
)
from emulator.services.s3.transfers import SMALLEST, Incoming
from emulator.store.blobs import BlobWriter
from emulator.store.checksums import Digest, encode, new_digest
from emulator.store.stored_objects import Checksum, Content

MAX_OBJECT = 5 << 30
"""Bytes of one PutObject or UploadPart."""
MAX_DOCUMENT = 4 << 20
_BATCH = 512 * 1024
_MD5_THREADS = ThreadPoolExecutor(2, thread_name_prefix="s3-md5")
Piece = bytes | memoryview
OpenWriter = Callable[[int], BlobWriter]
"""Opens the writer of a body that is going to have so many bytes."""


@dataclass(frozen=True, slots=True)
class ReceivedBlob:
    """The data of a PutObject or UploadPart, verified and in the store, but not yet an object."""

    content: Content
    algorithm_sent: str
    """The checksum algorithm that the client used, or ""."""


@dataclass(frozen=True, slots=True)
class Framing:
    """What the headers say about the body. ``length`` counts the decoded bytes. ``sha256`` is "" if none is sent."""

    chunked: bool
    length: int | None
    sha256: str

    @property
    def size_on_wire(self) -> int | None:
        """The bytes that come, if they are the data as it is."""
        return None if self.chunked else self.length


class BodySink:
    """Takes the encoded body batch by batch and gives the decoded bytes to ``store``."""

    def __init__(self, framing: Framing, plan: ChecksumPlan, store: Callable[[Piece], object], limit: int) -> None:
        self.size = 0
        self._framing = framing
        self._plan = plan
        self._store = store
        self._limit = limit
        self._decoder = AwsChunkedDecoder() if framing.chunked else None
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._sha256 = hashlib.sha256() if framing.sha256 else None
        self._checksum = new_digest(plan.algorithm)
        self._hashing: Future[None] | None = None

    def write(self, batch: Sequence[Piece]) -> None:
        """Take a batch. MD5 takes as long as all the rest together, so it has a thread of its own: it may still read
        this batch until the next one is given, or ``finish`` is called.
        """
        pieces = self._decoded(batch)
        self._wait_for_md5()
        self._hashing = _MD5_THREADS.submit(_update, self._md5, pieces)
        for piece in pieces:
            self._take(piece)

    def _decoded(self, batch: Sequence[Piece]) -> Sequence[Piece]:
        if self._decoder is None:
            return batch
        return [piece for data in batch for piece in self._decoder.feed(bytes(data))]

    def _wait_for_md5(self) -> None:
        if self._hashing:
            self._hashing.result()

    def finish(self, content_md5: str | None) -> tuple[str, Checksum]:
        """Verify what has come; its MD5 in hex and its checksum.

        Raises:
            AwsError: IncompleteBody, BadDigest, InvalidDigest, XAmzContentSHA256Mismatch, InvalidRequest.
        """
        if self._decoder:
            self._decoder.finish()
        if self._framing.length is not None and self.size != self._framing.length:
            raise incomplete_body()
        self._verify_sha256()
        self._wait_for_md5()
        md5 = self._md5.digest()
        _verify_md5(content_md5, md5)
        value = encode(self._checksum.digest())
        self._plan.verify(value, self._decoder.trailers if self._decoder else {})
        return md5.hex(), Checksum(self._plan.algorithm, value)

    def _take(self, piece: Piece) -> None:
        self.size += len(piece)
        if self._framing.length is not None and self.size > self._framing.length:
            raise incomplete_body()
        if self.size > self._limit:
            raise entity_too_large(self.size, self._limit)
        self._checksum.update(piece)
        if self._sha256:
            self._sha256.update(piece)
        self._store(piece)

    def _verify_sha256(self) -> None:
        if self._sha256 and self._sha256.hexdigest() != self._framing.sha256:
            raise AwsError(
                "The provided 'x-amz-content-sha256' header does not match what was computed.",
                code="XAmzContentSHA256Mismatch",
                extra={
                    "ClientComputedContentSHA256": self._framing.sha256,
                    "S3ComputedContentSHA256": self._sha256.hexdigest(),
                },
            )


async def receive_blob(request: Request, open_writer: OpenWriter, executor: Executor, *, signed: bool) -> ReceivedBlob:
    """Stream the body to where ``open_writer`` wants it.

    The SHA-256 of a body belongs to its signature. Where signatures are not checked (``signed`` says whether they are)
    and another checksum covers the body, it is not computed a second time.

    Raises:
        AwsError: the body is too large, incomplete, or not what its digests say.
        ClientDisconnect: the client went away; nothing is left of what came.
    """
    framing = read_framing(request.headers)
    plan = plan_checksum(request.headers)
    length = framing.length
    if length is None:
        raise missing_content_length()
    if length > MAX_OBJECT:
        raise entity_too_large(length, MAX_OBJECT)
    if not signed and plan.sent:
        framing = replace(framing, sha256="")
    loop = asyncio.get_running_loop()
    writer = await loop.run_in_executor(executor, open_writer, length)
    sink = BodySink(framing, plan, writer.write, MAX_OBJECT)
    try:
        await _pump(request, sink, framing.size_on_wire, executor)
        md5, checksum = sink.finish(request.headers.get("content-md5"))
        content = Content(writer.finish(), sink.size, md5, checksum, offset=writer.offset)
    finally:
        writer.discard()
    return ReceivedBlob(content, plan.algorithm if plan.sent else "")


async def receive_document(request: Request, executor: Executor) -> bytes:
    """The whole of a small body, such as an XML document, verified like an object's data."""
    framing = read_framing(request.headers)
    document = bytearray()
    sink = BodySink(framing, plan_checksum(request.headers), document.extend, MAX_DOCUMENT)
    await _pump(request, sink, framing.size_on_wire, executor)
    sink.finish(request.headers.get("content-md5"))
    return bytes(document)


def read_framing(headers: Mapping[str, str]) -> Framing:
    sha256 = headers.get("x-amz-content-sha256", "")
    encodings = [name.strip() for name in headers.get("content-encoding", "").split(",")]
    chunked = sha256.startswith("STREAMING-") or "aws-chunked" in encodings
    length = headers.get("x-amz-decoded-content-length" if chunked else "content-length")
    if length is not None and not length.isdecimal():
        raise invalid_request(f"The length {length!r} of the body is not a number")
    digest = sha256.lower() if len(sha256) == 64 else ""
    return Framing(chunked, int(length) if length is not None else None, digest)


async def _pump(request: Request, sink: BodySink, size: int | None, executor: Executor) -> None:
    """Give the body to the sink: past the event loop if it is large and comes in ``size`` bytes as they are."""
    connection = connection_of(request.scope)
    if connection and size is not None and size >= SMALLEST:
        await _transfer(connection, sink, size, executor)
    else:
        await _stream(request, sink, executor)


async def _transfer(connection: Connection, sink: BodySink, size: int, executor: Executor) -> None:
    handle, arrived = connection.borrow_for_reading()
    incoming = Incoming(handle, arrived, size)
    try:
        await asyncio.get_running_loop().run_in_executor(executor, incoming.receive, sink.write)
    finally:
        handle.close()
        connection.return_after_reading(whole=incoming.whole)


async def _stream(request: Request, sink: BodySink, executor: Executor) -> None:
    loop = asyncio.get_running_loop()
    batch: list[Piece] = []
    size = 0
    writing: asyncio.Future[None] | None = None
    try:
        async for chunk in request.stream():
            batch.append(chunk)
            size += len(chunk)
            if size >= _BATCH:
                if writing:
                    await writing
                writing = loop.run_in_executor(executor, sink.write, batch)
                batch, size = [], 0
    finally:
        if writing:
            await writing
    if size:
        await loop.run_in_executor(executor, sink.write, batch)


def _update(digest: Digest, pieces: Sequence[Piece]) -> None:
    for piece in pieces:
        digest.update(piece)


def _verify_md5(content_md5: str | None, calculated: bytes) -> None:
    if content_md5 is None:
        return
    try:
        expected = base64.b64decode(content_md5, validate=True)
    except binascii.Error:
        expected = b""
    if len(expected) != 16:
        raise AwsError("The Content-MD5 you specified was invalid.", code="InvalidDigest")
    if expected != calculated:
        raise bad_digest(
            "The Content-MD5 you specified did not match what we received.", content_md5, encode(calculated)
        )
