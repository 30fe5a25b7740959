from __future__ import annotations

import pytest

from emulator.services.s3.addressing import parse_address


@pytest.mark.parametrize(
    ("host", "path", "expected"),
    [
        ("127.0.0.1:4570", b"/", ("", "")),
        ("localhost:4570", b"/bucket", ("bucket", "")),
        ("localhost", b"/bucket/", ("bucket", "")),
        ("[::1]:4570", b"/bucket/k", ("bucket", "k")),
        ("localhost", b"/bucket//a/../b", ("bucket", "/a/../b")),
        ("localhost", b"/bucket/a%20b%2Fc+d", ("bucket", "a b/c+d")),
        ("localhost", b"/bucket/%E2%82%AC?x=y", ("bucket", "€")),
        ("s3.us-east-1.amazonaws.com", b"/bucket/k", ("bucket", "k")),
        ("s3.amazonaws.com", b"/bucket/k", ("bucket", "k")),
        ("s3.localhost:4570", b"/bucket/k", ("bucket", "k")),
        ("my.bucket.s3.eu-central-1.amazonaws.com", b"/k", ("my.bucket", "k")),
        ("bucket.s3-eu-west-1.amazonaws.com", b"/k", ("bucket", "k")),
        ("bucket.s3.dualstack.us-west-2.amazonaws.com", b"/k", ("bucket", "k")),
        ("bucket.s3.cn-north-1.amazonaws.com.cn", b"/k", ("bucket", "k")),
        ("bucket.localhost:4570", b"/bucket/k", ("bucket", "bucket/k")),
        ("bucket.s3.localhost:4570", b"/", ("bucket", "")),
        ("BUCKET.localhost", b"/K", ("bucket", "K")),
    ],
)
def test_bucket_and_key(host: str, path: bytes, expected: tuple[str, str]) -> None:
    address = parse_address(host, path)
    assert (address.bucket, address.key) == expected
