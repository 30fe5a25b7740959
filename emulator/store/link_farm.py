"""Objects laid out as files without copying them: a folder of hard links to blobs.

The files are read-only and share their content with the store. Whoever runs untrusted code over them must put an
overlay or a read-only mount between: root could write through a link.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from emulator.aws.errors import ValidationException
from emulator.store.blobs import place
from emulator.store.stored_objects import StoredObject

Locate = Callable[[StoredObject], str]


def build(objects: Iterable[tuple[StoredObject, str]], into: Path, locate: Locate) -> None:
    """Place each object at its relative path below ``into``; ``locate`` gives the path of an object's blob.

    Empty objects whose path ends with a slash become folders. Repeated slashes count once.

    Raises:
        ValidationException: a path leaves the folder, is too long, or is needed as a file and as a folder.
    """
    base = str(into)
    into.mkdir(parents=True, exist_ok=True)
    made = {base}
    for stored, relative in objects:
        folders, name = _split(stored, relative)
        folder = _make(base, folders, made, stored)
        if name:
            _place(stored, locate, f"{folder}/{name}")


def _split(stored: StoredObject, relative: str) -> tuple[list[str], str]:
    *folders, name = relative.split("/")
    folders = [part for part in folders if part not in ("", ".")]
    if ".." in folders or name in ("..", ".") or "\0" in relative:
        raise ValidationException(
            f"{stored.uri} cannot be a file: its path {relative!r} leaves the folder it is put in"
        )
    if not name and stored.size:
        raise ValidationException(
            f"{stored.uri} cannot be a file: its key ends with '/', but it has {stored.size} bytes"
        )
    return folders, name


def _make(base: str, folders: list[str], made: set[str], stored: StoredObject) -> str:
    path = "/".join([base, *folders])
    if path not in made:
        with _explained(stored, path):
            Path(path).mkdir(parents=True, exist_ok=True)
        made.add(path)
    return path


def _place(stored: StoredObject, locate: Locate, target: str) -> None:
    with _explained(stored, target):
        try:
            place(locate(stored), target)
        except FileNotFoundError:  # replaced between the two steps: its successor is there
            place(locate(stored), target)


@contextmanager
def _explained(stored: StoredObject, path: str) -> Iterator[None]:
    """Say of which object the file system does not take the name."""
    try:
        yield
    except (FileExistsError, NotADirectoryError) as error:
        raise ValidationException(
            f"{stored.uri} cannot be a file: another object takes {path} already, as a file or as a folder."
            " Give the objects names that can live in one file system."
        ) from error
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            raise
        raise ValidationException(f"{stored.uri} cannot be a file: {error.strerror}: {path}") from error
