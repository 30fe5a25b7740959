"""Errors as AWS answers them.

    AwsError
    ├── ValidationException          400  the request is malformed
    ├── ResourceNotFound             400  SageMaker: a named resource is not there
    ├── ResourceInUse                400  SageMaker: the name is taken, or the state forbids it
    ├── ResourceLimitExceeded        400  SageMaker: an account limit is reached
    ├── ConflictException            400  SageMaker: a concurrent or incompatible change
    ├── AccessDenied                 403  the caller may not do this
    ├── QueryCompatibleError         400  of a service that has other codes in the query protocol
    ├── NotImplementedHere           501  a real AWS operation or option that the emulator does not have yet
    └── InternalFailure              500  our fault

Services raise them; the gateway renders them in the protocol of the request. ``code`` and
``message`` are AWS's own wording wherever AWS documents one.
"""

from __future__ import annotations


class AwsError(Exception):
    """An error that goes to the client: ``code`` and ``message`` on the wire, ``status`` as HTTP status."""

    code = "InternalFailure"
    status = 400

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        status: int | None = None,
        headers: dict[str, str] | None = None,
        extra: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or type(self).code
        self.status = status or type(self).status
        self.headers = headers or {}
        self.extra = extra or {}
        """Further members of the error document, such as S3's ``BucketName`` and ``Key``."""


class ValidationException(AwsError):
    code = "ValidationException"


class ResourceNotFound(AwsError):
    code = "ResourceNotFound"


class ResourceInUse(AwsError):
    code = "ResourceInUse"


class ResourceLimitExceeded(AwsError):
    code = "ResourceLimitExceeded"


class ConflictException(AwsError):
    code = "ConflictException"


class AccessDenied(AwsError):
    code = "AccessDeniedException"
    status = 403


class QueryCompatibleError(AwsError):
    """An error of a service that moved away from the query protocol (Smithy's trait "awsQueryCompatible").

    ``code`` is the shape in today's protocols; ``legacy`` is the code in the query protocol, which the others tell in a
    header, since clients were written against it: botocore shows it as ``Error.Code``.
    """

    def __init__(self, code: str, message: str, legacy: str) -> None:
        super().__init__(message, code=code, headers={"x-amzn-query-error": f"{legacy};Sender"})
        self.legacy = legacy


class NotImplementedHere(AwsError):
    """The operation or option exists on AWS but not here yet: refused by name, never faked."""

    code = "NotImplemented"
    status = 501


def not_yet(member: str, what: str) -> NotImplementedHere:
    """The refusal of a request whose member asks for what the emulator does not have."""
    return NotImplementedHere(f"{member}: the emulator does not have {what} yet.")


class InternalFailure(AwsError):
    code = "InternalFailure"
    status = 500
