from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.aws.errors import AwsError
from emulator.services.s3.chunked import AwsChunkedDecoder


def encode(chunks: list[bytes], signed: bool, trailers: dict[str, str]) -> bytes:
    signature = b";chunk-signature=" + b"0" * 64 if signed else b""
    body = b"".join(b"%x%s\r\n%s\r\n" % (len(chunk), signature, chunk) for chunk in chunks if chunk)
    body += b"0" + signature + b"\r\n"
    body += b"".join(f"{name}:{value}\r\n".encode() for name, value in trailers.items())
    return body + b"\r\n"


@given(
    chunks=st.lists(st.binary(max_size=50), max_size=8),
    signed=st.booleans(),
    trailer=st.booleans(),
    cuts=st.lists(st.integers(min_value=0, max_value=700), max_size=10),
)
def test_what_was_encoded_is_decoded_wherever_it_is_cut(
    chunks: list[bytes], signed: bool, trailer: bool, cuts: list[int]
) -> None:
    trailers = {"x-amz-checksum-crc32": "AAAAAA=="} if trailer else {}
    body = encode(chunks, signed, trailers)
    borders = [0, *sorted(cut for cut in cuts if cut < len(body)), len(body)]
    decoder = AwsChunkedDecoder()
    pieces = [body[begin:end] for begin, end in pairwise(borders)]
    assert b"".join(part for piece in pieces for part in decoder.feed(piece)) == b"".join(chunks)
    decoder.finish()
    assert decoder.trailers == trailers


@given(st.binary(max_size=200))
def test_garbage_is_refused_or_decoded_but_never_breaks(data: bytes) -> None:
    assert _outcome(data) in ("decoded", "InvalidRequest", "IncompleteBody")


def _outcome(data: bytes) -> str:
    decoder = AwsChunkedDecoder()
    try:
        decoder.feed(data)
        decoder.finish()
    except AwsError as error:
        return error.code
    return "decoded"


@pytest.mark.parametrize("body", [b"", b"5\r\nhel", b"5\r\nhello\r\n", b"5\r\nhello\r\n0"])
def test_a_body_that_ends_too_early(body: bytes) -> None:
    decoder = AwsChunkedDecoder()
    decoder.feed(body)
    with pytest.raises(AwsError) as caught:
        decoder.finish()
    assert caught.value.code == "IncompleteBody"


@pytest.mark.parametrize("body", [b"xyz\r\n", b"-5\r\nhello", b"2\r\nhello\r\n", b"1" * 20_000, b"0x5\r\nhello\r\n"])
def test_malformed_chunks(body: bytes) -> None:
    with pytest.raises(AwsError) as caught:
        AwsChunkedDecoder().feed(body)
    assert caught.value.code == "InvalidRequest"
