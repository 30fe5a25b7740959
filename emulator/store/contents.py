"""Making the content of an object: hashing files, copying what is in the store, joining parts."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import BinaryIO

from emulator.store.blobs import Blobs
from emulator.store.checksums import DEFAULT_ALGORITHM, combinable, composite, encode, full_object, new_digest
from emulator.store.stored_objects import Checksum, Content, Part, StoredObject

_CHUNK = 1 << 20


def hash_content(
    blob: str,
    file: BinaryIO,
    algorithm: str = DEFAULT_ALGORITHM,
    length: int | None = None,
    also: Callable[[bytes], object] = len,
) -> Content:
    """Describe ``length`` bytes of a file from where it stands; ``also`` sees them pass."""
    md5 = hashlib.md5(usedforsecurity=False)
    checksum = new_digest(algorithm)
    size = 0
    while chunk := file.read(_CHUNK if length is None else min(_CHUNK, length - size)):
        md5.update(chunk)
        checksum.update(chunk)
        also(chunk)
        size += len(chunk)
    return Content(blob, size, md5.hexdigest(), Checksum(algorithm, encode(checksum.digest())))


def copy_content(
    blobs: Blobs, stored: StoredObject, algorithm: str, start: int = 0, length: int | None = None
) -> Content:
    """New content equal to a stored object's, or to a range of it.

    The bytes are not copied if they are the whole object and nothing new has to be computed of them.

    Raises:
        FileNotFoundError: the object has been replaced or deleted meanwhile.
    """
    known = stored.checksum
    if length is None and not stored.part_count and known and known.algorithm == algorithm:
        return Content(blobs.duplicate(stored.blob), stored.size, stored.etag, known)
    if length is None:
        with blobs.open(stored.blob) as file:
            return hash_content(blobs.duplicate(stored.blob), file, algorithm)
    with blobs.open(stored.blob) as file, blobs.create() as writer:
        file.seek(start)
        content = hash_content(writer.name, file, algorithm, length, writer.write)
        writer.finish()
        return content


def join_parts(blobs: Blobs, parts: list[Part], algorithm: str, kind: str, blob: str | None) -> Content:
    """The content of a multipart object: its parts one after another, in ``blob`` already, or else to be copied.

    Raises:
        FileNotFoundError: a part has been replaced or removed meanwhile.
    """
    digests = b"".join(bytes.fromhex(part.etag) for part in parts)
    etag = f"{hashlib.md5(digests, usedforsecurity=False).hexdigest()}-{len(parts)}"
    joined = blob or blobs.join((part.blob, part.offset or 0, part.size) for part in parts)
    checksum = _joined_checksum(blobs, joined, parts, algorithm, kind)
    kept = tuple(Part(part.number, part.size, checksum=part.checksum) for part in parts)
    return Content(joined, sum(part.size for part in parts), etag, checksum, kept)


def _joined_checksum(blobs: Blobs, blob: str, parts: list[Part], algorithm: str, kind: str) -> Checksum:
    known = all(part.checksum for part in parts)
    if kind == "COMPOSITE" and known:
        return Checksum(algorithm, composite(algorithm, (part.checksum for part in parts)), kind)
    if combinable(algorithm) and known:
        return Checksum(algorithm, full_object(algorithm, ((part.checksum, part.size) for part in parts)))
    with blobs.open(blob) as file:
        checksum = hash_content(blob, file, algorithm).checksum
    assert checksum is not None
    return checksum
