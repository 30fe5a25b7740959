from __future__ import annotations

import errno
import hashlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from emulator.aws.errors import AwsError, InternalFailure, ValidationException
from emulator.store import blobs as blobs_module
from emulator.store.object_errors import is_disk_full
from emulator.store.objects import ObjectStore, parse_s3_uri
from emulator.store.resources import Scope

SCOPE = Scope("123456789012", "us-east-1")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ObjectStore]:
    store = ObjectStore(tmp_path / "objects")
    assert store.create_bucket(SCOPE, "bucket")
    yield store
    store.close()


def blob_count(store: ObjectStore) -> int:
    return sum(1 for _ in (store.root / "blobs").glob("*/*"))


def test_bytes_come_back(store: ObjectStore) -> None:
    stored = store.put_bytes("bucket", "a/b", b"hello", content_type="text/plain", metadata={"k": "v"})
    assert (stored.size, stored.etag) == (5, hashlib.md5(b"hello").hexdigest())
    assert (stored.content_type, stored.metadata, stored.version_id) == ("text/plain", {"k": "v"}, None)
    assert abs(stored.last_modified - time.time()) < 60
    assert store.head("bucket", "a/b") == stored
    assert store.read("bucket", "a/b") == b"hello"
    with store.open(stored) as file:
        assert file.read(2) == b"he"


def test_missing_things(store: ObjectStore) -> None:
    assert store.head("bucket", "missing") is None
    assert store.bucket("missing") is None
    with pytest.raises(AwsError, match="key does not exist"):
        store.read("bucket", "missing")
    with pytest.raises(AwsError, match="bucket does not exist"):
        store.read("missing", "missing")
    with pytest.raises(AwsError, match="bucket does not exist"):
        store.put_bytes("missing", "k", b"")
    with pytest.raises(AwsError, match="bucket does not exist"):
        store.list_objects("missing")
    assert blob_count(store) == 0


@pytest.mark.parametrize("take", [True, False])
def test_a_file_is_stored(store: ObjectStore, tmp_path: Path, take: bool) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"x" * 3_000_000)
    stored = store.put_file("bucket", "k", source, take=take)
    assert stored.etag == hashlib.md5(b"x" * 3_000_000).hexdigest()
    assert source.exists() is not take
    assert store.read("bucket", "k") == b"x" * 3_000_000


@pytest.mark.parametrize("take", [True, False])
def test_a_symbolic_link_is_refused(store: ObjectStore, tmp_path: Path, take: bool) -> None:
    (tmp_path / "link").symlink_to("/etc/hostname")
    with pytest.raises(ValueError, match="cannot be stored as an object"):
        store.put_file("bucket", "k", tmp_path / "link", take=take)
    assert blob_count(store) == 0


def test_a_file_for_a_missing_bucket_stays_where_it_is(store: ObjectStore, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"x")
    with pytest.raises(AwsError, match="bucket does not exist"):
        store.put_file("missing", "k", source, take=True)
    assert source.read_bytes() == b"x"


def test_a_file_survives_a_crash_before_its_object_counts(
    store: ObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Crash(BaseException):
        pass

    def crash(*_: object) -> None:
        raise Crash

    source = tmp_path / "source"
    source.write_bytes(b"x")
    with monkeypatch.context() as patch:
        patch.setattr(store, "commit", crash)
        with pytest.raises(Crash):
            store.put_file("bucket", "k", source, take=True)
    assert store.put_file("bucket", "k", source, take=True).size == 1
    assert store.read("bucket", "k") == b"x"
    assert not source.exists()


def test_a_file_that_became_an_object_before_a_crash_makes_no_second_version(
    store: ObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Crash(BaseException):
        pass

    def crash(*_: object) -> None:
        raise Crash

    source = tmp_path / "source"
    source.write_bytes(b"x")
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", crash)
        with pytest.raises(Crash):
            store.put_file("bucket", "k", source, take=True)
    first = store.head("bucket", "k")
    assert store.put_file("bucket", "k", source, take=True) == first
    assert not source.exists()


def test_an_object_whose_content_is_gone_is_an_error_and_not_an_endless_search(store: ObjectStore) -> None:
    stored = store.put_bytes("bucket", "key", b"content")
    Path(store.blobs.path(stored.blob)).unlink()
    with pytest.raises(InternalFailure, match="s3://bucket/key is missing"):
        store.read("bucket", "key")


def test_replacing_removes_the_old_blob_once_nobody_reads_it(store: ObjectStore) -> None:
    old = store.put_bytes("bucket", "k", b"old")
    with store.open(old) as file:
        store.put_bytes("bucket", "k", b"new")
        assert file.read() == b"old"
    assert blob_count(store) == 1
    with pytest.raises(AwsError, match="key does not exist"):
        store.open(old)


def test_listing(store: ObjectStore) -> None:
    for key in ("b", "a", "a/1", "a/2", "ü", "z"):
        store.put_bytes("bucket", key, b"")
    assert [stored.key for stored in store.list_objects("bucket")] == ["a", "a/1", "a/2", "b", "z", "ü"]
    assert [stored.key for stored in store.list_objects("bucket", "a/")] == ["a/1", "a/2"]
    assert [stored.key for stored in store.list_objects("bucket", start_after="a/1", limit=2)] == ["a/2", "b"]


def test_buckets_belong_to_accounts(store: ObjectStore) -> None:
    other = Scope("999999999999", "eu-west-1")
    assert not store.create_bucket(other, "bucket")
    assert store.create_bucket(other, "others-bucket")
    assert [bucket.name for bucket in store.buckets(SCOPE.account)] == ["bucket"]
    assert [(bucket.name, bucket.region) for bucket in store.buckets("999999999999")] == [
        ("others-bucket", "eu-west-1")
    ]


def test_a_bucket_with_objects_is_not_deleted(store: ObjectStore) -> None:
    store.put_bytes("bucket", "k", b"")
    with pytest.raises(AwsError) as caught:
        store.delete_bucket("bucket")
    assert caught.value.code == "BucketNotEmpty"
    store.delete("bucket", "k")
    store.delete_bucket("bucket")
    assert store.bucket("bucket") is None


def test_everything_is_there_after_a_restart(store: ObjectStore) -> None:
    store.put_bytes("bucket", "k", b"data", metadata={"a": "b"})
    again = ObjectStore(store.root)
    stored = again.head("bucket", "k")
    assert stored is not None
    assert (stored.metadata, again.read("bucket", "k")) == ({"a": "b"}, b"data")
    again.close()


def test_orphans_are_swept_at_the_next_start(store: ObjectStore) -> None:
    store.put_bytes("bucket", "k", b"data")
    with store.blobs.create() as writer:
        writer.write(b"orphan")
        writer.finish()
    assert blob_count(store) == 2
    ObjectStore(store.root).close()
    assert blob_count(store) == 1
    assert store.read("bucket", "k") == b"data"


def test_a_full_disk_stores_nothing(store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(file: int, data: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(blobs_module.os, "write", full)
        with pytest.raises(OSError, match="No space left") as caught:
            store.put_bytes("bucket", "k", b"data")
    assert is_disk_full(caught.value)
    assert blob_count(store) == 0
    assert store.head("bucket", "k") is None


def test_a_full_index_stores_nothing(store: ObjectStore) -> None:
    pages = store.database.read("PRAGMA page_count")[0][0]
    store.database.connection.execute(f"PRAGMA max_page_count = {pages}")
    store.put_bytes("bucket", "k", b"before")
    with pytest.raises(Exception, match="full") as caught:
        for number in range(1000):
            store.put_bytes("bucket", "x" * 900 + str(number), b"data")
    assert is_disk_full(caught.value)
    store.database.connection.execute("PRAGMA max_page_count = 1000000")
    assert store.read("bucket", "k") == b"before"
    assert blob_count(store) == len(store.list_objects("bucket"))


def test_threads_may_write_and_read_the_same_keys(store: ObjectStore) -> None:
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for turn in range(40):
                data = f"{number}-{turn}".encode() * 100
                store.put_bytes("bucket", f"k{turn % 3}", data)
                assert len(store.read("bucket", f"k{turn % 3}")) >= 300
        except BaseException as error:  # noqa: BLE001 - reported by the test
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert blob_count(store) == 3


_WRITER = """
import sys, threading
from pathlib import Path
from emulator.store.objects import ObjectStore
store = ObjectStore(Path(sys.argv[1]))
def work(number):
    turn = 0
    while True:
        key = f"{number}/{turn % 50}"
        store.put_bytes("bucket", key, f"{key}:{turn}:".encode() * 1000)
        sys.stdout.write(f"{key} {turn}\\n"); sys.stdout.flush()
        turn += 1
for number in range(4):
    threading.Thread(target=work, args=(number,)).start()
"""


@pytest.mark.parametrize("seconds", [0.3, 0.7])
def test_kill_9_loses_nothing_that_was_acknowledged(store: ObjectStore, tmp_path: Path, seconds: float) -> None:
    acknowledged = tmp_path / "acknowledged"
    with acknowledged.open("wb") as output:
        writer = subprocess.Popen([sys.executable, "-c", _WRITER, str(store.root)], stdout=output)
        while acknowledged.stat().st_size == 0:
            time.sleep(0.01)
        time.sleep(seconds)
        writer.send_signal(signal.SIGKILL)
        writer.wait()
    again = ObjectStore(store.root)
    newest = {key: int(turn) for key, turn in map(str.split, acknowledged.read_text().splitlines()[:-1])}
    for key, turn in newest.items():
        found, _, rest = again.read("bucket", key).decode().partition(":")
        assert found == key
        assert int(rest.partition(":")[0]) >= turn
    again.close()
    assert len(newest) > 4
    assert blob_count(store) == len(store.list_objects("bucket"))


def test_uris() -> None:
    assert parse_s3_uri("s3://bucket/a/b") == ("bucket", "a/b")
    assert parse_s3_uri("s3://bucket") == ("bucket", "")
    assert parse_s3_uri("s3://bucket/") == ("bucket", "")
    for host in ("s3", "s3.eu-west-1", "s3-eu-west-1", "s3.dualstack.us-gov-west-1"):
        assert parse_s3_uri(f"https://my.bucket.{host}.amazonaws.com/a/b%20c") == ("my.bucket", "a/b c")
        assert parse_s3_uri(f"https://{host}.amazonaws.com/bucket/a/b") == ("bucket", "a/b")
    assert parse_s3_uri("https://bucket.s3.cn-north-1.amazonaws.com.cn") == ("bucket", "")
    for wrong in (
        "bucket/key",
        "https://bucket/key",
        "https://bucket.example.com/key",
        "http://b.s3.amazonaws.com/key",
        "s3://",
        "s3:///key",
        "",
    ):
        with pytest.raises(ValidationException, match="Invalid S3 URI"):
            parse_s3_uri(wrong)
