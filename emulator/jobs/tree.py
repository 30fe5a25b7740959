"""What a job left below ``/opt/ml``, read without trusting it.

The program may have planted symbolic links, devices, pipes and folders without permissions. Links are followed only as
the container would follow them and only within ``/opt/ml``, so nothing of the machine's own files is ever read.
"""

from __future__ import annotations

import heapq
import os
import shutil
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from emulator.jobs.plan import ROOT
from emulator.launchers.trash import open_up

_MAX_LINKS = 40


@dataclass(frozen=True, slots=True)
class Entry:
    """A regular file: its path relative to the folder that was walked, and where it really is."""

    relative: str
    path: Path
    link: bool
    """Reached through a symbolic link: to be copied, not moved."""


class Tree:
    """The folder on this machine that was the job's ``/opt/ml``."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def folder(self, container_path: str) -> Path | None:
        """A folder of the container, or None if there is none any more."""
        found = self._resolve(container_path)
        return found if found is not None and found.is_dir() else None

    def read(self, container_path: str, limit: int) -> bytes | None:
        """The first ``limit`` bytes of a file, or None if it is not there or not a regular file."""
        found = self._resolve(container_path)
        if found is None or not found.is_file():
            return None
        _permit(found, 0o600)
        with found.open("rb") as file:
            return file.read(limit)

    def files(self, container_path: str, skipped: Callable[[str], None] = lambda _: None) -> Iterator[Entry]:
        """Every regular file below a folder, in order; tells ``skipped`` of each thing that is none."""
        folder = self.folder(container_path)
        if folder is not None:
            yield from self._walk(folder, "", skipped)

    def _walk(self, folder: Path, prefix: str, skipped: Callable[[str], None]) -> Iterator[Entry]:
        for entry in _listed(folder):
            relative = f"{prefix}{entry.name}"
            if entry.is_dir(follow_symlinks=False):
                yield from self._walk(folder / entry.name, f"{relative}/", skipped)
            elif entry.is_file(follow_symlinks=False):
                if _readable(folder / entry.name):
                    yield Entry(relative, folder / entry.name, link=False)
            elif entry.is_symlink() and (target := self._target(folder / entry.name)) is not None:
                yield Entry(relative, target, link=True)
            else:
                skipped(relative)

    def _target(self, link: Path) -> Path | None:
        found = self._resolve(str(ROOT / link.relative_to(self.root)))
        return found if found is not None and found.is_file() else None

    def _resolve(self, container_path: str) -> Path | None:
        """The place on this machine of a container path, links followed as in the container; None if outside."""
        pending = [part for part in container_path.split("/") if part not in ("", ".")][::-1]
        done: list[str] = []
        links = 0
        while pending:
            part = pending.pop()
            if part == "..":
                done = done[:-1]
                continue
            done.append(part)
            place = self._place(done)
            if place is None or not place.is_symlink():
                continue
            links += 1
            if links > _MAX_LINKS:
                return None
            target = str(place.readlink())
            done = [] if target.startswith("/") else done[:-1]
            pending += [name for name in target.split("/") if name not in ("", ".")][::-1]
        return self._place(done)

    def _place(self, parts: list[str]) -> Path | None:
        """Where the container path of these parts lies, None if it is not below ``/opt/ml``."""
        root = ROOT.parts[1:]
        return self.root.joinpath(*parts[len(root) :]) if tuple(parts[: len(root)]) == root else None


def _listed(folder: Path) -> list[os.DirEntry[str]]:
    """What is in a folder, in order; nothing if a program at work has removed it."""
    try:
        _permit(folder, 0o700)
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except FileNotFoundError:
        return []


class Trees:
    """The same folders of several hosts, as one. Where hosts left files of one path, that of the first host counts.

    AWS documents no rule. The first host is the one that distributed programs have save what they made.
    """

    def __init__(self, trees: Sequence[Tree], note: Callable[[str], None]) -> None:
        """``note`` takes a sentence about each file that another host's has precedence over."""
        self._trees = trees
        self._note = note

    def files(self, container_path: str, skipped: Callable[[str], None] = lambda _: None) -> Iterator[Entry]:
        """Every regular file below a folder of any host, in order; tells ``skipped`` of each thing that is none."""
        if len(self._trees) == 1:
            yield from self._trees[0].files(container_path, skipped)
            return
        last: Entry | None = None
        walks = (tree.files(container_path, skipped) for tree in self._trees)
        for entry in heapq.merge(*walks, key=lambda found: found.relative.split("/")):
            if last is not None and f"{entry.relative}/".startswith(f"{last.relative}/"):
                self._note(f"{container_path}/{entry.relative} of more than one host: that of the first is uploaded")
            else:
                last = entry
                yield entry

    def latest(self, container_path: str) -> Iterator[Entry]:
        """Every regular file below a folder of any host; of those of one path, the one that was written last.

        For folders that are uploaded as they change, by which each host's last word counts.
        """
        found: dict[str, tuple[int, Entry]] = {}
        for tree in self._trees:
            for entry in tree.files(container_path):
                with suppress(FileNotFoundError):
                    written = entry.path.stat().st_mtime_ns
                    if entry.relative not in found or written > found[entry.relative][0]:
                        found[entry.relative] = (written, entry)
        for _, entry in found.values():
            yield entry


def _readable(file: Path) -> bool:
    """Make a file readable; False if a program at work has removed it."""
    try:
        _permit(file, 0o400)
    except FileNotFoundError:
        return False
    return True


def _permit(path: Path, wanted: int) -> None:
    """Give the owner back the rights to read what the program took them from."""
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & wanted != wanted:
        path.chmod(mode | wanted)


def remove_tree(folder: Path) -> None:
    """Delete a folder whatever rights the program left in it.

    Raises:
        OSError: something cannot be deleted, such as a file of another user.
    """

    if not folder.exists():
        return
    try:
        shutil.rmtree(folder)
    except OSError:
        open_up(folder)
        shutil.rmtree(folder)
