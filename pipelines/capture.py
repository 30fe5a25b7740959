"""The offline SDK session: every AWS call is answered here, every upload is kept, nothing leaves the process.

botocore asks the handlers of ``before-send`` for a response before it opens a connection; one that answers is all that
the SDK needs. An audit hook refuses connections of anything else. Used only in the build's own process
(:mod:`pipelines.compile`), since both hooks are process-wide.
"""

from __future__ import annotations

import re
import sys
import threading
from collections.abc import Callable
from io import BytesIO
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from pipelines.environment import Environment

S3_HOST = re.compile(r"(?:(?P<bucket>.+)\.)?s3[.-]")

Answer = tuple[int, dict[str, str], bytes]


class OfflineError(RuntimeError):
    """The pipeline's code wanted something of AWS or of the network, which a build cannot have."""


class Capture:
    """What a build uploads (``uploads``: ``(bucket, key)`` to content) and the AWS calls that were refused."""

    def __init__(self, environment: Environment) -> None:
        self.environment = environment
        self.uploads: dict[tuple[str, str], bytes] = {}
        self.overwritten: set[tuple[str, str]] = set()
        self.refused: list[str] = []
        self._parts: dict[str, dict[int, bytes]] = {}
        self._lock = threading.Lock()
        self._answers: dict[str, Callable[[Any], Answer]] = {
            "s3.PutObject": self._put_object,
            "s3.CreateMultipartUpload": self._create_multipart_upload,
            "s3.UploadPart": self._upload_part,
            "s3.CompleteMultipartUpload": self._complete_multipart_upload,
            "s3.GetObject": self._get_object,
            "s3.HeadObject": self._get_object,
            "s3.HeadBucket": self._empty,
            "s3.ListBuckets": self._list_buckets,
            "sts.GetCallerIdentity": self._get_caller_identity,
            "iam.GetRole": self._get_role,
            "iam.SimulatePrincipalPolicy": self._simulate_principal_policy,
        }

    def install(self) -> None:
        """Answer for every botocore session made from now on, and refuse network connections of the process."""
        from botocore import handlers

        handlers.BUILTIN_HANDLERS.append(("before-send", self.answer))
        sys.addaudithook(_refuse_network)

    def answer(self, request: Any, event_name: str, **_: Any) -> Any:
        """botocore's ``before-send`` handler: the response of a call.

        Raises:
            OfflineError: a call that a build has no answer for.
        """
        from botocore.awsrequest import AWSResponse
        from botocore.compat import HTTPHeaders

        operation = event_name.removeprefix("before-send.")
        if operation not in self._answers:
            self.refused.append(operation)
            raise OfflineError(
                f"the build called {operation.replace('.', ':')}, and a build is offline: do this in a step, or "
                "pass its result (an ARN, a URI) as a pipeline parameter"
            )
        with self._lock:
            status, headers, body = self._answers[operation](request)
        return AWSResponse(request.url, status, HTTPHeaders.from_dict(headers), _Raw(body))

    def _put_object(self, request: Any) -> Answer:
        self._keep(_location(request.url), _body(request))
        return 200, {"ETag": '"offline"'}, b""

    def _create_multipart_upload(self, request: Any) -> Answer:
        bucket, key = _location(request.url)
        upload = f"upload-{len(self._parts)}"
        self._parts[upload] = {}
        return _xml(
            f"<InitiateMultipartUploadResult><Bucket>{bucket}</Bucket><Key>{key}</Key>"
            f"<UploadId>{upload}</UploadId></InitiateMultipartUploadResult>"
        )

    def _upload_part(self, request: Any) -> Answer:
        query = parse_qs(urlsplit(request.url).query)
        self._parts[query["uploadId"][0]][int(query["partNumber"][0])] = _body(request)
        return 200, {"ETag": '"offline"'}, b""

    def _complete_multipart_upload(self, request: Any) -> Answer:
        parts = self._parts[parse_qs(urlsplit(request.url).query)["uploadId"][0]]
        self._keep(_location(request.url), b"".join(parts[number] for number in sorted(parts)))
        return _xml("<CompleteMultipartUploadResult><ETag>offline</ETag></CompleteMultipartUploadResult>")

    def _get_object(self, request: Any) -> Answer:
        content = self.uploads.get(_location(request.url))
        if content is None:
            return 404, {}, b"<Error><Code>NoSuchKey</Code><Message>a build has only what it uploads</Message></Error>"
        headers = {"Content-Length": str(len(content)), "ETag": '"offline"'}
        return 200, headers, b"" if request.method == "HEAD" else content

    def _empty(self, request: Any) -> Answer:
        return 200, {}, b""

    def _list_buckets(self, request: Any) -> Answer:
        name = self.environment.bucket
        return _xml(
            f"<ListAllMyBucketsResult><Buckets><Bucket><Name>{name}</Name></Bucket></Buckets></ListAllMyBucketsResult>"
        )

    def _get_caller_identity(self, request: Any) -> Answer:
        account, role = self.environment.account, self.environment.role
        return _query("GetCallerIdentity", f"<Arn>{role}</Arn><UserId>AIDAOFFLINE</UserId><Account>{account}</Account>")

    def _get_role(self, request: Any) -> Answer:
        asked = parse_qs(_body(request).decode()).get("RoleName", [""])[0]
        role = self.environment.role
        if role.rpartition("/")[2] != asked:
            role = f"arn:aws:iam::{self.environment.account}:role/{asked}"
        trust = (
            "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C%22Principal"
            "%22%3A%7B%22Service%22%3A%22sagemaker.amazonaws.com%22%7D%2C%22Action%22%3A%22sts%3AAssumeRole%22%7D%5D%7D"
        )
        return _query(
            "GetRole",
            f"<Role><Path>/</Path><RoleName>{asked}</RoleName><RoleId>AROAOFFLINE</RoleId><Arn>{role}</Arn>"
            f"<CreateDate>2020-01-01T00:00:00Z</CreateDate>"
            f"<AssumeRolePolicyDocument>{trust}</AssumeRolePolicyDocument></Role>",
        )

    def _simulate_principal_policy(self, request: Any) -> Answer:
        fields = parse_qs(_body(request).decode())
        actions = [values[0] for name, values in fields.items() if name.startswith("ActionNames.member.")]
        results = "".join(
            f"<member><EvalActionName>{action}</EvalActionName><EvalDecision>allowed</EvalDecision>"
            "<EvalResourceName>*</EvalResourceName></member>"
            for action in actions
        )
        return _query(
            "SimulatePrincipalPolicy",
            f"<IsTruncated>false</IsTruncated><EvaluationResults>{results}</EvaluationResults>",
        )

    def _keep(self, location: tuple[str, str], content: bytes) -> None:
        if self.uploads.get(location, content) != content:
            self.overwritten.add(location)
        self.uploads[location] = content


class _Raw(BytesIO):
    """A response body as urllib3 gives it."""

    def stream(self, amt: int = 65536, decode_content: bool | None = None) -> Any:
        while chunk := self.read(amt):
            yield chunk


def _body(request: Any) -> bytes:
    body = request.body
    if hasattr(body, "read"):
        content = body.read()
        return bytes(content)
    return body.encode() if isinstance(body, str) else bytes(body or b"")


def _location(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    path = unquote(parts.path).lstrip("/")
    host = S3_HOST.match(parts.hostname or "")
    if host and host["bucket"]:
        return host["bucket"], path
    bucket, _, key = path.partition("/")
    return bucket, key


def _xml(text: str) -> Answer:
    return 200, {"Content-Type": "application/xml"}, text.encode()


def _query(operation: str, result: str) -> Answer:
    return _xml(f"<{operation}Response><{operation}Result>{result}</{operation}Result></{operation}Response>")


def _refuse_network(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.getaddrinfo":
        raise OfflineError(f"the build looked up the host {arguments[0]}, and a build is offline")
    if event == "socket.connect" and isinstance(arguments[1], tuple):
        raise OfflineError(f"the build connected to {arguments[1][0]}, and a build is offline")
