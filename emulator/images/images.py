"""Which environment an image URI means: a folder of ``containers_dir`` with a Dockerfile, built without Docker."""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from emulator.images.dockerfile import Dockerfile, read_dockerfile
from emulator.images.environment import Environment
from emulator.images.errors import BuildError, DockerfileError, ImageError, ImageNotFound
from emulator.images.virtualenv import Virtualenv

__all__ = ["BuildError", "DockerfileError", "Environment", "Image", "ImageError", "ImageNotFound", "Images"]

_SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_BASE_PATH = "\0PATH"  # stands for the environment's PATH until its folder is known
_REPOSITORY = re.compile(r"^[a-z0-9]+(?:[._-]+[a-z0-9]+)*$")


@dataclass(frozen=True, slots=True)
class Image:
    uri: str
    name: str
    dockerfile: Path


class Images:
    def __init__(self, containers_dir: Path, cache_dir: Path) -> None:
        self._containers_dir = containers_dir
        self._cache_dir = cache_dir

    def resolve(self, image_uri: str) -> Image:
        """The definition of the image, named by the last part of its repository.

        Raises:
            ImageNotFound: there is none; the message says where it was looked for and which there are.
        """
        name = repository_of(image_uri).rpartition("/")[2]
        dockerfile = self._containers_dir.absolute() / name / "Dockerfile"
        if not _REPOSITORY.match(name) or not dockerfile.is_file():
            raise ImageNotFound(
                f"There is no image {image_uri}: the emulator builds images from {self._containers_dir.absolute()}, "
                f"and there is no {name}/Dockerfile in it. Defined are: {', '.join(self._names()) or 'none'}. Add that "
                "folder, or let EMULATOR_CONTAINERS_DIR point to the folder that has it."
            )
        return Image(image_uri, name, dockerfile)

    def environment(self, image: Image, progress: Callable[[str], None]) -> Environment:
        """The environment of the image, built if it is not in the cache; by one builder at a time.

        Raises:
            DockerfileError: the Dockerfile says something that has no counterpart here.
            BuildError: the requirements cannot be installed.
        """
        file = read_dockerfile(image.dockerfile, _BASE_PATH)
        virtualenv = Virtualenv(self._cache_dir, file.requirement_files, file.requirements)
        try:
            virtualenv.ensure(lambda line: progress(f"image {image.name}: {line}"))
        except BuildError as error:
            raise BuildError(f"Cannot build image {image.name} ({image.dockerfile}): {error}") from error
        return _environment(image, file, virtualenv)

    def _names(self) -> list[str]:
        return sorted(path.parent.name for path in self._containers_dir.glob("*/Dockerfile"))


def repository_of(image_uri: str) -> str:
    """``a/b`` of ``registry/a/b:tag`` and ``registry/a/b@sha256:…``."""
    path = image_uri.partition("@")[0]
    head, slash, last = path.rpartition("/")
    return f"{head}{slash}{last.partition(':')[0]}"


def _environment(image: Image, file: Dockerfile, virtualenv: Virtualenv) -> Environment:
    base_path = f"{virtualenv.folder / 'bin'}:{_SYSTEM_PATH}"
    preload = file.labels.get("preload")
    return Environment(
        name=f"{image.name}-{_fingerprint(file, virtualenv)}",
        python=virtualenv.python,
        bin=virtualenv.folder / "bin",
        roots=[virtualenv.folder, Path(sys.base_prefix)],
        preload=virtualenv.modules() if preload is None else preload.split(),
        env={name: value.replace(_BASE_PATH, base_path) for name, value in file.env.items()},
        entrypoint=file.entrypoint,
        cmd=file.cmd,
        workdir=file.workdir,
        files=[(copy.source, copy.target) for copy in file.copies],
    )


def _fingerprint(file: Dockerfile, virtualenv: Virtualenv) -> str:
    """Changes with the Dockerfile, the requirements and every copied file."""
    state = hashlib.sha256(virtualenv.digest.encode() + file.path.read_bytes())
    for copy in file.copies:
        for path in _files_of(copy.source):
            status = path.stat()
            state.update(f"{path}\0{status.st_mtime_ns}\0{status.st_size}\0{status.st_mode}\0".encode())
    return state.hexdigest()[:16]


def _files_of(source: Path) -> Iterator[Path]:
    if source.is_dir():
        yield from sorted(path for path in source.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    else:
        yield source
