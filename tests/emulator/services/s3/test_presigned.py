from __future__ import annotations

import http.client
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.config import Config

from emulator.aws.errors import AwsError
from emulator.services.s3.presigned import check_expiry
from tests.emulator.services.s3.conftest import Server


@pytest.fixture(params=["s3", "s3v4"])
def signer(server: Server, request: pytest.FixtureRequest) -> Iterator[Any]:
    client = server.client(config=Config(signature_version=request.param))
    yield client
    client.close()


def test_a_presigned_get_and_put(signer: Any, bucket: str) -> None:
    put = signer.generate_presigned_url("put_object", {"Bucket": bucket, "Key": "a b/ü"})
    urllib.request.urlopen(urllib.request.Request(put, b"hello", method="PUT")).close()
    overrides = {"ResponseContentDisposition": 'attachment; filename="x.txt"', "ResponseContentType": "text/x"}
    get = signer.generate_presigned_url("get_object", {"Bucket": bucket, "Key": "a b/ü", **overrides})
    with urllib.request.urlopen(get) as answer:
        assert answer.read() == b"hello"
        assert answer.headers["content-disposition"] == 'attachment; filename="x.txt"'
        assert answer.headers["content-type"] == "text/x"


def test_an_expired_url_is_refused(signer: Any, s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    url = signer.generate_presigned_url("get_object", {"Bucket": bucket, "Key": "k"}, ExpiresIn=1)
    time.sleep(2.1)
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(url)
    with caught.value as answer:
        text = answer.read()
        assert answer.code == 403
    assert b"<Code>AccessDenied</Code><Message>Request has expired</Message>" in text
    assert b"<ServerTime>" in text


def v4(**changes: str) -> dict[str, str]:
    query = {
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
        "X-Amz-Credential": "AKID/20260101/us-east-1/s3/aws4_request",
        "X-Amz-Date": time.strftime("%Y%m%dT%H%M%SZ", time.gmtime()),
        "X-Amz-Expires": "60",
        "X-Amz-SignedHeaders": "host",
        "X-Amz-Signature": "0",
    }
    return query | changes


def test_requests_that_are_not_presigned_pass() -> None:
    check_expiry({})
    check_expiry({"prefix": "X-Amz-Expires"})
    check_expiry(v4())
    check_expiry({"AWSAccessKeyId": "AKID", "Signature": "0", "Expires": str(int(time.time()) + 60)})


@pytest.mark.parametrize(
    ("query", "code"),
    [
        (v4(**{"X-Amz-Expires": "604801"}), "AuthorizationQueryParametersError"),
        (v4(**{"X-Amz-Expires": "soon"}), "AuthorizationQueryParametersError"),
        (v4(**{"X-Amz-Expires": "²"}), "AuthorizationQueryParametersError"),
        (v4(**{"X-Amz-Date": "yesterday"}), "AuthorizationQueryParametersError"),
        ({"X-Amz-Algorithm": "AWS4-HMAC-SHA256"}, "AuthorizationQueryParametersError"),
        (v4(**{"X-Amz-Date": "20200101T000000Z"}), "AccessDenied"),
        ({"AWSAccessKeyId": "AKID", "Signature": "0", "Expires": "1"}, "AccessDenied"),
        ({"AWSAccessKeyId": "AKID", "Signature": "0"}, "AccessDenied"),
    ],
)
def test_presigned_queries_that_do_not_hold(query: dict[str, str], code: str) -> None:
    with pytest.raises(AwsError) as caught:
        check_expiry(query)
    assert caught.value.code == code


@pytest.mark.parametrize(
    "host", ["{bucket}.localhost", "{bucket}.s3.us-east-1.amazonaws.com", "{bucket}.s3.amazonaws.com"]
)
def test_virtual_hosted_requests(server: Server, s3: Any, bucket: str, host: str) -> None:
    s3.put_object(Bucket=bucket, Key="a/b", Body=b"x")
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.request("GET", "/a/b", headers={"Host": host.format(bucket=bucket) + f":{server.port}"})
    assert connection.getresponse().read() == b"x"
    connection.close()
