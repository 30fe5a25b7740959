"""botocore's exceptions as messages that say what to do next."""

from __future__ import annotations

import sys
from typing import Any

from pipelines.environments import Target
from pipelines.errors import AwsCallError, EndpointError, PipelinesError

HINTS: tuple[tuple[frozenset[str], str], ...] = (
    (
        frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"}),
        "The credentials have expired: log in again (aws sso login), then repeat the command.",
    ),
    (
        frozenset(
            {
                *("UnrecognizedClientException", "InvalidClientTokenId", "InvalidAccessKeyId", "AuthFailure"),
                *("SignatureDoesNotMatch", "InvalidSignatureException", "IncompleteSignature"),
                *("MissingAuthenticationToken", "MissingAuthenticationTokenException"),
            }
        ),
        "The credentials are not known here: check them with: aws sts get-caller-identity",
    ),
    (
        frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "403"}),
        "The caller lacks this permission. Who it is: aws sts get-caller-identity\n"
        "What it has to be allowed: pipelines policy NAME --role ci",
    ),
    (
        frozenset(
            {
                *("Throttling", "ThrottlingException", "ThrottledException", "TooManyRequestsException"),
                *("RequestLimitExceeded", "SlowDown"),
            }
        ),
        "AWS limits the rate of calls: repeat the command in a minute.",
    ),
    (
        frozenset(
            {
                *("PermanentRedirect", "301", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException"),
                *("InvalidRegion", "OptInRequired"),
            }
        ),
        "The region is wrong, or not enabled: check region and bucket of this environment in "
        "pipelines/environments.toml.\nWhere the bucket is: aws s3api get-bucket-location --bucket BUCKET",
    ),
    (
        frozenset({"NoSuchBucket"}),
        "The environment's bucket is not there, or was deleted just now. `pipelines upsert NAME` creates it again.",
    ),
    (
        frozenset({"ConflictException", "OperationAborted"}),
        "Someone else is changing it at the same time: repeat the command.",
    ),
    (
        frozenset({"RequestTimeTooSkewed"}),
        "The clock of this machine is off: set it, then repeat the command.",
    ),
    (
        frozenset({"ResourceLimitExceeded", "LimitExceededException"}),
        "A quota of the account is reached: aws service-quotas list-service-quotas --service-code sagemaker",
    ),
)
"""What to do about AWS's codes."""
OTHER_ACCOUNT = "Cross-account pass role"
INTERRUPTED = "The connection broke. Repeat the command: what has arrived whole is not sent again."

MISSING = frozenset({"ResourceNotFound", "ResourceNotFoundException", "404", "NoSuchKey", "NoSuchBucket"})
MISSING_WORDS = ("does not exist", "not found", "ould not find")
"""SageMaker says of some resources only by the words of a ValidationException that they are not there."""


def error_code(error: Any) -> str:
    """AWS's code of a ClientError."""
    return str(error.response.get("Error", {}).get("Code", ""))


def error_message(error: Any) -> str:
    """AWS's message of a ClientError."""
    return str(error.response.get("Error", {}).get("Message", "")) or str(error)


def is_missing(error: Any) -> bool:
    """Whether a ClientError says that the named thing is not there."""
    code, message = error_code(error), error_message(error)
    return code in MISSING or (code == "ValidationException" and any(words in message for words in MISSING_WORDS))


def translate(error: BaseException, target: Target | None) -> PipelinesError | None:
    """The message for an exception of botocore; None for any other exception."""
    if "botocore" not in sys.modules:
        return None
    from botocore import exceptions as botocore_errors

    environment = f"environment {target.environment.name}" if target else "AWS"
    if isinstance(error, botocore_errors.ClientError):
        return AwsCallError(f"{environment}: {_client_error(error)}")
    broken = (botocore_errors.ConnectionClosedError, botocore_errors.ReadTimeoutError)
    if isinstance(error, (*broken, botocore_errors.ResponseStreamingError)):
        return EndpointError(f"{environment}: {error}\n{INTERRUPTED}")
    if isinstance(error, (botocore_errors.ConnectionError, botocore_errors.HTTPClientError)):
        return EndpointError(f"{environment}: {error}{_start_hint(target)}")
    if isinstance(error, botocore_errors.BotoCoreError):
        return AwsCallError(f"{environment}: {_sentence(str(error))}{_credentials_hint(type(error).__name__, target)}")
    return None


def _client_error(error: Any) -> str:
    code, message = error_code(error), error_message(error)
    call = f"{error.operation_name} was refused ({code}): {message}"
    hints = [hint for codes, hint in HINTS if code in codes]
    if OTHER_ACCOUNT in message:
        hints.append(
            "The role is of another account than the credentials: choose the environment (--env), or log in to its "
            "account. Who you are: aws sts get-caller-identity"
        )
    return "\n".join([call, *hints])


def _credentials_hint(kind: str, target: Target | None) -> str:
    if "Credential" not in kind and "Token" not in kind and "SSO" not in kind and "Profile" not in kind:
        return ""
    if target and target.endpoint.command:
        return '\nAWS_ENDPOINT_URL is set without credentials; set both with: eval "$(emulator env)"'
    return "\nLog in (aws sso login), or set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."


def _start_hint(target: Target | None) -> str:
    if target and target.endpoint.start_command:
        return f"\nNothing answers there. Start it: {' '.join(target.endpoint.start_command)}"
    return "\nCheck the network, and the region in pipelines/environments.toml."


def _sentence(text: str) -> str:
    return text if text.endswith(".") else f"{text}."
