"""Bodies of a MiB and more, which a thread moves past the event loop."""

from __future__ import annotations

import base64
import hashlib
import http.client
import os
import socket
import zlib
from collections.abc import Iterator

import pytest
from starlette.requests import ClientDisconnect

from emulator.aws.errors import AwsError
from emulator.services.s3 import transfers
from tests.emulator.services.s3.conftest import Server

DATA = os.urandom(transfers.SMALLEST + 123_457)
MD5 = base64.b64encode(hashlib.md5(DATA).digest()).decode()
CRC32 = base64.b64encode(zlib.crc32(DATA).to_bytes(4, "big")).decode()


@pytest.fixture
def connection(server: Server) -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    yield connection
    connection.close()


def ask(
    connection: http.client.HTTPConnection, method: str, path: str, body: bytes = b"", **headers: str
) -> tuple[int, bytes]:
    connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
    answer = connection.getresponse()
    return answer.status, answer.read()


def test_one_connection_carries_large_and_small_bodies_in_turn(
    connection: http.client.HTTPConnection, bucket: str
) -> None:
    for number in range(3):
        assert ask(connection, "PUT", f"/{bucket}/large", DATA, content_md5=MD5)[0] == 200
        assert ask(connection, "GET", f"/{bucket}/large") == (200, DATA)
        assert ask(connection, "PUT", f"/{bucket}/small", b"x" * number)[0] == 200
        assert ask(connection, "GET", f"/{bucket}/small") == (200, b"x" * number)


def test_a_large_range_is_that_part(connection: http.client.HTTPConnection, bucket: str) -> None:
    ask(connection, "PUT", f"/{bucket}/k", DATA)
    assert ask(connection, "GET", f"/{bucket}/k", range="bytes=100-") == (206, DATA[100:])


def test_a_spoilt_body_is_refused_and_the_connection_goes_on(
    connection: http.client.HTTPConnection, bucket: str
) -> None:
    spoilt = DATA[:-1] + bytes([DATA[-1] ^ 1])
    status, answer = ask(connection, "PUT", f"/{bucket}/k", spoilt, x_amz_checksum_crc32=CRC32)
    assert (status, b"<Code>BadDigest</Code>" in answer) == (400, True)
    assert ask(connection, "GET", f"/{bucket}/k")[0] == 404


def test_the_body_of_a_failed_write_is_taken_off_the_wire(
    server: Server, connection: http.client.HTTPConnection, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("emulator.store.blobs.BlobWriter.write", full)
        assert ask(connection, "PUT", f"/{bucket}/k", DATA)[0] == 507
    assert ask(connection, "PUT", f"/{bucket}/k", DATA)[0] == 200


def test_a_client_that_expects_100_continue_gets_it(server: Server, bucket: str) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as client:
        head = f"PUT /{bucket}/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(DATA)}\r\n"
        client.sendall(head.encode() + b"Expect: 100-continue\r\n\r\n")
        assert client.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(DATA)
        assert client.recv(65536).startswith(b"HTTP/1.1 200 ")


def test_the_payloads_hash_is_checked_where_signatures_are(
    server: Server, connection: http.client.HTTPConnection, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    headers = {"x_amz_content_sha256": hashlib.sha256(b"other").hexdigest()}
    assert ask(connection, "PUT", f"/{bucket}/k", DATA, **headers, x_amz_checksum_crc32=CRC32)[0] == 200
    assert b"XAmzContentSHA256Mismatch" in ask(connection, "PUT", f"/{bucket}/k", DATA, **headers)[1]
    monkeypatch.setattr(server.endpoint, "_signed", True)
    answer = ask(connection, "PUT", f"/{bucket}/k", DATA, **headers, x_amz_checksum_crc32=CRC32)[1]
    assert b"XAmzContentSHA256Mismatch" in answer


def test_a_client_that_falls_asleep_is_told_so(server: Server, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfers, "IDLE_SECONDS", 0.05)
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as client:
        head = f"PUT /{bucket}/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(DATA)}\r\n\r\n"
        client.sendall(head.encode() + DATA[:1000])
        with client.makefile("rb") as stream:
            answer = stream.read()  # to its end: the connection is of no use any more
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"<Code>RequestTimeout</Code>" in answer


def test_a_client_that_leaves_in_the_middle_of_an_answer_harms_nobody(
    server: Server, connection: http.client.HTTPConnection, bucket: str
) -> None:
    server.objects.put_bytes(bucket, "k", DATA * 8)
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as client:
        client.sendall(f"GET /{bucket}/k HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        assert client.recv(1000)
    assert ask(connection, "GET", f"/{bucket}/k") == (200, DATA * 8)


def test_pieces_come_in_order_and_end_with_the_body() -> None:
    ours, theirs = socket.socketpair()
    taken = bytearray()
    with ours, theirs:
        incoming = transfers.Incoming(ours, b"ab", 5)
        theirs.sendall(b"cdeNEXT")
        incoming.receive(lambda pieces: taken.extend(b"".join(pieces)))
        assert (bytes(taken), incoming.whole) == (b"abcde", True)
        assert ours.recv(10) == b"NEXT"


def test_what_takes_the_pieces_may_fail_without_losing_the_connection() -> None:
    def fail(pieces: list[bytes | memoryview]) -> None:
        raise AwsError("No", code="No")

    ours, theirs = socket.socketpair()
    with ours, theirs:
        incoming = transfers.Incoming(ours, b"", 5)
        theirs.sendall(b"abcdeNEXT")
        with pytest.raises(AwsError):
            incoming.receive(fail)
        assert incoming.whole
        assert ours.recv(10) == b"NEXT"


def test_an_end_before_the_end_is_a_client_that_left() -> None:
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            theirs.sendall(b"ab")
        incoming = transfers.Incoming(ours, b"", 5)
        with pytest.raises(ClientDisconnect):
            incoming.receive(lambda pieces: None)
        assert not incoming.whole
