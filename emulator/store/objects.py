"""The object store: buckets of immutable blobs under keys, indexed in SQLite.

An acknowledged write survives the death of the process: the blob is complete before one transaction makes a row name
it, and a blob that no row names is swept at the next start.
"""

from __future__ import annotations

import io
import os
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, TypeVar

from emulator.aws.errors import InternalFailure, ValidationException
from emulator.store import blobs, buckets, link_farm, multipart, object_events, stored_objects
from emulator.store.assemblies import Assemblies
from emulator.store.blobs import Blobs
from emulator.store.buckets import Bucket, Buckets
from emulator.store.contents import hash_content
from emulator.store.database import Database
from emulator.store.listing import ListPage, ListQuery, list_latest, list_page
from emulator.store.multipart import Uploads
from emulator.store.object_errors import no_such_key
from emulator.store.object_events import WRITTEN_HERE, Cause, ObjectEvents
from emulator.store.object_index import Condition, ObjectIndex
from emulator.store.object_urls import parse_object_url
from emulator.store.resources import Scope
from emulator.store.stored_objects import DEFAULT_CONTENT_TYPE, Attributes, Content, StoredObject

_CHUNK = 1 << 20
T = TypeVar("T")


class ObjectStore:
    """All objects of one emulator, of every account; safe to share between threads."""

    def __init__(self, root: Path) -> None:
        self.root = root
        schema = buckets.SCHEMA + stored_objects.SCHEMA + multipart.SCHEMA + object_events.SCHEMA
        self.database = Database(root / "objects.db", schema)
        self.blobs = Blobs(root / "blobs")
        self.bucket_table = Buckets(self.database)
        self.events = ObjectEvents(self.database, self.bucket_table)
        self.index = ObjectIndex(self.database, self.bucket_table, self.events)
        self.uploads = Uploads(self.database)
        self.assemblies = Assemblies(self.blobs, self.uploads)
        self._sweeper = threading.Thread(
            target=self.blobs.sweep, args=(self._known,), name="object-store-sweep", daemon=True
        )
        self._sweeper.start()

    # Buckets

    def create_bucket(self, scope: Scope, name: str) -> bool:
        """Make a bucket; False if the name is taken.

        Raises:
            AwsError: InvalidBucketName.
        """
        return self.bucket_table.create(scope, name)

    def bucket(self, name: str) -> Bucket | None:
        return self.bucket_table.get(name)

    def buckets(self, account: str) -> list[Bucket]:
        return self.bucket_table.of_account(account)

    def delete_bucket(self, name: str) -> None:
        """Remove an empty bucket with its unfinished uploads.

        Raises:
            AwsError: NoSuchBucket, BucketNotEmpty.
        """
        with self.database.transaction():
            self.bucket_table.delete(name)
            dropped = [blob for upload in self.uploads.of_bucket(name) for blob in self.uploads.end(upload)]
        self.blobs.remove(dropped)

    # Writing

    def put_bytes(
        self,
        bucket: str,
        key: str,
        data: bytes,
        *,
        content_type: str = DEFAULT_CONTENT_TYPE,
        metadata: dict[str, str] | None = None,
    ) -> StoredObject:
        """Store bytes under a key.

        Raises:
            AwsError: NoSuchBucket, KeyTooLongError.
        """
        with self.blobs.create() as writer:
            writer.write(data)
            content = hash_content(writer.finish(), io.BytesIO(data))
        return self.commit(bucket, key, content, Attributes(content_type, metadata or {}))

    def put_file(
        self,
        bucket: str,
        key: str,
        path: Path,
        *,
        content_type: str = DEFAULT_CONTENT_TYPE,
        metadata: dict[str, str] | None = None,
        take: bool = False,
    ) -> StoredObject:
        """Store a regular file under a key; ``take`` moves it into the store, after which ``path`` is gone.

        A crash at any moment leaves the file at its place, or the object, or both: repeating the call is safe.

        Raises:
            AwsError: NoSuchBucket, KeyTooLongError.
            ValueError: the path is a symbolic link or no file: following it might leave the caller's folder.
        """
        self.bucket_table.require(bucket)
        if take and (stored := self._taken_before(bucket, key, path)) is not None:
            path.unlink()
            return stored
        blob = self.blobs.adopt(path) if take else self._copy_in(path)
        try:
            with self.blobs.open(blob) as file:
                content = hash_content(blob, file)
        except OSError:
            self.blobs.remove([blob])
            raise
        stored = self.commit(bucket, key, content, Attributes(content_type, metadata or {}))
        if take:
            path.unlink()
        return stored

    def commit(
        self,
        bucket: str,
        key: str,
        content: Content,
        attributes: Attributes,
        condition: Condition | None = None,
        also: Callable[[], Iterable[str]] = tuple,
        cause: Cause = WRITTEN_HERE,
    ) -> StoredObject:
        """Make finished content the latest version of a key, or remove it if that fails.

        ``condition`` sees the current version under the lock of the write. ``also`` runs in the same transaction and
        gives further blobs to remove.

        Raises:
            AwsError: NoSuchBucket, KeyTooLongError, or what ``condition`` raises.
        """
        try:
            stored, dropped = self.index.put(bucket, key, content, attributes, condition, also, cause)
        except BaseException:
            self.blobs.remove([content.blob])
            raise
        self.blobs.remove(dropped)
        return stored

    # Removing

    def discard(self, content: Content) -> None:
        """Remove finished content that has become no object."""
        if not self._known(content.blob):
            self.blobs.remove([content.blob])

    def delete(
        self, bucket: str, key: str, condition: Condition | None = None, cause: Cause = WRITTEN_HERE
    ) -> StoredObject | None:
        """Delete a key: with a marker, which is returned, where the bucket keeps versions.

        Raises:
            AwsError: NoSuchBucket, or what ``condition`` raises.
        """
        marker, dropped = self.index.delete(bucket, key, condition, cause)
        self.blobs.remove(dropped)
        return marker

    def delete_version(
        self,
        bucket: str,
        key: str,
        version_id: str,
        condition: Condition | None = None,
        cause: Cause = WRITTEN_HERE,
    ) -> StoredObject | None:
        """Remove one version for good; what it was, or None. The newest that remains becomes the latest."""
        stored, dropped = self.index.delete_version(bucket, key, version_id, condition, cause)
        self.blobs.remove(dropped)
        return stored

    def delete_many(self, deletions: Callable[[], Iterable[str]]) -> None:
        """Run deletions of the index in one transaction; ``deletions`` gives the blobs to remove."""
        with self.database.transaction():
            dropped = deletions()
        self.blobs.remove(dropped)

    # Reading

    def latest(self, bucket: str, key: str) -> StoredObject | None:
        """The latest version of a key, which may be a delete marker."""
        return self.index.latest(bucket, key)

    def version(self, bucket: str, key: str, version_id: str) -> StoredObject | None:
        """One version of a key, which may be a delete marker; ``"null"`` names the unversioned one."""
        return self.index.version(bucket, key, version_id)

    def head(self, bucket: str, key: str, version_id: str | None = None) -> StoredObject | None:
        """An object, or None if there is none, or a delete marker stands in its place."""
        return self.index.head(bucket, key, version_id)

    def open(self, stored: StoredObject) -> BinaryIO:
        """Open an object's content; it stays readable while open, whatever happens to the object.

        Raises:
            AwsError: NoSuchKey: the object has been replaced or deleted since it was looked up.
        """
        try:
            return self.blobs.open(stored.blob)
        except FileNotFoundError as error:
            raise no_such_key(stored.key) from error

    def open_current(self, find: Callable[[], StoredObject]) -> tuple[StoredObject, BinaryIO]:
        """Look an object up and open it, as ``current`` does."""
        return self.current(find, lambda stored: self.blobs.open(stored.blob))

    def current(self, find: Callable[[], StoredObject], use: Callable[[StoredObject], T]) -> tuple[StoredObject, T]:
        """Look an object up and use its blob, again if a writer replaces it in between.

        Raises:
            InternalFailure: the blob is gone though the object is there: somebody has removed it from the folder.
        """
        missing = ""
        while True:
            stored = find()
            try:
                return stored, use(stored)
            except FileNotFoundError as error:
                if stored.blob == missing:
                    raise InternalFailure(
                        f"The content of {stored.uri} is missing from the emulator's data folder: there is no"
                        f" {self.blobs.path(stored.blob)}. Put the object again, or delete it."
                    ) from error
                missing = stored.blob

    def read(self, bucket: str, key: str) -> bytes:
        """An object's whole content.

        Raises:
            AwsError: NoSuchBucket, NoSuchKey.
        """
        _, file = self.open_current(lambda: self.require(bucket, key))
        with file:
            return file.read()

    def require(self, bucket: str, key: str) -> StoredObject:
        """An object.

        Raises:
            AwsError: NoSuchBucket, NoSuchKey.
        """
        stored = self.head(bucket, key)
        if stored is None:
            self.bucket_table.require(bucket)
            raise no_such_key(key)
        return stored

    def list_objects(
        self, bucket: str, prefix: str = "", start_after: str = "", limit: int | None = None
    ) -> list[StoredObject]:
        """Latest versions of the keys that start with ``prefix``, in key order.

        Raises:
            AwsError: NoSuchBucket.
        """
        self.bucket_table.require(bucket)
        return list_latest(self.database, ListQuery(bucket, prefix, after=start_after, limit=limit))

    def list_page(self, query: ListQuery) -> ListPage:
        """One page of a listing with delimiter or versions."""
        return list_page(self.database, query)

    def link(self, objects: Iterable[tuple[StoredObject, str]], into: Path) -> None:
        """Lay objects out as files below ``into``: hard links to their blobs, or copies on another file system.

        Raises:
            AwsError: NoSuchKey: an object is gone; ValidationException: the paths cannot live in one folder.
        """
        self._lay_out(objects, into, blobs.place)

    def copy(self, objects: Iterable[tuple[StoredObject, str]], into: Path) -> None:
        """Lay objects out as files below ``into`` that belong to the caller.

        Raises:
            AwsError: as ``link`` does; ValidationException also where a file is there already.
        """
        self._lay_out(objects, into, blobs.copy)

    def close(self) -> None:
        self._sweeper.join()
        self.database.close()

    # Inside

    def _lay_out(self, objects: Iterable[tuple[StoredObject, str]], into: Path, put: link_farm.Put) -> None:
        link_farm.build(objects, into, put, lambda stored: self.blobs.path(stored.blob), self._renew)

    def _renew(self, stored: StoredObject) -> StoredObject:
        current = self.head(stored.bucket, stored.key, stored.version_id)
        if current is None:
            raise no_such_key(stored.key)
        return current

    def _taken_before(self, bucket: str, key: str, path: Path) -> StoredObject | None:
        """The object that a call made of this very file before a crash kept it from removing the file."""
        if path.lstat().st_nlink == 1:
            return None
        stored = self.head(bucket, key)
        with suppress(FileNotFoundError):
            if stored is not None and path.samefile(self.blobs.path(stored.blob)):
                return stored
        return None

    def _copy_in(self, path: Path) -> str:
        try:
            source = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError as error:
            if path.is_symlink():
                raise ValueError(f"{path} is a symbolic link, so it cannot be stored as an object") from error
            raise
        with os.fdopen(source, "rb") as file, self.blobs.create() as writer:
            while chunk := file.read(_CHUNK):
                writer.write(chunk)
            return writer.finish()

    def _known(self, blob: str) -> bool:
        return self.index.has_blob(blob) or self.uploads.has_blob(blob)


def parse_s3_uri(uri: str) -> tuple[str, str]:
    """``("bucket", "some/key")`` of ``s3://bucket/some/key`` or of its web address; the key may be empty.

    Raises:
        ValidationException: it is no S3 URI.
    """
    if (found := parse_object_url(uri)) is not None:
        return found
    scheme, _, rest = uri.partition("://")
    bucket, _, key = rest.partition("/")
    if scheme != "s3" or not bucket:
        raise ValidationException(f"Invalid S3 URI: {uri!r}. It must be s3://BUCKET/KEY.")
    return bucket, key
