"""Tag sets: in headers, in requests, and their limits (Amazon S3 User Guide, "Object tagging", "Bucket tagging")."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from urllib.parse import parse_qsl

from emulator.aws.errors import AwsError

MAX_OBJECT_TAGS = 10
MAX_BUCKET_TAGS = 50
_MAX_KEY, _MAX_VALUE = 128, 256


def parse_header(text: str) -> dict[str, str]:
    """Tags of an ``x-amz-tagging`` header, encoded as a query string.

    Raises:
        AwsError: InvalidTag, BadRequest, InvalidArgument.
    """
    pairs = parse_qsl(text, keep_blank_values=True)
    if not pairs and text:
        raise AwsError(
            "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name"
            " duplicates.",
            code="InvalidArgument",
        )
    return _checked(pairs, MAX_OBJECT_TAGS, "Object tags")


def parse_set(tags: Iterable[Mapping[str, str]], limit: int, what: str) -> dict[str, str]:
    """Tags of a ``TagSet``; ``what`` begins the sentence about too many.

    Raises:
        AwsError: InvalidTag, BadRequest.
    """
    return _checked([(tag["Key"], tag["Value"]) for tag in tags], limit, what)


def tag_set(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _checked(pairs: list[tuple[str, str]], limit: int, what: str) -> dict[str, str]:
    if len(pairs) > limit:
        raise AwsError(f"{what} cannot be greater than {limit}", code="BadRequest")
    tags = dict(pairs)
    if len(tags) < len(pairs):
        raise _invalid("Cannot provide multiple Tags with the same key")
    for key, value in pairs:
        if not 1 <= len(key) <= _MAX_KEY:
            raise _invalid("The TagKey you have provided is invalid", key)
        if len(value) > _MAX_VALUE:
            raise _invalid("The TagValue you have provided is invalid", key)
        if key.lower().startswith("aws:"):
            raise _invalid("System tags cannot be added/updated by requester", key)
    return tags


def _invalid(message: str, key: str = "") -> AwsError:
    return AwsError(message, code="InvalidTag", extra={"TagKey": key} if key else {})
