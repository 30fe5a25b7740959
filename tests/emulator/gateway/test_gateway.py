"""The gateway over real sockets: real clients, and requests that no client would send."""

from __future__ import annotations

import errno
import json
import logging
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from emulator.aws.errors import AwsError, ResourceNotFound
from emulator.gateway import bodies
from emulator.gateway.gateway import create_gateway
from emulator.settings import SettingsError
from tests.emulator.gateway.conftest import Register, Wire

NO_BODY = b"{}"


def echo_scope(request: Any, context: Any) -> Any:
    return {"PipelineArn": f"{context.account}/{context.region}/{request['PipelineName']}/{context.access_key_id}"}


def describe(wire: Wire, **client: Any) -> str:
    arn: str = wire.client("sagemaker", **client).describe_pipeline(PipelineName="p")["PipelineArn"]
    return arn


class TestScope:
    def test_an_access_key_of_twelve_digits_is_an_account(self, wire: Wire, register: Register) -> None:
        register("sagemaker", "DescribePipeline", echo_scope)
        assert describe(wire, key="210987654321") == "210987654321/us-east-1/p/210987654321"

    def test_any_other_key_belongs_to_the_default_account(self, wire: Wire, register: Register) -> None:
        register("sagemaker", "DescribePipeline", echo_scope)
        assert describe(wire, key="AKIATEST") == "123456789012/us-east-1/p/AKIATEST"

    def test_the_region_is_the_signed_one(self, wire: Wire, register: Register) -> None:
        register("sagemaker", "DescribePipeline", echo_scope)
        assert describe(wire, region_name="eu-central-1").split("/")[1] == "eu-central-1"

    def test_an_unsigned_request_is_the_default_accounts(self, wire: Wire, register: Register) -> None:
        register("sagemaker", "DescribePipeline", echo_scope)
        _, body = wire.call("DescribePipeline", b'{"PipelineName": "p"}')
        assert json.loads(body)["PipelineArn"] == "123456789012/us-east-1/p/"

    @pytest.mark.parametrize(
        "scope", ["key", "a/b/../c/aws4_request", "k/20260101/../../etc/s3/aws4_request", "/" * 99]
    )
    def test_a_malformed_credential_scope_is_refused(self, wire: Wire, scope: str) -> None:
        authorization = f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"
        response, body = wire.call("DescribePipeline", NO_BODY, Authorization=authorization)
        assert response.status == 400
        assert json.loads(body)["__type"] == "IncompleteSignature"


class TestErrors:
    def test_an_error_of_an_operation_has_its_code_message_and_status(self, wire: Wire, register: Register) -> None:
        def fail(request: Any, context: Any) -> Any:
            raise ResourceNotFound(f"Pipeline '{request['PipelineName']}' does not exist.", extra={"Hint": "no"})

        register("sagemaker", "DescribePipeline", fail)
        client = wire.client("sagemaker")
        with pytest.raises(client.exceptions.ResourceNotFound, match="Pipeline 'p' does not exist") as caught:
            client.describe_pipeline(PipelineName="p")
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
        response, body = wire.call("DescribePipeline", b'{"PipelineName": "p"}')
        assert response.headers["x-amzn-errortype"] == "ResourceNotFound"
        assert json.loads(body) == {
            "__type": "ResourceNotFound",
            "message": "Pipeline 'p' does not exist.",
            "Hint": "no",
        }

    def test_query_services_answer_errors_in_xml(self, serve: Callable[..., Wire]) -> None:
        client = serve(implicit_roles=False).client("iam")
        with pytest.raises(client.exceptions.NoSuchEntityException) as caught:
            client.get_role(RoleName="nobody")
        assert caught.value.response["Error"] == {
            "Type": "Sender",
            "Code": "NoSuchEntity",
            "Message": "The role with name nobody cannot be found.",
        }
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404

    @pytest.mark.parametrize(
        ("service", "operation", "arguments", "name"),
        [
            ("sagemaker", "list_hubs", {}, "sagemaker:ListHubs"),
            ("dynamodb", "list_tables", {}, "dynamodb:ListTables"),
            ("iam", "list_users", {}, "iam:ListUsers"),
            (
                "sagemaker-runtime",
                "invoke_endpoint",
                {"EndpointName": "e", "Body": b""},
                "sagemaker-runtime:InvokeEndpoint",
            ),
        ],
    )
    def test_what_is_not_there_is_named_and_not_retried(
        self, wire: Wire, service: str, operation: str, arguments: Any, name: str
    ) -> None:
        for mode in ("legacy", "standard"):
            client = wire.client(service, config=Config(retries={"mode": mode, "max_attempts": 3}))
            with pytest.raises(ClientError, match=f"{name} .*docs/parity.md") as caught:
                getattr(client, operation)(**arguments)
            assert caught.value.response["Error"]["Code"] == "NotImplemented"
            assert caught.value.response["ResponseMetadata"]["RetryAttempts"] == 0

    def test_an_unknown_operation_is_unknown(self, wire: Wire) -> None:
        for operation in ("Nonsense", "", "__class__", "Describe Pipeline"):
            response, body = wire.call(operation, NO_BODY)
            assert (response.status, json.loads(body)["__type"]) == (400, "UnknownOperationException")

    def test_an_unknown_action_is_invalid(self, wire: Wire) -> None:
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        response, body = wire.send("POST", "/", b"Action=Fly&Version=2010-05-08", form)
        assert response.status == 400
        assert b"<Code>InvalidAction</Code><Message>Could not find operation Fly for version 2010-05-08<" in body

    def test_a_failing_handler_is_an_internal_failure_with_its_traceback_in_the_log(
        self, wire: Wire, register: Register, caplog: pytest.LogCaptureFixture
    ) -> None:
        def fail(request: Any, context: Any) -> Any:
            raise ZeroDivisionError("oops")

        register("sagemaker", "ListPipelines", fail)
        with caplog.at_level(logging.ERROR):
            response, body = wire.call("ListPipelines", NO_BODY)
        request_id = response.headers["x-amzn-RequestId"]
        assert response.status == 500
        assert json.loads(body)["__type"] == "InternalFailure"
        assert request_id in json.loads(body)["message"]
        assert request_id in caplog.text
        assert "ZeroDivisionError: oops" in caplog.text

    def test_a_full_disk_is_said_plainly(self, wire: Wire, register: Register) -> None:
        def fail(request: Any, context: Any) -> Any:
            raise OSError(errno.ENOSPC, "No space left on device")

        register("sagemaker", "ListPipelines", fail)
        client = wire.client("sagemaker")
        with pytest.raises(ClientError, match=r"disk of the emulator's data folder .* is full") as caught:
            client.list_pipelines()
        assert caught.value.response["ResponseMetadata"]["RetryAttempts"] == 0

    def test_headers_cannot_be_smuggled_into_an_answer(self, wire: Wire, register: Register) -> None:
        def fail(request: Any, context: Any) -> Any:
            raise AwsError("no", code="Bad\r\nSet-Cookie: a=b")

        register("sagemaker", "ListPipelines", fail)
        response, _ = wire.call("ListPipelines", NO_BODY)
        assert "Set-Cookie" not in response.headers


class TestHostileRequests:
    @pytest.mark.parametrize(
        "body",
        [
            b"", b"{", b"[]", b"null", b'"x"', b"{}{}", b"\xff\xfe", b'{"MaxResults": NaN}', b'{"MaxResults": 1e999}',
            b'{"MaxResults": ' + b"9" * 5000 + b"}", b'{"MaxResults": "1"}', b'{"MaxResults": true}',
            b'{"MaxResults": {}}',
            b'{"PipelineNamePrefix": 1}', b'{"PipelineNamePrefix": ["a"]}', b'{"PipelineNamePrefix": "\\ud800"}',
            b'{"CreatedAfter": "tomorrow"}', b'{"CreatedAfter": 1e300}', b"[" * 200_000, b'{"a":' * 200_000,
        ],
    )  # fmt: skip
    def test_a_body_that_is_no_request_is_the_clients_error(self, wire: Wire, register: Register, body: bytes) -> None:
        register("sagemaker", "ListPipelines", lambda request, context: {})
        response, answer = wire.call("ListPipelines", body)
        assert response.status == 400
        assert json.loads(answer)["__type"] == "SerializationException"

    def test_shapes_that_contain_themselves_end_somewhere(self, wire: Wire, register: Register) -> None:
        register("sagemaker", "Search", lambda request, context: {})
        deep = b'{"Resource": "Pipeline", "SearchExpression": ' + b'{"SubExpressions": [' * 400
        response, answer = wire.call("Search", deep + b"{}" + b"]}" * 400 + b"}")
        assert response.status == 400
        assert json.loads(answer)["__type"] in ("SerializationException", "ValidationException")

    def test_unknown_members_and_nulls_are_dropped(self, wire: Wire, register: Register) -> None:
        seen = []
        register("sagemaker", "ListPipelines", lambda request, context: seen.append(request) or {})
        response, _ = wire.call("ListPipelines", b'{"Nonsense": 1, "NextToken": null, "MaxResults": 5}')
        assert response.status == 200
        assert seen == [{"MaxResults": 5}]

    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("POST", "/endpoints/../../etc/passwd/invocations"),
            ("GET", "/" + "a/" * 2000),
            ("DELETE", "/%00%ff%2e%2e"),
            ("PATCH", "/"),
            ("POST", "/FeatureGroup//ListRecords"),
        ],
    )  # fmt: skip
    def test_paths_that_are_no_operation_are_unknown(self, wire: Wire, method: str, path: str) -> None:
        scope = (
            "AWS4-HMAC-SHA256 Credential=k/20260101/us-east-1/sagemaker/aws4_request, SignedHeaders=host, Signature=0"
        )
        response, body = wire.send(method, path, b"x", {"Authorization": scope})
        assert response.status == 400
        assert json.loads(body)["__type"] == "UnknownOperationException"

    @pytest.mark.parametrize(
        "body", [b"%ff=%fe&Action=GetRole", b"Action=GetRole&" + b"A.B." * 99 + b"=1", b"&&&=", b"\xff"]
    )
    def test_forms_that_are_no_request_are_the_clients_error(self, wire: Wire, body: bytes) -> None:
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        response, answer = wire.send("POST", "/?Version=2010-05-08", body, headers)
        assert response.status == 400
        assert b"<ErrorResponse" in answer

    def test_a_huge_body_is_refused_with_the_limit(self, wire: Wire) -> None:
        response, body = wire.call("CreatePipeline", b"x" * (bodies.LIMIT + 1))
        assert response.status == 413
        assert json.loads(body)["__type"] == "RequestEntityTooLargeException"
        assert f"{bodies.LIMIT + 1} bytes" in json.loads(body)["message"]

    def test_a_client_that_goes_away_hurts_nobody(self, wire: Wire, caplog: pytest.LogCaptureFixture) -> None:
        with socket.create_connection(("127.0.0.1", wire.port)) as connection:
            connection.sendall(
                b"POST / HTTP/1.1\r\nHost: localhost\r\nX-Amz-Target: SageMaker.X\r\nContent-Length: 99\r\n\r\n{"
            )
        response, _ = wire.send("GET", "/_emulator/health")
        assert response.status == 200
        assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


class TestHosts:
    @pytest.mark.parametrize(
        "host",
        ["localhost", "LOCALHOST:80", "s3.localhost", "127.0.0.1", "[::1]:1", "sts.amazonaws.com", "198.18.7.254:80"],
    )
    def test_own_names_are_answered(self, wire: Wire, host: str) -> None:
        assert wire.send("GET", "/_emulator/health", headers={"Host": host})[0].status == 200

    @pytest.mark.parametrize(
        "host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil", "", "amazonaws.com.evil", "192.0.2.1"]
    )
    def test_foreign_names_are_refused(self, wire: Wire, host: str) -> None:
        response, body = wire.send("GET", "/_emulator/health", headers={"Host": host})
        assert response.status == 421
        assert b"is not a name of this emulator" in body
        assert "access-control-allow-origin" not in response.headers


class TestAnswers:
    def test_every_answer_has_a_request_id(self, wire: Wire) -> None:
        ids = {wire.call("X", NO_BODY)[0].headers["x-amzn-RequestId"] for _ in range(2)}
        ids.add(wire.client("sts").get_caller_identity()["ResponseMetadata"]["RequestId"])
        ids.add(wire.send("GET", "/_emulator/health")[0].headers["x-amzn-RequestId"])
        assert len(ids) == 4

    def test_health_says_what_runs_here(self, wire: Wire) -> None:
        response, body = wire.send("GET", "/_emulator/health")
        health = json.loads(body)
        setup = (Path(__file__).parents[3] / "setup.py").read_text()
        assert f'version="{health["version"]}"' in setup
        assert response.status == 200
        assert health["status"] == "ok"
        assert health["isolation"] == "test isolation"
        assert health["data_dir"] == str(wire.app.settings.data_dir)
        assert (health["account"], health["region"]) == ("123456789012", "us-east-1")

    def test_blocking_operations_leave_the_loop_free(self, wire: Wire, register: Register) -> None:
        release = threading.Event()
        register("sagemaker", "ListPipelines", lambda request, context: {"": release.wait(20)}, blocking=True)
        answers: list[int] = []
        waiting = threading.Thread(target=lambda: answers.append(wire.call("ListPipelines", NO_BODY)[0].status))
        waiting.start()
        assert wire.send("GET", "/_emulator/health")[0].status == 200
        assert not answers
        release.set()
        waiting.join()
        assert answers == [200]

    def test_what_nothing_else_claims_is_s3s(self, wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
        from starlette.responses import Response

        from emulator.services.s3 import endpoint

        seen = []

        class Endpoint:
            def __init__(self, app: Any, *, signed: bool) -> None:
                self.app = app

            async def __call__(self, request: Any, scope: Any, request_id: str) -> Any:
                seen.append((request.method, request.url.path, scope.account, await request.body()))
                return Response(headers={"x-from": "s3"})

            def close(self) -> None:
                seen.append("closed")

        monkeypatch.setattr(endpoint, "S3Endpoint", Endpoint)
        wire.client("s3", key="210987654321").put_object(Bucket="endpoints", Key="k", Body=b"data")
        response, _ = wire.send("GET", "/bucket/key")
        assert response.headers["x-from"] == "s3"
        assert response.headers["x-amzn-RequestId"]
        assert seen == [("PUT", "/endpoints/k", "210987654321", b"data"), ("GET", "/bucket/key", "123456789012", b"")]


class TestKeys:
    def test_beyond_loopback_keys_are_demanded(self, make_app: Callable[..., Any]) -> None:
        with pytest.raises(SettingsError, match="EMULATOR_ACCESS_KEY_ID"):
            create_gateway(make_app(host="0.0.0.0"))
        with pytest.raises(SettingsError, match="set both or none"):
            create_gateway(make_app(access_key_id="only"))
        assert create_gateway(make_app(host="0.0.0.0", access_key_id="k", secret_access_key="s"))

    def test_a_stranger_from_afar_learns_only_that_it_is_up(self, make_app: Callable[..., Any]) -> None:
        gateway = create_gateway(make_app(host="0.0.0.0", access_key_id="k", secret_access_key="s"))
        answer = gateway._health({"client": ("192.0.2.1", 1)})
        assert set(json.loads(answer.body)) == {"status", "version"}
