"""Which bucket and key a request means: by path, or by host name (Amazon S3 User Guide, "Virtual hosting")."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from emulator.services.s3.errors import invalid_uri
from emulator.store.object_errors import invalid_bucket_name

_VIRTUAL_HOST = re.compile(
    r"(?P<bucket>.+?)\."
    r"(?:(?:s3[.-])?localhost|s3\.localhost\..+"
    r"|s3(?:[.-](?:dualstack|fips|accelerate|[a-z]{2}(?:-[a-z]+)+-\d))*\.amazonaws\.com(?:\.cn)?)"
)


@dataclass(frozen=True, slots=True)
class Address:
    """``bucket`` and ``key`` are empty where the request names none."""

    bucket: str
    key: str

    @property
    def resource(self) -> str:
        """The path of the resource as error documents print it."""
        return f"/{self.bucket}/{self.key}" if self.key else f"/{self.bucket}"


def parse_address(host: str, raw_path: bytes) -> Address:
    """The address in a request.

    The path is taken as sent, since ``//``, ``.`` and ``..`` are ordinary characters of a key.

    Raises:
        AwsError: InvalidURI: the path is not UTF-8; InvalidBucketName: it has a key but no bucket.
    """
    name = host.rpartition(":")[0] if re.search(r":\d+$", host) else host
    path = raw_path.partition(b"?")[0].removeprefix(b"/")
    found = _VIRTUAL_HOST.fullmatch(name.lower())
    if found and found["bucket"] != "s3":
        return Address(found["bucket"], _decode(path))
    bucket, _, key = path.partition(b"/")
    if key and not bucket:
        raise invalid_bucket_name("")
    return Address(_decode(bucket), _decode(key))


def _decode(text: bytes) -> str:
    try:
        return unquote_to_bytes(text).decode()
    except UnicodeDecodeError as error:
        raise invalid_uri() from error
