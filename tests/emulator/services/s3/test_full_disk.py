from __future__ import annotations

import errno
import os
from typing import Any

import pytest
from botocore.exceptions import ClientError

from emulator.store import blobs
from tests.emulator.services.s3.conftest import Server, error_of


def full(file: int, data: bytes) -> int:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("size", [5, 5_000_000])
def test_a_put_on_a_full_disk_says_so_and_leaves_nothing(
    server: Server, s3: Any, bucket: str, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"before")
    files = sorted(server.objects.root.glob("blobs/*/*"))
    with monkeypatch.context() as patch:
        patch.setattr(blobs.os, "write", full)
        with pytest.raises(ClientError, match=r"data folder .* is full; nothing was stored. Free some space") as caught:
            s3.put_object(Bucket=bucket, Key="k", Body=b"x" * size)
        assert error_of(caught) == ("InsufficientStorage", 507)
    assert sorted(server.objects.root.glob("blobs/*/*")) == files
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"before"


def test_a_part_on_a_full_disk_can_be_sent_again(s3: Any, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    place = {"Bucket": bucket, "Key": "k", "UploadId": s3.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"]}
    with monkeypatch.context() as patch:
        patch.setattr(blobs.os, "write", full)
        with pytest.raises(ClientError) as caught:
            s3.upload_part(**place, PartNumber=1, Body=b"x" * 3_000_000)
        assert error_of(caught) == ("InsufficientStorage", 507)
    part = s3.upload_part(**place, PartNumber=1, Body=b"x" * 3_000_000)
    s3.complete_multipart_upload(**place, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]})
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"x" * 3_000_000
