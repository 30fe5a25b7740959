"""Which environment an image URI means, built without Docker.

Either a folder of ``containers_dir`` with a Dockerfile, or one of AWS's own images (``emulator.images.aws``).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from emulator.images import interpreters
from emulator.images.aws import catalog, refused
from emulator.images.aws.catalog import AwsImage
from emulator.images.dockerfile import Dockerfile, read_dockerfile
from emulator.images.environment import Environment
from emulator.images.errors import BuildError, DockerfileError, ImageError, ImageNotFound
from emulator.images.mapping import Mapping
from emulator.images.virtualenv import Virtualenv

__all__ = ["BuildError", "DockerfileError", "Environment", "Image", "ImageError", "ImageNotFound", "Images"]

_SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_BASE_PATH = "\0PATH"  # stands for the environment's PATH until its folder is known
NO_METADATA = {"AWS_EC2_METADATA_DISABLED": "true"}
"""No job runs on EC2; SDKs that look for its metadata while they are imported lose a second, and open connections."""
_REPOSITORY = re.compile(r"^[a-z0-9]+(?:[._-]+[a-z0-9]+)*$")


@dataclass(frozen=True, slots=True)
class Image:
    uri: str
    name: str
    dockerfile: Path
    aws: AwsImage | None = None
    """Set where it stands in for an image of AWS's."""
    undefined: str = ""
    """Why there is no definition, where a container engine is to find the image by its name."""


class Images:
    def __init__(self, containers_dir: Path, cache_dir: Path, mapping: Mapping | None = None) -> None:
        self._containers_dir = containers_dir
        self._cache_dir = cache_dir
        self._mapping = mapping or Mapping()

    def resolve(self, image_uri: str, python: str = "") -> Image:
        """The definition of the image: as mapped, else AWS's by its account, else the folder named by its repository.

        ``python``: the version that the job's program needs (``3.10``), for images of AWS's that have several.

        Raises:
            ImageNotFound: there is none; the message says where it was looked for and which there are.
        """
        repository, tag = repository_of(image_uri), tag_of(image_uri)
        if mapped := self._mapping.name_of(image_uri):
            return self._mapped(image_uri, mapped, python)
        if aws := catalog.find(image_uri, repository, tag):
            return self._stand_in(image_uri, aws, python)
        name = repository.rpartition("/")[2]
        if own := self._own(image_uri, name):
            return own
        if aws := catalog.find_copy(repository, tag):
            return self._stand_in(image_uri, aws, python)
        raise ImageNotFound(self._missing(image_uri, name))

    def _own(self, image_uri: str, name: str) -> Image | None:
        dockerfile = self._containers_dir.absolute() / name / "Dockerfile"
        return Image(image_uri, name, dockerfile) if _REPOSITORY.match(name) and dockerfile.is_file() else None

    def _mapped(self, image_uri: str, name: str, python: str) -> Image:
        if own := self._own(image_uri, name):
            return own
        if definition := catalog.DEFINITIONS.get(name):
            last = repository_of(image_uri).rpartition("/")[2]
            return self._stand_in(image_uri, AwsImage(definition, last, tag_of(image_uri)), python)
        raise ImageNotFound(
            f"EMULATOR_IMAGE_MAP maps {image_uri} to {name}, and there is no {name}/Dockerfile in "
            f"{self._containers_dir.absolute()}; defined there are: {', '.join(self._names()) or 'none'}; "
            f"stand-ins are {', '.join(sorted(catalog.DEFINITIONS))}."
        )

    def _stand_in(self, image_uri: str, aws: AwsImage, python: str) -> Image:
        for other in aws.definition.others:
            if other.python == python and self._has_python(python):
                aws = replace(aws, definition=other)
        return Image(image_uri, aws.definition.name, aws.definition.dockerfile, aws)

    def _has_python(self, version: str) -> bool:
        return interpreters.find(version) is not None

    def _missing(self, image_uri: str, name: str) -> str:
        sentences = [
            f"There is no image {image_uri}.",
            refused.reason(name),
            f"The emulator builds images from {self._containers_dir.absolute()},",
            f"and there is no {name}/Dockerfile in it.",
            f"Defined are: {', '.join(self._names()) or 'none'}; of AWS's images,",
            f"{', '.join(sorted(catalog.REPOSITORIES))}.",
            "Add that folder, or let EMULATOR_CONTAINERS_DIR point to the folder that has it, or let EMULATOR_IMAGE_MAP"
            " say which other image to take (docs/images.md).",
        ]
        return " ".join(filter(None, sentences))

    def environment(self, image: Image, progress: Callable[[str], None]) -> Environment:
        """The environment of the image, built if it is not in the cache; by one builder at a time.

        Raises:
            DockerfileError: the Dockerfile says something that has no counterpart here.
            BuildError: the requirements cannot be installed.
        """
        file = self._read(image)
        interpreter = interpreters.chosen(file.python)
        if image.aws is not None:
            progress(f"image {image.uri}: {image.aws.explanation(interpreter.short)}")
        elif file.python not in ("", interpreter.short):
            progress(
                f"image {image.name}: asks for Python {file.python}, which this machine has not, or which is too old:"
                f" running Python {interpreter.short}; install python{file.python} to have it"
            )
        virtualenv = Virtualenv(self._cache_dir, file.installs, interpreter)
        try:
            virtualenv.ensure(lambda line: progress(f"image {image.name}: {line}"))
        except BuildError as error:
            raise BuildError(f"Cannot build image {image.name} ({image.dockerfile}): {error}") from error
        return _environment(image, file, virtualenv)

    def _read(self, image: Image, within: tuple[Path, ...] = ()) -> Dockerfile:
        """``within``: the definitions that are built on it, in which it does not look for its own base."""
        known = partial(self._base, (*within, image.dockerfile))
        return read_dockerfile(image.dockerfile, _BASE_PATH, known)

    def _base(self, within: tuple[Path, ...], uri: str) -> Dockerfile | None:
        """The definition that another one is built on: of the same folder, or a stand-in."""
        if "/" not in uri and self._own(uri, uri.partition(":")[0]) is None:
            return None  # one of Docker Hub's, such as python:3.11
        try:
            image = self.resolve(uri)
        except ImageNotFound:
            return None
        if image.dockerfile in within:
            return None
        file = self._read(image, within)
        file.env |= asked(image)
        return file

    def _names(self) -> list[str]:
        return sorted(path.parent.name for path in self._containers_dir.glob("*/Dockerfile"))


def repository_of(image_uri: str) -> str:
    """``a/b`` of ``registry/a/b:tag`` and ``registry/a/b@sha256:…``."""
    path = image_uri.partition("@")[0]
    head, slash, last = path.rpartition("/")
    return f"{head}{slash}{last.partition(':')[0]}"


def tag_of(image_uri: str) -> str:
    """``1.7-1`` of ``registry/a/b:1.7-1``; empty where there is none."""
    return image_uri.partition("@")[0].rpartition("/")[2].partition(":")[2]


def _environment(image: Image, file: Dockerfile, virtualenv: Virtualenv) -> Environment:
    base_path = f"{virtualenv.folder / 'bin'}:{_SYSTEM_PATH}"
    preload = file.labels.get("preload")
    return Environment(
        name=f"{image.name}-{_fingerprint(file, virtualenv)}",
        python=virtualenv.python,
        bin=virtualenv.folder / "bin",
        roots=[virtualenv.folder, virtualenv.interpreter.prefix],
        preload=virtualenv.modules() if preload is None else preload.split(),
        env=NO_METADATA
        | {name: value.replace(_BASE_PATH, base_path) for name, value in file.env.items()}
        | asked(image),
        entrypoint=file.entrypoint,
        cmd=file.cmd,
        workdir=file.workdir,
        files=[(copy.source, copy.target) for copy in file.copies],
    )


def asked(image: Image) -> dict[str, str]:
    """The version that was asked for decides what files the programs of AWS's images write."""
    return {} if image.aws is None else {"EMULATOR_IMAGE_VERSION": image.aws.version}


def _fingerprint(file: Dockerfile, virtualenv: Virtualenv) -> str:
    """Changes with the Dockerfile, the requirements and every copied file."""
    state = hashlib.sha256(virtualenv.digest.encode() + file.path.read_bytes())
    for copy in file.copies:
        for path in files_of(copy.source):
            status = path.stat()
            state.update(f"{path}\0{status.st_mtime_ns}\0{status.st_size}\0{status.st_mode}\0".encode())
    return state.hexdigest()[:16]


def files_of(source: Path) -> Iterator[Path]:
    if source.is_dir():
        yield from sorted(path for path in source.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    else:
        yield source
