from __future__ import annotations

import base64

import pytest

from emulator.store.checksums import ALGORITHMS, combinable, composite, encode, full_object, new_digest

CHECK = b"123456789"
KNOWN = {
    "CRC32": "cbf43926",
    "CRC32C": "e3069283",
    "CRC64NVME": "ae8b14860a799888",
    "SHA1": "f7c3bc1d808e04732adf679965ccc34ca7ae3441",
    "MD5": "25f9e794323b453885f5181f1b624d0b",
}
"""The published check values of the algorithms."""


def checksum(algorithm: str, *pieces: bytes) -> str:
    digest = new_digest(algorithm)
    for piece in pieces:
        digest.update(piece)
    return encode(digest.digest())


@pytest.mark.parametrize("algorithm", KNOWN)
def test_published_values(algorithm: str) -> None:
    assert base64.b64decode(checksum(algorithm, CHECK)).hex() == KNOWN[algorithm]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_pieces_make_the_same_checksum_as_the_whole(algorithm: str) -> None:
    assert checksum(algorithm, CHECK) == checksum(algorithm, CHECK[:4], b"", CHECK[4:])
    assert checksum(algorithm, CHECK) != checksum(algorithm, CHECK[1:])


@pytest.mark.parametrize("algorithm", [name for name in ALGORITHMS if combinable(name)])
def test_the_whole_follows_from_the_parts(algorithm: str) -> None:
    parts = [b"first" * 1000, b"", b"second", b"third" * 7]
    combined = full_object(algorithm, [(checksum(algorithm, part), len(part)) for part in parts])
    assert combined == checksum(algorithm, b"".join(parts))


def test_a_composite_is_the_checksum_of_checksums() -> None:
    parts = [checksum("SHA256", b"a"), checksum("SHA256", b"b")]
    joined = b"".join(map(base64.b64decode, parts))
    assert composite("SHA256", parts) == checksum("SHA256", joined) + "-2"
