"""Tarballs whose bytes depend on nothing but the names, modes and contents of their members."""

from __future__ import annotations

import gzip
import io
import tarfile

from pipelines.fingerprint import is_ignored

SUFFIXES = (".tar.gz", ".tgz")


def normalize_archive(data: bytes) -> bytes:
    """The same members, sorted, without times, owners and by-products such as ``__pycache__``; gzipped alike."""
    packed = io.BytesIO()
    with (
        tarfile.open(fileobj=io.BytesIO(data), mode="r:*") as source,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.GNU_FORMAT) as target,
    ):
        members = [member for member in source.getmembers() if _is_source(member.name)]
        for member in sorted(members, key=lambda member: member.name):
            target.addfile(_stripped(member), source.extractfile(member) if member.isreg() else None)
    compressed = io.BytesIO()
    with gzip.GzipFile(filename="", fileobj=compressed, mode="wb", mtime=0, compresslevel=9) as stream:
        stream.write(packed.getvalue())
    return compressed.getvalue()


def member_contents(data: bytes) -> dict[str, bytes]:
    """Names and contents of the regular files of a tarball."""
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:*") as archive:
        files = {member.name: archive.extractfile(member) for member in archive.getmembers() if member.isreg()}
        return {name: stream.read() for name, stream in files.items() if stream}


def _is_source(name: str) -> bool:
    return not any(is_ignored(part) for part in name.split("/"))


def _stripped(member: tarfile.TarInfo) -> tarfile.TarInfo:
    plain = tarfile.TarInfo(member.name)
    plain.size, plain.type, plain.linkname = member.size, member.type, member.linkname
    plain.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
    return plain
