"""Archives that others made, unpacked without trusting them.

Python does it by itself from 3.11.4 on (PEP 706, the filter "data"), which Debian 12 for one does not have yet.
"""

from __future__ import annotations

import os
import tarfile
from pathlib import Path


class LeadsOutside(tarfile.TarError):
    """A member is, or leads, outside of the folder, or is neither a file nor a folder nor a link."""


def unpack_all(archive: tarfile.TarFile, folder: Path) -> None:
    """Unpack everything into a folder; nothing of it can be, or lead, outside of the folder.

    Raises:
        LeadsOutside: a member would.
        tarfile.TarError: it cannot be read.
    """
    if not hasattr(tarfile, "data_filter"):
        _unpack_checked(archive, folder)
        return
    try:
        archive.extractall(folder, filter="data")
    except tarfile.FilterError as error:
        raise LeadsOutside(str(error)) from error


def _unpack_checked(archive: tarfile.TarFile, folder: Path) -> None:
    """Each member is looked at when those before it are there: they may be links that it would follow."""
    top = folder.resolve()
    for member in archive:
        _check(member, top)
        _make_plain(member)
        archive.extract(member, folder)


def _check(member: tarfile.TarInfo, top: Path) -> None:
    if not (member.isfile() or member.isdir() or member.issym() or member.islnk()):
        raise LeadsOutside(f"{member.name!r} is a special file")
    member.name = member.name.lstrip("/")
    places = [Path(member.name)]
    if member.issym():
        places.append(places[0].parent / member.linkname)
    elif member.islnk():
        places.append(Path(member.linkname))
    for place in places:
        found = (top / place).resolve()
        if place.is_absolute() or not found.is_relative_to(top):
            raise LeadsOutside(f"{member.name!r} would be extracted to, or link to, {found}, outside the destination")


def _make_plain(member: tarfile.TarInfo) -> None:
    """A file of whoever unpacks, which others cannot write and nobody runs with its owner's power."""
    if member.isfile():
        member.mode = (member.mode & (0o755 if member.mode & 0o100 else 0o644)) | 0o600
    else:
        member.mode = 0o755
    member.uid, member.gid, member.uname, member.gname = os.getuid(), os.getgid(), "", ""
