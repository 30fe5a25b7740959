from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from emulator.aws.errors import AwsError, ValidationException
from emulator.store.objects import ObjectStore
from emulator.store.resources import Scope


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ObjectStore]:
    store = ObjectStore(tmp_path / "objects")
    store.create_bucket(Scope("123456789012", "us-east-1"), "bucket")
    yield store
    store.close()


def link(store: ObjectStore, into: Path, *keys: str) -> None:
    store.link([(store.put_bytes("bucket", key, key.encode()), key) for key in keys], into)


def test_objects_become_files_without_being_copied(store: ObjectStore, tmp_path: Path) -> None:
    link(store, tmp_path / "farm", "a", "dir/b", "dir/deep/c")
    assert (tmp_path / "farm/dir/deep/c").read_bytes() == b"dir/deep/c"
    stored = store.require("bucket", "a")
    assert (tmp_path / "farm/a").stat().st_ino == Path(store.blobs.path(stored.blob)).stat().st_ino


def test_a_copy_is_the_callers_own(store: ObjectStore, tmp_path: Path) -> None:
    stored = store.put_bytes("bucket", "dir/a", b"x")
    store.copy([(stored, "dir/a")], tmp_path / "own")
    (tmp_path / "own/dir/a").write_bytes(b"changed")
    assert store.read("bucket", "dir/a") == b"x"
    with pytest.raises(ValidationException, match="another object takes"):
        store.copy([(stored, "dir/a")], tmp_path / "own")


def test_a_linked_file_outlives_its_object(store: ObjectStore, tmp_path: Path) -> None:
    link(store, tmp_path / "farm", "a")
    store.delete("bucket", "a")
    assert (tmp_path / "farm/a").read_bytes() == b"a"


@pytest.mark.parametrize("path", ["../a", "a/../../b", "a/..", "..", "."])
def test_no_path_leaves_the_folder(store: ObjectStore, tmp_path: Path, path: str) -> None:
    stored = store.put_bytes("bucket", "k", b"x")
    with pytest.raises(ValidationException, match=r"s3://bucket/k .* leaves the folder"):
        store.link([(stored, path)], tmp_path / "farm")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["farm", "objects"]


@pytest.mark.parametrize("path", ["/a", "//a", "./a", "a"])
def test_a_leading_slash_stays_inside(store: ObjectStore, tmp_path: Path, path: str) -> None:
    store.link([(store.put_bytes("bucket", "k", b"x"), path)], tmp_path / "farm")
    assert (tmp_path / "farm/a").read_bytes() == b"x"


def test_folder_markers_become_folders(store: ObjectStore, tmp_path: Path) -> None:
    store.link([(store.put_bytes("bucket", "k", b""), "dir/")], tmp_path / "farm")
    assert (tmp_path / "farm/dir").is_dir()
    with pytest.raises(ValidationException, match="ends with '/'"):
        store.link([(store.put_bytes("bucket", "k", b"x"), "dir/")], tmp_path / "farm")


@pytest.mark.parametrize("keys", [("a", "a/b"), ("a/b", "a"), ("a/b", "a//b")])
def test_paths_that_cannot_live_together(store: ObjectStore, tmp_path: Path, keys: tuple[str, str]) -> None:
    with pytest.raises(ValidationException, match="another object takes"):
        link(store, tmp_path / "farm", *keys)


def test_a_name_that_is_too_long(store: ObjectStore, tmp_path: Path) -> None:
    for key in ("x" * 300, "x" * 300 + "/y"):
        with pytest.raises(ValidationException, match="cannot be a file: File name too long"):
            link(store, tmp_path / "farm", key)


def test_an_object_replaced_meanwhile_is_linked_as_it_is_now(store: ObjectStore, tmp_path: Path) -> None:
    old = store.put_bytes("bucket", "k", b"old")
    store.put_bytes("bucket", "k", b"new")
    store.link([(old, "k")], tmp_path / "farm")
    assert (tmp_path / "farm/k").read_bytes() == b"new"
    store.delete("bucket", "k")
    with pytest.raises(AwsError, match="key does not exist"):
        store.link([(old, "again")], tmp_path / "farm")
