from __future__ import annotations

import pytest

from emulator.aws.operations import find
from emulator.aws.service_models import service_model
from emulator.gateway.registry import load_services
from emulator.services.s3.addressing import Address
from emulator.services.s3.routing import find_operation

SERVICE, BUCKET, OBJECT = Address("", ""), Address("b", ""), Address("b", "k")


@pytest.mark.parametrize(
    ("method", "address", "query", "headers", "expected"),
    [
        ("GET", SERVICE, {}, {}, "ListBuckets"),
        ("GET", BUCKET, {}, {}, "ListObjects"),
        ("GET", BUCKET, {"list-type": "2", "prefix": "x"}, {}, "ListObjectsV2"),
        ("GET", BUCKET, {"list-type": "1"}, {}, "ListObjects"),
        ("GET", BUCKET, {"versions": ""}, {}, "ListObjectVersions"),
        ("GET", BUCKET, {"uploads": ""}, {}, "ListMultipartUploads"),
        ("GET", BUCKET, {"location": ""}, {}, "GetBucketLocation"),
        ("GET", BUCKET, {"lifecycle": ""}, {}, "GetBucketLifecycleConfiguration"),
        ("GET", BUCKET, {"analytics": "", "id": "1"}, {}, "GetBucketAnalyticsConfiguration"),
        ("GET", BUCKET, {"analytics": ""}, {}, "ListBucketAnalyticsConfigurations"),
        ("PUT", BUCKET, {}, {}, "CreateBucket"),
        ("PUT", BUCKET, {"tagging": ""}, {}, "PutBucketTagging"),
        ("POST", BUCKET, {"delete": ""}, {}, "DeleteObjects"),
        ("POST", BUCKET, {}, {}, None),
        ("GET", OBJECT, {}, {}, "GetObject"),
        ("GET", OBJECT, {"x-id": "GetObject", "versionId": "1"}, {}, "GetObject"),
        ("GET", OBJECT, {"uploadId": "1"}, {}, "ListParts"),
        ("GET", OBJECT, {"attributes": ""}, {}, "GetObjectAttributes"),
        ("GET", OBJECT, {"tagging": ""}, {}, "GetObjectTagging"),
        ("HEAD", OBJECT, {}, {}, "HeadObject"),
        ("PUT", OBJECT, {}, {}, "PutObject"),
        ("PUT", OBJECT, {}, {"x-amz-copy-source": "b/k"}, "CopyObject"),
        ("PUT", OBJECT, {"partNumber": "1", "uploadId": "1"}, {}, "UploadPart"),
        ("PUT", OBJECT, {"partNumber": "1", "uploadId": "1"}, {"x-amz-copy-source": "b/k"}, "UploadPartCopy"),
        ("POST", OBJECT, {"uploads": ""}, {}, "CreateMultipartUpload"),
        ("POST", OBJECT, {"uploadId": "1"}, {}, "CompleteMultipartUpload"),
        ("DELETE", OBJECT, {}, {}, "DeleteObject"),
        ("DELETE", OBJECT, {"uploadId": "1"}, {}, "AbortMultipartUpload"),
        ("PATCH", OBJECT, {}, {}, None),
    ],
)
def test_the_operation_of_a_request(
    method: str, address: Address, query: dict[str, str], headers: dict[str, str], expected: str | None
) -> None:
    assert find_operation(method, address, query, headers) == expected


def test_what_is_registered_are_operations_of_s3() -> None:
    load_services()
    known = set(service_model("s3").operation_names)
    served = {name for name in known if find("s3", name)}
    assert {"PutObject", "GetObject", "CompleteMultipartUpload", "ListObjectVersions"} <= served
    assert len(served) > 50
