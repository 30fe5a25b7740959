"""Reading the body of a request that is not S3's: whole, and not without end."""

from __future__ import annotations

import zlib
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from emulator.aws.errors import AwsError

LIMIT = 32 * 2**20
"""More than any operation takes: an endpoint's payload is at most 25 MB, a pipeline definition 1 MiB."""


class Disconnected(Exception):
    """The client went away before its request was complete; there is nobody to answer."""


class RequestTooLarge(AwsError):
    code = "RequestEntityTooLargeException"
    status = 413


async def read_body(headers: Mapping[str, str], receive: Callable[[], Awaitable[MutableMapping[str, Any]]]) -> bytes:
    """The body of a request.

    Too large a body is still taken from the wire, but not kept: a client that is cut off while sending
    reports a broken connection instead of the reason.

    Raises:
        RequestTooLarge: it has more than ``LIMIT`` bytes.
        Disconnected: the client went away.
    """
    message = await receive()
    if message["type"] == "http.request" and not message.get("more_body"):
        chunks, size = [message.get("body", b"")], len(message.get("body", b""))
    else:
        chunks, size = await _rest(message, receive)
    if size > LIMIT:
        declared = headers.get("content-length", str(size))
        raise RequestTooLarge(
            f"The body of the request has {declared} bytes; an operation takes at most {LIMIT} ({LIMIT >> 20} MiB). "
            "Put large data into S3 and pass its URI."
        )
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


async def _rest(
    message: MutableMapping[str, Any], receive: Callable[[], Awaitable[MutableMapping[str, Any]]]
) -> tuple[list[bytes], int]:
    chunks: list[bytes] = []
    size = 0
    while message["type"] == "http.request":
        chunk = message.get("body", b"")
        size += len(chunk)
        if size <= LIMIT:
            chunks.append(chunk)
        if not message.get("more_body"):
            return chunks, size
        message = await receive()
    raise Disconnected


def unpacked(headers: Mapping[str, str], body: bytes) -> bytes:
    """The body as it was before the client compressed it (Smithy's ``requestCompression``, which knows gzip only).

    Raises:
        AwsError: it is compressed otherwise, is cut off, or is larger than ``LIMIT`` when unpacked.
    """
    encoding = headers.get("content-encoding", "").strip().lower()
    if encoding in ("", "identity", "aws-chunked"):
        return body
    if encoding != "gzip":
        raise AwsError(f"Content-Encoding {encoding[:40]!r} is not supported; gzip is", code="SerializationException")
    inflater = zlib.decompressobj(wbits=31)
    try:
        content = inflater.decompress(body, LIMIT)
    except zlib.error as error:
        raise AwsError(f"The gzip of the request is damaged: {error}", code="SerializationException") from error
    if inflater.unconsumed_tail:
        raise RequestTooLarge(f"The body of the request unpacks to more than {LIMIT} bytes ({LIMIT >> 20} MiB).")
    if not inflater.eof:
        raise AwsError("The gzip of the request is cut off", code="SerializationException")
    return content
