"""Objects laid out as files: a folder of hard links to blobs, or of copies.

Links are read-only and share their content with the store. Whoever runs untrusted code over them must put an overlay
or a read-only mount between: root could write through a link.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterable
from pathlib import Path

from emulator.aws.errors import ValidationException
from emulator.store.stored_objects import StoredObject

Put = Callable[[str, str], None]
"""Makes a file, at the second path, of the blob at the first: ``blobs.place`` or ``blobs.copy``."""
Locate = Callable[[StoredObject], str]
"""The path of an object's blob."""
Renew = Callable[[StoredObject], StoredObject]
"""The object as it is now; raises if it is gone."""


def build(objects: Iterable[tuple[StoredObject, str]], into: Path, put: Put, locate: Locate, renew: Renew) -> None:
    """Put each object at its relative path below ``into``.

    Empty objects whose path ends with a slash become folders. Repeated slashes count once.

    Raises:
        ValidationException: a path leaves the folder, is too long, or is needed as a file and as a folder.
    """
    base = str(into)
    into.mkdir(parents=True, exist_ok=True)
    made = {base}
    for stored, relative in objects:
        folders, name = _split(stored, relative)
        folder = "/".join([base, *folders])
        try:
            if folder not in made:
                Path(folder).mkdir(parents=True, exist_ok=True)
                made.add(folder)
            if name:
                _put(stored, f"{folder}/{name}", put, locate, renew)
        except OSError as error:
            raise _explanation(stored, f"{folder}/{name}", error) from error


def _split(stored: StoredObject, relative: str) -> tuple[list[str], str]:
    *folders, name = relative.split("/")
    folders = [part for part in folders if part and part != "."]
    if ".." in folders or name in ("..", ".") or "\0" in relative:
        raise ValidationException(
            f"{stored.uri} cannot be a file: its path {relative!r} leaves the folder it is put in"
        )
    if not name and stored.size:
        raise ValidationException(
            f"{stored.uri} cannot be a file: its key ends with '/', but it has {stored.size} bytes"
        )
    return folders, name


def _put(stored: StoredObject, target: str, put: Put, locate: Locate, renew: Renew) -> None:
    try:
        put(locate(stored), target)
    except FileNotFoundError:
        put(locate(renew(stored)), target)


def _explanation(stored: StoredObject, path: str, error: OSError) -> Exception:
    """The error for a name that the file system does not take; any other stays what it is."""
    if isinstance(error, (FileExistsError, NotADirectoryError)):
        return ValidationException(
            f"{stored.uri} cannot be a file: another object takes {path} already, as a file or as a folder."
            " Give the objects names that can live in one file system."
        )
    if error.errno == errno.ENAMETOOLONG:
        return ValidationException(f"{stored.uri} cannot be a file: {error.strerror}: {path}")
    return error
