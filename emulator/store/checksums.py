"""Checksums of object data, by the names that S3 gives their algorithms (API shape ``ChecksumAlgorithm``).

``CRC64NVME`` is what S3 computes when a client sends none (Amazon S3 User Guide, "Checking object integrity").
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterable
from typing import Protocol

DEFAULT_ALGORITHM = "CRC64NVME"
_CRC_BITS = {"CRC32": 32, "CRC32C": 32, "CRC64NVME": 64}
_HASHES = {"SHA1": "sha1", "SHA256": "sha256", "SHA512": "sha512", "MD5": "md5"}
_XXHASHES = {"XXHASH64": "new_xxhash64", "XXHASH3": "new_xxhash3_64", "XXHASH128": "new_xxhash3_128"}
ALGORITHMS = (*_CRC_BITS, *_HASHES, *_XXHASHES)


class Digest(Protocol):
    """A checksum under way."""

    def update(self, data: bytes | memoryview, /) -> object: ...

    def digest(self) -> bytes: ...


def new_digest(algorithm: str) -> Digest:
    """Start a checksum. ``algorithm`` is one of ``ALGORITHMS``."""
    if algorithm in _CRC_BITS:
        return _Crc(algorithm)
    if algorithm in _HASHES:
        return hashlib.new(_HASHES[algorithm], usedforsecurity=False)
    return _XxHash(algorithm)


def encode(digest: bytes) -> str:
    """A digest as it stands in headers and XML."""
    return base64.b64encode(digest).decode()


def composite(algorithm: str, parts: Iterable[str]) -> str:
    """The checksum of a multipart object made from its parts' checksums: ``<checksum of checksums>-<count>``."""
    values = [base64.b64decode(part) for part in parts]
    digest = new_digest(algorithm)
    digest.update(b"".join(values))
    return f"{encode(digest.digest())}-{len(values)}"


def combinable(algorithm: str) -> bool:
    """Whether the checksum of a whole follows from those of its parts."""
    return algorithm in _CRC_BITS


def full_object(algorithm: str, parts: Iterable[tuple[str, int]]) -> str:
    """The CRC of joined parts, each given as (checksum, size), without reading them again."""
    from awscrt import checksums  # type: ignore[import-untyped]

    combine: Callable[[int, int, int], int] = getattr(checksums, f"combine_{algorithm.lower()}")
    total = 0
    for value, size in parts:
        total = combine(total, int.from_bytes(base64.b64decode(value), "big"), size)
    return encode(total.to_bytes(_CRC_BITS[algorithm] // 8, "big"))


class _Crc:
    def __init__(self, algorithm: str) -> None:
        self._value = 0
        self._size = _CRC_BITS[algorithm] // 8
        self._advance = _crc_function(algorithm)

    def update(self, data: bytes | memoryview) -> None:
        self._value = self._advance(data, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(self._size, "big")


class _XxHash:
    def __init__(self, algorithm: str) -> None:
        from awscrt import checksums

        self._hash = getattr(checksums.XXHash, _XXHASHES[algorithm])()

    def update(self, data: bytes | memoryview) -> None:
        self._hash.update(bytes(data))

    def digest(self) -> bytes:
        return bytes(self._hash.finalize())


def _crc_function(algorithm: str) -> Callable[[bytes | memoryview, int], int]:
    if algorithm == "CRC32":
        import zlib

        return zlib.crc32
    from awscrt import checksums

    return checksums.crc32c if algorithm == "CRC32C" else checksums.crc64nvme  # type: ignore[no-any-return]
