from __future__ import annotations

import base64
import hashlib
import zlib
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.emulator.services.s3.conftest import Server, error_of

MIB = 1 << 20
PARTS = [b"a" * (5 * MIB), b"b" * (5 * MIB), b"c" * 1000]


def upload_parts(
    s3: Any, bucket: str, key: str, parts: list[bytes], **options: Any
) -> tuple[str, list[dict[str, Any]]]:
    upload = s3.create_multipart_upload(Bucket=bucket, Key=key, **options)["UploadId"]
    done = []
    same = {name: value for name, value in options.items() if name == "ChecksumAlgorithm"}
    for number, data in enumerate(parts, 1):
        answer = s3.upload_part(Bucket=bucket, Key=key, UploadId=upload, PartNumber=number, Body=data, **same)
        done.append({"PartNumber": number, "ETag": answer["ETag"]})
    return upload, done


def complete(s3: Any, bucket: str, key: str, upload: str, parts: list[dict[str, Any]], **options: Any) -> Any:
    return s3.complete_multipart_upload(
        Bucket=bucket, Key=key, UploadId=upload, MultipartUpload={"Parts": parts}, **options
    )


def test_parts_become_one_object(s3: Any, bucket: str) -> None:
    upload, parts = upload_parts(s3, bucket, "k", PARTS, ContentType="text/plain", Metadata={"a": "b"}, Tagging="t=1")
    done = complete(s3, bucket, "k", upload, parts)
    digest = hashlib.md5(b"".join(hashlib.md5(part).digest() for part in PARTS)).hexdigest()
    assert done["ETag"] == f'"{digest}-3"'
    assert (done["Bucket"], done["Key"]) == (bucket, "k")
    got = s3.get_object(Bucket=bucket, Key="k")
    assert got["Body"].read() == b"".join(PARTS)
    assert (got["ContentType"], got["Metadata"], got["TagCount"]) == ("text/plain", {"a": "b"}, 1)
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket)


def test_the_composite_checksum_is_that_of_the_parts(s3: Any, bucket: str) -> None:
    upload, parts = upload_parts(s3, bucket, "k", PARTS, ChecksumAlgorithm="CRC32")
    done = complete(s3, bucket, "k", upload, parts)
    joined = b"".join(zlib.crc32(part).to_bytes(4, "big") for part in PARTS)
    expected = base64.b64encode(zlib.crc32(joined).to_bytes(4, "big")).decode() + "-3"
    assert (done["ChecksumCRC32"], done["ChecksumType"]) == (expected, "COMPOSITE")
    attributes = s3.get_object_attributes(Bucket=bucket, Key="k", ObjectAttributes=["ObjectParts", "Checksum"])
    assert attributes["ObjectParts"]["TotalPartsCount"] == 3
    assert [part["Size"] for part in attributes["ObjectParts"]["Parts"]] == [5 * MIB, 5 * MIB, 1000]
    assert attributes["Checksum"]["ChecksumType"] == "COMPOSITE"


@pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "CRC64NVME"])
def test_the_full_object_checksum_is_that_of_the_whole(s3: Any, bucket: str, algorithm: str) -> None:
    upload, parts = upload_parts(s3, bucket, "k", PARTS, ChecksumAlgorithm=algorithm, ChecksumType="FULL_OBJECT")
    done = complete(s3, bucket, "k", upload, parts)
    whole = s3.put_object(Bucket=bucket, Key="whole", Body=b"".join(PARTS), ChecksumAlgorithm=algorithm)
    assert done[f"Checksum{algorithm}"] == whole[f"Checksum{algorithm}"]
    assert done["ChecksumType"] == "FULL_OBJECT"


def test_wrong_lists_of_parts(s3: Any, bucket: str) -> None:
    upload, parts = upload_parts(s3, bucket, "k", PARTS)
    for wrong, code in (
        ([parts[1], parts[0]], "InvalidPartOrder"),
        ([parts[0], {"PartNumber": 9, "ETag": parts[0]["ETag"]}], "InvalidPart"),
        ([{"PartNumber": 1, "ETag": parts[1]["ETag"]}], "InvalidPart"),
        ([], "MalformedXML"),
    ):
        with pytest.raises(ClientError) as caught:
            complete(s3, bucket, "k", upload, wrong)
        assert error_of(caught) == (code, 400)
    assert complete(s3, bucket, "k", upload, parts)["ETag"].endswith('-3"')


def test_only_the_last_part_may_be_small(s3: Any, bucket: str) -> None:
    upload, parts = upload_parts(s3, bucket, "k", [b"small", b"last"])
    with pytest.raises(ClientError) as caught:
        complete(s3, bucket, "k", upload, parts)
    assert error_of(caught) == ("EntityTooSmall", 400)
    assert complete(s3, bucket, "k", upload, parts[:1])["ETag"]
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"small"


def test_a_part_can_be_sent_again(s3: Any, bucket: str) -> None:
    upload, _ = upload_parts(s3, bucket, "k", [b"first try"])
    answer = s3.upload_part(Bucket=bucket, Key="k", UploadId=upload, PartNumber=1, Body=b"second try")
    complete(s3, bucket, "k", upload, [{"PartNumber": 1, "ETag": answer["ETag"]}])
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"second try"


def test_an_aborted_upload_is_gone_with_its_blobs(server: Any, s3: Any, bucket: str) -> None:
    upload, parts = upload_parts(s3, bucket, "k", [b"x"])
    blob = server.objects.uploads.parts(upload)[0].blob
    s3.abort_multipart_upload(Bucket=bucket, Key="k", UploadId=upload)
    with pytest.raises(FileNotFoundError):
        server.objects.blobs.open(blob)
    for call in (
        lambda: s3.abort_multipart_upload(Bucket=bucket, Key="k", UploadId=upload),
        lambda: s3.list_parts(Bucket=bucket, Key="k", UploadId=upload),
        lambda: s3.upload_part(Bucket=bucket, Key="k", UploadId=upload, PartNumber=1, Body=b"x"),
        lambda: complete(s3, bucket, "k", upload, parts),
    ):
        with pytest.raises(ClientError) as caught:
            call()
        assert error_of(caught) == ("NoSuchUpload", 404)


def test_part_numbers_have_limits(s3: Any, bucket: str) -> None:
    upload = s3.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"]
    for number in (0, 10_001):
        with pytest.raises(ClientError) as caught:
            s3.upload_part(Bucket=bucket, Key="k", UploadId=upload, PartNumber=number, Body=b"x")
        assert error_of(caught) == ("InvalidArgument", 400)


def test_parts_are_listed_in_pages(s3: Any, bucket: str) -> None:
    upload, parts = upload_parts(s3, bucket, "k", [b"1", b"22", b"333"], ChecksumAlgorithm="SHA256")
    first = s3.list_parts(Bucket=bucket, Key="k", UploadId=upload, MaxParts=2)
    assert first["IsTruncated"] is True
    assert [part["Size"] for part in first["Parts"]] == [1, 2]
    assert first["ChecksumAlgorithm"] == "SHA256"
    assert first["Parts"][0]["ChecksumSHA256"]
    rest = s3.list_parts(
        Bucket=bucket, Key="k", UploadId=upload, MaxParts=2, PartNumberMarker=first["NextPartNumberMarker"]
    )
    assert [part["ETag"] for part in rest["Parts"]] == [parts[2]["ETag"]]
    assert rest["IsTruncated"] is False


def test_uploads_are_listed_with_prefixes_and_pages(s3: Any, bucket: str) -> None:
    for key in ("a/1", "a/2", "b", "b", "c"):
        s3.create_multipart_upload(Bucket=bucket, Key=key)
    found = s3.list_multipart_uploads(Bucket=bucket, Delimiter="/")
    assert [prefix["Prefix"] for prefix in found["CommonPrefixes"]] == ["a/"]
    assert [upload["Key"] for upload in found["Uploads"]] == ["b", "b", "c"]
    pages = s3.get_paginator("list_multipart_uploads").paginate(Bucket=bucket, PaginationConfig={"PageSize": 2})
    assert [[upload["Key"] for upload in page["Uploads"]] for page in pages] == [["a/1", "a/2"], ["b", "b"], ["c"]]


def test_parts_can_be_copied_from_objects(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="source", Body=PARTS[0] + b"tail")
    source = {"Bucket": bucket, "Key": "source"}
    upload = s3.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"]
    place = {"Bucket": bucket, "Key": "k", "UploadId": upload, "CopySource": source}
    whole = s3.upload_part_copy(**place, PartNumber=1)
    tail = s3.upload_part_copy(**place, PartNumber=2, CopySourceRange=f"bytes={5 * MIB}-{5 * MIB + 3}")
    assert tail["CopyPartResult"]["ETag"] == f'"{hashlib.md5(b"tail").hexdigest()}"'
    parts = [{"PartNumber": n, "ETag": part["CopyPartResult"]["ETag"]} for n, part in ((1, whole), (2, tail))]
    complete(s3, bucket, "k", upload, parts)
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == PARTS[0] + b"tailtail"
    for wrong in ("bytes=-5", "bytes=0-99999999"):
        with pytest.raises(ClientError) as caught:
            s3.upload_part_copy(**(place | {"UploadId": upload}), PartNumber=1, CopySourceRange=wrong)
        assert error_of(caught)[0] in ("InvalidArgument", "InvalidRange", "NoSuchUpload")


def test_a_part_of_an_object_can_be_got(s3: Any, bucket: str) -> None:
    upload, parts = upload_parts(s3, bucket, "k", PARTS)
    complete(s3, bucket, "k", upload, parts)
    got = s3.get_object(Bucket=bucket, Key="k", PartNumber=3)
    assert got["Body"].read() == PARTS[2]
    assert got["PartsCount"] == 3
    assert got["ContentRange"] == f"bytes {10 * MIB}-{10 * MIB + 999}/{10 * MIB + 1000}"
    with pytest.raises(ClientError) as caught:
        s3.get_object(Bucket=bucket, Key="k", PartNumber=4)
    assert error_of(caught) == ("InvalidPartNumber", 416)


def test_the_size_of_the_whole_is_checked(s3: Any, bucket: str) -> None:
    upload, parts = upload_parts(s3, bucket, "k", [b"12345"])
    with pytest.raises(ClientError) as caught:
        complete(s3, bucket, "k", upload, parts, MpuObjectSize=6)
    assert error_of(caught) == ("InvalidRequest", 400)
    complete(s3, bucket, "k", upload, parts, MpuObjectSize=5)


def test_completion_can_demand_that_nothing_is_there(s3: Any, bucket: str) -> None:
    upload, parts = upload_parts(s3, bucket, "k", [b"12345"])
    s3.put_object(Bucket=bucket, Key="k", Body=b"there")
    with pytest.raises(ClientError) as caught:
        complete(s3, bucket, "k", upload, parts, IfNoneMatch="*")
    assert error_of(caught) == ("PreconditionFailed", 412)
    assert s3.list_parts(Bucket=bucket, Key="k", UploadId=upload)["Parts"]


def test_parts_must_have_the_checksum_that_the_upload_began_with(s3: Any, bucket: str) -> None:
    upload = s3.create_multipart_upload(Bucket=bucket, Key="k", ChecksumAlgorithm="SHA256")["UploadId"]
    with pytest.raises(ClientError, match="expected checksum Type: sha256, actual checksum Type: crc32"):
        s3.upload_part(Bucket=bucket, Key="k", UploadId=upload, PartNumber=1, Body=b"x", ChecksumAlgorithm="CRC32")


def test_impossible_checksum_types(s3: Any, bucket: str) -> None:
    for algorithm, kind in (("SHA1", "FULL_OBJECT"), ("CRC64NVME", "COMPOSITE")):
        with pytest.raises(ClientError) as caught:
            s3.create_multipart_upload(Bucket=bucket, Key="k", ChecksumAlgorithm=algorithm, ChecksumType=kind)
        assert error_of(caught) == ("InvalidRequest", 400)


def inode_of_part(server: Any, upload: str) -> int:
    part = server.objects.uploads.parts(upload)[0]
    return Path(server.objects.blobs.path(part.blob)).stat().st_ino


def inode_of(server: Any, bucket: str, key: str) -> int:
    return Path(server.objects.blobs.path(server.objects.require(bucket, key).blob)).stat().st_ino


def test_parts_of_one_size_are_not_copied_in_whatever_order_they_come(server: Any, s3: Any, bucket: str) -> None:
    upload = s3.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"]
    place = {"Bucket": bucket, "Key": "k", "UploadId": upload}
    etags = {n: s3.upload_part(**place, PartNumber=n, Body=PARTS[n - 1])["ETag"] for n in (2, 3, 1)}
    inode = inode_of_part(server, upload)
    before = sum(1 for _ in server.objects.root.glob("blobs/*/*"))
    complete(s3, bucket, "k", upload, [{"PartNumber": n, "ETag": etags[n]} for n in (1, 2, 3)])
    assert inode_of(server, bucket, "k") == inode
    assert sum(1 for _ in server.objects.root.glob("blobs/*/*")) == before
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"".join(PARTS)


@pytest.mark.parametrize("order", [(3, 1, 2), (1, 2, 3, 2), (1, 3, 2, 1, 3)])
def test_parts_that_do_not_fit_together_are_copied(s3: Any, bucket: str, order: tuple[int, ...]) -> None:
    upload = s3.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"]
    place = {"Bucket": bucket, "Key": "k", "UploadId": upload}
    etags = {n: s3.upload_part(**place, PartNumber=n, Body=PARTS[n - 1])["ETag"] for n in order}
    complete(s3, bucket, "k", upload, [{"PartNumber": n, "ETag": etags[n]} for n in (1, 2, 3)])
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"".join(PARTS)


@pytest.mark.parametrize("chosen", [(1, 2), (2, 3), (1, 3), (1,), (3,)])
def test_some_of_the_parts_may_be_left_out(s3: Any, bucket: str, chosen: tuple[int, ...]) -> None:
    upload, parts = upload_parts(s3, bucket, "k", PARTS)
    complete(s3, bucket, "k", upload, [parts[n - 1] for n in chosen])
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"".join(PARTS[n - 1] for n in chosen)


def test_an_upload_goes_on_after_a_refused_completion(s3: Any, bucket: str) -> None:
    upload, parts = upload_parts(s3, bucket, "k", PARTS[:2])
    s3.put_object(Bucket=bucket, Key="k", Body=b"there")
    with pytest.raises(ClientError):
        complete(s3, bucket, "k", upload, parts, IfNoneMatch="*")
    third = s3.upload_part(Bucket=bucket, Key="k", UploadId=upload, PartNumber=3, Body=b"third")
    complete(s3, bucket, "k", upload, [*parts, {"PartNumber": 3, "ETag": third["ETag"]}])
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == PARTS[0] + PARTS[1] + b"third"


def test_an_upload_goes_on_after_a_restart(tmp_path: Path) -> None:
    first = Server(tmp_path)
    client = first.client()
    client.create_bucket(Bucket="restarted")
    upload, parts = upload_parts(client, "restarted", "k", PARTS[:2])
    client.close()
    first.close()
    second = Server(tmp_path)
    client = second.client()
    place = {"Bucket": "restarted", "Key": "k", "UploadId": upload}
    parts[0]["ETag"] = client.upload_part(**place, PartNumber=1, Body=b"d" * (5 * MIB))["ETag"]
    third = client.upload_part(**place, PartNumber=3, Body=b"end")["ETag"]
    complete(client, "restarted", "k", upload, [*parts, {"PartNumber": 3, "ETag": third}])
    got = client.get_object(Bucket="restarted", Key="k")["Body"].read()
    assert got == b"d" * (5 * MIB) + PARTS[1] + b"end"
    client.close()
    second.close()
    assert sum(1 for _ in tmp_path.glob("blobs/*/*")) == 1
