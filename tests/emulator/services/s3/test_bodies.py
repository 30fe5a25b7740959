"""Bodies as clients may send them, down to the bytes."""

from __future__ import annotations

import base64
import hashlib
import http.client
import socket
import time
import zlib
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.emulator.services.s3.conftest import Server, error_of
from tests.emulator.services.s3.test_chunked import encode

ALGORITHMS = ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"]


def send(server: Server, path: str, body: bytes, headers: dict[str, str], method: str = "PUT") -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def crc32(data: bytes) -> str:
    return base64.b64encode(zlib.crc32(data).to_bytes(4, "big")).decode()


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_checksum_is_verified_stored_and_returned(s3: Any, bucket: str, algorithm: str) -> None:
    put = s3.put_object(Bucket=bucket, Key="k", Body=b"hello", ChecksumAlgorithm=algorithm)
    value = put[f"Checksum{algorithm}"]
    assert put["ChecksumType"] == "FULL_OBJECT"
    got = s3.get_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert got[f"Checksum{algorithm}"] == value
    assert got["Body"].read() == b"hello"
    assert s3.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")[f"Checksum{algorithm}"] == value
    assert f"Checksum{algorithm}" not in s3.head_object(Bucket=bucket, Key="k")
    with pytest.raises(ClientError) as caught:
        s3.put_object(Bucket=bucket, Key="k", Body=b"other", **{f"Checksum{algorithm}": value})
    assert error_of(caught) == ("BadDigest", 400)
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"hello"


def test_without_a_checksum_the_store_computes_crc64nvme(server: Server, bucket: str) -> None:
    client = server.client(config=Config(request_checksum_calculation="when_required"))
    assert client.put_object(Bucket=bucket, Key="k", Body=b"hello")["ChecksumCRC64NVME"] == "M3eFcAZSQlc="
    client.close()


@pytest.mark.parametrize("signed", [True, False])
def test_a_chunked_body_is_decoded(server: Server, s3: Any, bucket: str, signed: bool) -> None:
    data = bytes(range(256)) * 1000
    kind = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER" if signed else "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
    headers = {
        "content-encoding": "gzip,aws-chunked",
        "x-amz-content-sha256": kind,
        "x-amz-decoded-content-length": str(len(data)),
        "x-amz-trailer": "x-amz-checksum-crc32",
    }
    body = encode([data[:65536], data[65536:]], signed, {"x-amz-checksum-crc32": crc32(data)})
    assert send(server, f"/{bucket}/k", body, headers)[0] == 200
    got = s3.get_object(Bucket=bucket, Key="k")
    assert got["Body"].read() == data
    assert got["ContentEncoding"] == "gzip"
    wrong = encode([data], signed, {"x-amz-checksum-crc32": crc32(b"other")})
    status, answer = send(server, f"/{bucket}/k", wrong, headers)
    assert (status, b"<Code>BadDigest</Code>" in answer) == (400, True)
    missing = encode([data], signed, {})
    status, answer = send(server, f"/{bucket}/k", missing, headers)
    assert (status, b"<Code>InvalidRequest</Code>" in answer) == (400, True)


def test_the_decoded_length_must_be_true(server: Server, bucket: str) -> None:
    headers = {"x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "x-amz-decoded-content-length": "6"}
    status, answer = send(server, f"/{bucket}/k", encode([b"hello"], True, {}), headers)
    assert (status, b"<Code>IncompleteBody</Code>" in answer) == (400, True)


def test_content_md5_is_verified(server: Server, bucket: str) -> None:
    right = base64.b64encode(hashlib.md5(b"hello").digest()).decode()
    assert send(server, f"/{bucket}/k", b"hello", {"content-md5": right})[0] == 200
    status, answer = send(server, f"/{bucket}/k", b"other", {"content-md5": right})
    assert (status, b"<Code>BadDigest</Code>" in answer) == (400, True)
    status, answer = send(server, f"/{bucket}/k", b"hello", {"content-md5": "nonsense"})
    assert (status, b"<Code>InvalidDigest</Code>" in answer) == (400, True)


def test_the_signed_hash_of_the_payload_is_verified(server: Server, bucket: str) -> None:
    digest = hashlib.sha256(b"hello").hexdigest()
    assert send(server, f"/{bucket}/k", b"hello", {"x-amz-content-sha256": digest})[0] == 200
    status, answer = send(server, f"/{bucket}/k", b"other", {"x-amz-content-sha256": digest})
    assert (status, b"<Code>XAmzContentSHA256Mismatch</Code>" in answer) == (400, True)


def test_two_checksums_are_refused(server: Server, bucket: str) -> None:
    headers = {"x-amz-checksum-crc32": crc32(b"x"), "x-amz-checksum-sha1": "AAAA"}
    status, answer = send(server, f"/{bucket}/k", b"x", headers)
    assert (status, b"Multiple checksum Types are not allowed" in answer) == (400, True)
    status, answer = send(server, f"/{bucket}/k", b"x", {"x-amz-checksum-crc32": "AA=="})
    assert (status, b"Value for x-amz-checksum-crc32 header is invalid" in answer) == (400, True)


def test_a_length_is_demanded(server: Server, bucket: str) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        head = f"PUT /{bucket}/k HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        connection.sendall(head.encode())
        assert connection.recv(65536).startswith(b"HTTP/1.1 411 ")


def test_more_than_5_gib_is_refused_before_it_comes(server: Server, bucket: str) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        head = (
            f"PUT /{bucket}/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: {6 << 30}\r\nExpect: 100-continue\r\n\r\n"
        )
        connection.sendall(head.encode())
        with connection.makefile("rb") as stream:  # to its end: the head may come in a packet of its own
            answer = stream.read()
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"EntityTooLarge" in answer


def test_a_client_is_told_to_go_on_only_if_its_body_is_wanted(server: Server, bucket: str) -> None:
    for path, expected in ((f"/{bucket}/k", b"HTTP/1.1 100 "), ("/missing-bucket/k", b"HTTP/1.1 404 ")):
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
            head = f"PUT {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"
            connection.sendall(head.encode())
            assert connection.recv(65536).startswith(expected)


def test_a_refused_body_does_not_spoil_the_next_request(s3: Any, bucket: str) -> None:
    for _ in range(3):
        with pytest.raises(ClientError) as caught:
            s3.put_object(Bucket="missing-bucket", Key="k", Body=b"x" * 100_000)
        assert error_of(caught) == ("NoSuchBucket", 404)
        assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_a_client_that_leaves_in_the_middle_leaves_nothing(server: Server, bucket: str) -> None:
    blobs = server.objects.root / "blobs"
    before = sorted(path.name for path in blobs.glob("*/*"))
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        head = f"PUT /{bucket}/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9999999\r\n\r\n"
        connection.sendall(head.encode() + b"x" * 3_000_000)
    for _ in range(200):
        after = sorted(path.name for path in blobs.glob("*/*"))
        if after == before and server.objects.head(bucket, "k") is None:
            break
        time.sleep(0.02)
    assert after == before
    assert server.objects.head(bucket, "k") is None


def test_xml_bodies_are_checked(server: Server, bucket: str) -> None:
    bomb = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]><Delete><Object><Key>&a;</Key></Object></Delete>'
    for body in (bomb, b"<Delete>", b"", b"<Delete/>", b"<Delete><Object></Object></Delete>", b"not xml"):
        status, answer = send(server, f"/{bucket}?delete", body, {}, "POST")
        assert (status, b"<Code>MalformedXML</Code>" in answer) == (400, True), body
