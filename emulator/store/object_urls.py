"""Objects by their web address, which SageMaker takes wherever it takes an S3 URI (API Reference: the pattern of S3Uri
and ModelDataUrl is ``(https|s3)://…``). The forms are those of the Amazon S3 User Guide, "Virtual hosting of buckets".
"""

from __future__ import annotations

import re
from urllib.parse import unquote

_ENDPOINT = r"s3(?:[.-](?:dualstack|fips|[a-z]{2}(?:-[a-z]+)+-\d))*\.amazonaws\.com(?:\.cn)?"
_VIRTUAL = re.compile(rf"https://(?P<bucket>[^/]+?)\.{_ENDPOINT}(?:/(?P<key>.*))?", re.DOTALL)
_PATH = re.compile(rf"https://{_ENDPOINT}/(?P<bucket>[^/]+)(?:/(?P<key>.*))?", re.DOTALL)


def parse_object_url(url: str) -> tuple[str, str] | None:
    """``("bucket", "some/key")`` of ``https://bucket.s3.eu-west-1.amazonaws.com/some/key``; None if it is no such URL.

    The bucket may also be the first part of the path; the key may be empty.
    """
    found = _PATH.fullmatch(url) or _VIRTUAL.fullmatch(url)
    return (found["bucket"], unquote(found["key"] or "")) if found else None
