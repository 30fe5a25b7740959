"""S3's errors: the codes and wording of the API reference, and the document they travel in."""

from __future__ import annotations

from emulator.aws.errors import AwsError
from emulator.aws.xml import DECLARATION, element


def error_document(error: AwsError, resource: str, request_id: str, host_id: str) -> bytes:
    """The XML body of an error."""
    members = {"Code": error.code, "Message": error.message, **error.extra}
    members |= {"Resource": resource, "RequestId": request_id, "HostId": host_id}
    body = "".join(element(name, value) for name, value in members.items())
    return f"{DECLARATION}<Error>{body}</Error>".encode()


def invalid_uri() -> AwsError:
    return AwsError("Couldn't parse the specified URI.", code="InvalidURI")


def invalid_argument(message: str, name: str, value: str) -> AwsError:
    return AwsError(message, code="InvalidArgument", extra={"ArgumentName": name, "ArgumentValue": value})


def invalid_request(message: str) -> AwsError:
    return AwsError(message, code="InvalidRequest")


def malformed_xml() -> AwsError:
    return AwsError(
        "The XML you provided was not well-formed or did not validate against our published schema",
        code="MalformedXML",
    )


def access_denied(message: str = "Access Denied", **extra: str) -> AwsError:
    return AwsError(message, code="AccessDenied", status=403, extra=extra)


def precondition_failed(condition: str) -> AwsError:
    return AwsError(
        "At least one of the pre-conditions you specified did not hold",
        code="PreconditionFailed",
        status=412,
        extra={"Condition": condition},
    )


def not_modified(headers: dict[str, str]) -> AwsError:
    return AwsError("Not Modified", code="NotModified", status=304, headers=headers)


def invalid_range(requested: str, size: int) -> AwsError:
    return AwsError(
        "The requested range is not satisfiable",
        code="InvalidRange",
        status=416,
        headers={"Content-Range": f"bytes */{size}"},
        extra={"RangeRequested": requested, "ActualObjectSize": str(size)},
    )


def method_not_allowed(method: str, resource_type: str, headers: dict[str, str]) -> AwsError:
    return AwsError(
        "The specified method is not allowed against this resource.",
        code="MethodNotAllowed",
        status=405,
        headers=headers,
        extra={"Method": method, "ResourceType": resource_type},
    )


def missing_content_length() -> AwsError:
    return AwsError("You must provide the Content-Length HTTP header.", code="MissingContentLength", status=411)


def incomplete_body() -> AwsError:
    return AwsError(
        "The request body terminated unexpectedly: it has not the number of bytes that its headers promise",
        code="IncompleteBody",
    )


def entity_too_large(size: int, limit: int) -> AwsError:
    return AwsError(
        "Your proposed upload exceeds the maximum allowed size",
        code="EntityTooLarge",
        extra={"ProposedSize": str(size), "MaxSizeAllowed": str(limit)},
    )


def bad_digest(what: str, expected: str, calculated: str) -> AwsError:
    return AwsError(what, code="BadDigest", extra={"ExpectedDigest": expected, "CalculatedDigest": calculated})


def acl_not_supported() -> AwsError:
    return AwsError("The bucket does not allow ACLs", code="AccessControlListNotSupported")
