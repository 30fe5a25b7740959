"""An emulator with keys believes only those who have them, and whom it gave a session."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from emulator.gateway import signatures
from tests.emulator.gateway.conftest import Register, Wire

KEY, SECRET = "AKIAKNOWN", "known-secret"


@pytest.fixture
def guarded(serve: Callable[..., Wire], register: Register) -> Wire:
    register("sagemaker", "ListPipelines", lambda request, context: {})
    return serve(access_key_id=KEY, secret_access_key=SECRET)


def test_the_known_keys_are_let_in(guarded: Wire) -> None:
    guarded.client("sagemaker", KEY, SECRET).list_pipelines(PipelineNamePrefix="a-b")
    assert guarded.client("sts", KEY, SECRET).get_caller_identity()["Account"] == "123456789012"
    assert guarded.client("iam", KEY, SECRET).get_role(RoleName="r")["Role"]["RoleName"] == "r"


@pytest.mark.parametrize(
    ("service", "call", "key", "secret", "code"),
    [
        ("sagemaker", "list_pipelines", KEY, "wrong", "InvalidSignatureException"),
        ("sagemaker", "list_pipelines", "123456789012", SECRET, "UnrecognizedClientException"),
        ("sagemaker", "list_pipelines", "ASIAINVENTED", SECRET, "UnrecognizedClientException"),
        ("sts", "get_caller_identity", KEY, "wrong", "SignatureDoesNotMatch"),
        ("sts", "get_caller_identity", "other", SECRET, "InvalidClientTokenId"),
        ("s3", "list_buckets", KEY, "wrong", "SignatureDoesNotMatch"),
        ("s3", "list_buckets", "other", SECRET, "InvalidAccessKeyId"),
    ],
)
def test_others_are_not(guarded: Wire, service: str, call: str, key: str, secret: str, code: str) -> None:
    with pytest.raises(ClientError) as caught:
        getattr(guarded.client(service, key, secret), call)()
    assert caught.value.response["Error"]["Code"] == code
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


def test_unsigned_requests_are_refused(guarded: Wire) -> None:
    response, body = guarded.call("ListPipelines", b"{}")
    assert response.status == 403
    assert json.loads(body)["__type"] == "MissingAuthenticationTokenException"
    response, body = guarded.send("GET", "/bucket/key")
    assert b"<Code>AccessDenied</Code>" in body


def test_a_body_that_was_changed_on_the_way_is_refused(guarded: Wire) -> None:
    client = guarded.client("sagemaker", KEY, SECRET)

    client.meta.events.register("before-send.sagemaker.ListPipelines", lambda request, **_: tamper_send(request))

    def tamper_send(request: Any) -> None:
        request.body = b'{"MaxResults":9}'
        request.headers["Content-Length"] = str(len(request.body))

    with pytest.raises(ClientError, match="InvalidSignatureException"):
        client.list_pipelines(MaxResults=1)


def test_a_session_of_a_known_key_is_believed(guarded: Wire) -> None:
    sts = guarded.client("sts", KEY, SECRET)
    granted = sts.assume_role(RoleArn="arn:aws:iam::210987654321:role/r", RoleSessionName="session")["Credentials"]
    session = {"aws_session_token": granted["SessionToken"]}
    client = guarded.client("sts", granted["AccessKeyId"], granted["SecretAccessKey"], **session)
    assert client.get_caller_identity()["Account"] == "210987654321"
    thief = guarded.client("sts", granted["AccessKeyId"], "guessed", **session)
    with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
        thief.get_caller_identity()
    forgetful = guarded.client("sts", granted["AccessKeyId"], granted["SecretAccessKey"])
    with pytest.raises(ClientError, match="InvalidClientTokenId"):
        forgetful.get_caller_identity()


def test_presigned_requests_work_until_they_expire(guarded: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    client = guarded.client("sts", KEY, SECRET)
    url = client.generate_presigned_url("get_caller_identity", ExpiresIn=60, HttpMethod="GET")
    with urllib.request.urlopen(url) as answer:
        assert b"123456789012" in answer.read()
    later = datetime.now(UTC) + timedelta(seconds=61)

    class Later(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return later

    monkeypatch.setattr(signatures, "datetime", Later)
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(url)
    with caught.value as refusal:
        assert b"Signature expired" in refusal.read()
