"""botocore's exceptions as messages that say what to do next."""

from __future__ import annotations

import sys
from typing import Any

from pipelines.environments import Target
from pipelines.errors import AwsCallError, EndpointError, PipelinesError

EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"})
REFUSED_CREDENTIALS = frozenset(
    {"UnrecognizedClientException", "InvalidClientTokenId", "InvalidAccessKeyId", "SignatureDoesNotMatch"}
)
DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})
THROTTLED = frozenset({"Throttling", "ThrottlingException", "TooManyRequestsException", "SlowDown"})

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
    if isinstance(error, (botocore_errors.ConnectionError, botocore_errors.HTTPClientError)):
        return EndpointError(f"{environment}: {error}{_start_hint(target)}")
    if isinstance(error, botocore_errors.BotoCoreError):
        return AwsCallError(f"{environment}: {_sentence(str(error))}{_credentials_hint(type(error).__name__, target)}")
    return None


def _client_error(error: Any) -> str:
    code, message = error_code(error), error_message(error)
    call = f"{error.operation_name} was refused ({code}): {message}"
    if code in EXPIRED:
        return f"{call}\nThe credentials have expired: log in again (aws sso login), then repeat the command."
    if code in REFUSED_CREDENTIALS:
        return f"{call}\nThe credentials are not known here: check them with: aws sts get-caller-identity"
    if code in DENIED:
        return f"{call}\nThe caller lacks this permission. Who it is: aws sts get-caller-identity"
    if code in THROTTLED:
        return f"{call}\nAWS limits the rate of calls: repeat the command in a minute."
    return call


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
