"""The clients that people use, unchanged: boto3's resources and transfers, AWS CLI, s3fs, pandas, pyarrow."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
import pandas
import pyarrow
import pyarrow.dataset
import pyarrow.fs
import pyarrow.parquet
import pytest
import s3fs
from boto3.s3.transfer import TransferConfig

from tests.emulator.services.s3.conftest import ACCOUNT, Server

MIB = 1 << 20


def test_transfers_in_parts(s3: Any, bucket: str, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(os.urandom(17 * MIB + 5))
    config = TransferConfig(multipart_threshold=5 * MIB, multipart_chunksize=5 * MIB, max_concurrency=4)
    s3.upload_file(str(source), bucket, "k", Config=config)
    assert s3.head_object(Bucket=bucket, Key="k")["ETag"].endswith('-4"')
    s3.download_file(bucket, "k", str(tmp_path / "got"), Config=config)
    assert (tmp_path / "got").read_bytes() == source.read_bytes()
    s3.copy({"Bucket": bucket, "Key": "k"}, bucket, "copy", Config=config)
    assert s3.get_object(Bucket=bucket, Key="copy")["Body"].read() == source.read_bytes()


def test_resources(server: Server, bucket: str) -> None:
    resource = boto3.Session().resource("s3", **server.connection())
    box = resource.Bucket(bucket)
    for number in range(3):
        box.put_object(Key=f"k{number}", Body=b"x")
    assert [summary.key for summary in box.objects.all()] == ["k0", "k1", "k2"]
    assert box.Object("k1").get()["Body"].read() == b"x"
    box.objects.all().delete()
    assert list(box.objects.all()) == []
    resource.meta.client.close()


def test_many_writers_and_readers_at_once(server: Server, s3: Any, bucket: str) -> None:
    def work(number: int) -> bool:
        body = os.urandom(100_000)
        s3.put_object(Bucket=bucket, Key=f"k{number % 5}", Body=body)
        got: bytes = s3.get_object(Bucket=bucket, Key=f"k{number % 5}")["Body"].read()
        s3.put_object(Bucket=bucket, Key=f"own{number}", Body=body)
        return len(got) == 100_000 and s3.get_object(Bucket=bucket, Key=f"own{number}")["Body"].read() == body

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(60)))


@pytest.fixture
def files(server: Server) -> Iterator[s3fs.S3FileSystem]:
    s3fs.S3FileSystem.clear_instance_cache()
    files = s3fs.S3FileSystem(
        key=ACCOUNT, secret="secret", client_kwargs={"endpoint_url": server.url, "region_name": "us-east-1"}
    )
    yield files
    s3fs.S3FileSystem.clear_instance_cache()


def test_s3fs(files: s3fs.S3FileSystem, bucket: str) -> None:
    with files.open(f"{bucket}/dir/a.txt", "wb") as file:
        file.write(b"hello")
    with files.open(f"{bucket}/dir/large", "wb", block_size=5 * MIB) as file:
        file.write(b"x" * (11 * MIB))
    assert files.cat(f"{bucket}/dir/a.txt") == b"hello"
    assert files.info(f"{bucket}/dir/large")["size"] == 11 * MIB
    assert sorted(files.ls(f"{bucket}/dir")) == [f"{bucket}/dir/a.txt", f"{bucket}/dir/large"]
    assert files.exists(f"{bucket}/dir/a.txt")
    assert not files.exists(f"{bucket}/dir/b.txt")
    files.copy(f"{bucket}/dir/a.txt", f"{bucket}/b.txt")
    files.rm(f"{bucket}/dir", recursive=True)
    files.invalidate_cache()
    assert files.find(bucket) == [f"{bucket}/b.txt"]


@pytest.mark.filterwarnings("ignore:Your installed version of s3fs")
def test_pandas(server: Server, bucket: str) -> None:
    options = {"key": ACCOUNT, "secret": "secret", "client_kwargs": {"endpoint_url": server.url}}
    frame = pandas.DataFrame({"a": [1, 2], "b": ["x", "ü"]})
    frame.to_csv(f"s3://{bucket}/f.csv", index=False, storage_options=options)
    frame.to_parquet(f"s3://{bucket}/f.parquet", storage_options=options)
    assert pandas.read_csv(f"s3://{bucket}/f.csv", storage_options=options).equals(frame)
    assert pandas.read_parquet(f"s3://{bucket}/f.parquet", storage_options=options).equals(frame)


def test_pyarrow(server: Server, s3: Any, bucket: str) -> None:
    files = pyarrow.fs.S3FileSystem(
        access_key=ACCOUNT,
        secret_key="secret",
        region="us-east-1",
        scheme="http",
        endpoint_override=f"127.0.0.1:{server.port}",
    )
    table = pyarrow.table({"a": list(range(1000)), "p": [str(n % 3) for n in range(1000)]})
    pyarrow.parquet.write_table(table, f"{bucket}/t.parquet", filesystem=files)
    assert pyarrow.parquet.read_table(f"{bucket}/t.parquet", filesystem=files).equals(table)
    pyarrow.dataset.write_dataset(table, f"{bucket}/set", format="parquet", partitioning=["p"], filesystem=files)
    assert pyarrow.dataset.dataset(f"{bucket}/set", filesystem=files, partitioning=["p"]).count_rows() == 1000
    with files.open_output_stream(f"{bucket}/large") as stream:
        stream.write(b"y" * (12 * MIB))
    assert files.get_file_info(f"{bucket}/large").size == 12 * MIB
    files.create_dir(f"{bucket}/empty")
    found = files.get_file_info(pyarrow.fs.FileSelector(bucket, recursive=False))
    assert sorted(info.base_name for info in found) == ["empty", "large", "set", "t.parquet"]
    files.delete_dir(f"{bucket}/set")
    assert files.get_file_info(f"{bucket}/set").type == pyarrow.fs.FileType.NotFound


AWS = shutil.which("aws")


@pytest.mark.skipif(AWS is None, reason="the AWS CLI is not installed; its calls are boto3's, tested above")
def test_aws_cli(server: Server, s3: Any, bucket: str, tmp_path: Path) -> None:
    def aws(*arguments: str) -> str:
        environment = os.environ | {
            "AWS_ENDPOINT_URL": server.url,
            "AWS_ACCESS_KEY_ID": ACCOUNT,
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_DEFAULT_REGION": "us-east-1",
        }
        done = subprocess.run([AWS or "", *arguments], env=environment, capture_output=True, text=True, check=True)
        return done.stdout

    source = tmp_path / "source"
    source.mkdir()
    (source / "a.txt").write_bytes(b"hello")
    (source / "large").write_bytes(os.urandom(9 * MIB))
    aws("s3", "sync", str(source), f"s3://{bucket}/data")
    assert "data/" in aws("s3", "ls", f"s3://{bucket}")
    aws("s3", "cp", "--recursive", f"s3://{bucket}/data", str(tmp_path / "got"))
    assert (tmp_path / "got" / "large").read_bytes() == (source / "large").read_bytes()
    aws("s3", "rm", "--recursive", f"s3://{bucket}/data")
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)
