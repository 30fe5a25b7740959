"""Small files of a job's root."""

from __future__ import annotations

import os
import shutil

_PRIVATE_KEYS = ("private",)


def make_place(source: str, target: str) -> None:
    """Something of the same kind as ``source`` to mount it on."""
    if os.path.exists(target):
        return
    if os.path.isdir(source):
        os.makedirs(target)
    else:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        write(target, "")


def write(path: str, text: str) -> None:
    with open(path, "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write(text)


def copy_readable(source: str, target: str) -> None:
    """Copy what this user may read; private keys stay where they are."""
    if not os.path.exists(source):
        return
    os.makedirs(os.path.dirname(target), exist_ok=True)
    if os.path.isdir(source):
        os.makedirs(target, exist_ok=True)
        for name in os.listdir(source) if os.access(source, os.R_OK | os.X_OK) else ():
            if name not in _PRIVATE_KEYS:
                _copy_entry(f"{source}/{name}", f"{target}/{name}")
    elif os.access(source, os.R_OK):
        shutil.copyfile(source, target)


def _copy_entry(source: str, target: str) -> None:
    if os.path.islink(source):
        os.symlink(os.readlink(source), target)
    else:
        copy_readable(source, target)
