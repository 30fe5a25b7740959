"""Image URIs where jobs run in real containers: an image that is built from a definition, or pulled.

What the engine already has under an AWS image's own URI is taken as it is: whoever may pull AWS's images runs them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from emulator.images.engine import Engine, EngineError, ulimits
from emulator.images.environment import Environment
from emulator.images.errors import BuildError, ImageNotFound
from emulator.images.images import NO_METADATA, Image, Images, asked, files_of, repository_of
from emulator.images.mapping import Mapping

_REPOSITORY = "localhost/sagemaker-emulator"
"""Under which the engine keeps what is built here."""
MERGING_SHELL = ["/bin/sh", "-c", 'exec "$@" 2>&1', "sh"]
"""An engine carries standard output and error by themselves; joined within, their lines keep their order."""


class ContainerImages(Images):
    """As ``Images``, but for a container engine: nothing of a Dockerfile is refused that the engine understands."""

    def __init__(self, containers_dir: Path, cache_dir: Path, engine: Engine, mapping: Mapping | None = None) -> None:
        super().__init__(containers_dir, cache_dir, mapping)
        self._engine = engine
        self._shells: dict[str, bool] = {}

    def resolve(self, image_uri: str, python: str = "") -> Image:
        """The definition of the image; for a URI without one, the image of that name wherever it can be pulled."""
        try:
            return super().resolve(image_uri, python)
        except ImageNotFound as error:
            return Image(image_uri, repository_of(image_uri).rpartition("/")[2], Path(), undefined=str(error))

    def _has_python(self, version: str) -> bool:
        return True  # the image that is built on brings it

    def environment(self, image: Image, progress: Callable[[str], None]) -> Environment:
        """The image, built or pulled unless the engine has it.

        Raises:
            BuildError: the engine cannot build it.
            ImageNotFound: it has no definition, and the engine cannot pull it.
        """
        reference = self._reference(image, progress)
        config = self._engine.image(reference)
        if config is None:
            raise BuildError(f"{self._engine.name} has no image {reference} after building it")
        return Environment(
            name=f"{self._engine.name}-{reference}",
            python=Path("python3"),
            bin=Path("/usr/bin"),
            env=NO_METADATA | asked(image),
            entrypoint=config.get("Entrypoint") or [],
            cmd=config.get("Cmd") or [],
            workdir=config.get("WorkingDir") or "/",
            image=reference,
            shell=MERGING_SHELL if self._has_shell(reference) else [],
        )

    def _reference(self, image: Image, progress: Callable[[str], None]) -> str:
        if image.undefined:
            return self._pulled(image, progress)
        if image.aws is not None:
            if self._engine.image(image.uri) is not None:
                return image.uri
            progress(f"image {image.uri}: {image.aws.explanation(image.aws.definition.python)}")
        return self._built(image, progress)

    def _pulled(self, image: Image, progress: Callable[[str], None]) -> str:
        if self._engine.image(image.uri) is None:
            try:
                self._engine.follow(["pull", image.uri], lambda line: progress(f"image {image.name}: {line}"))
            except EngineError as error:
                raise ImageNotFound(f"{image.undefined} {error}") from error
        return image.uri

    def _built(self, image: Image, progress: Callable[[str], None]) -> str:
        reference = f"{_REPOSITORY}/{image.name}:{_fingerprint(image.dockerfile)}"
        if self._engine.image(reference) is None:
            arguments = ["build", *ulimits(), "--tag", reference, "--file", str(image.dockerfile)]
            try:
                self._engine.follow(
                    [*arguments, str(image.dockerfile.parent)], lambda line: progress(f"image {image.name}: {line}")
                )
            except EngineError as error:
                raise BuildError(f"Cannot build image {image.name} ({image.dockerfile}): {error}") from error
        return reference

    def _has_shell(self, reference: str) -> bool:
        if reference not in self._shells:
            try:
                self._engine.call(
                    "run", "--rm", "--network=none", *ulimits(), "--entrypoint=/bin/sh", reference, "-c", ":"
                )
                self._shells[reference] = True
            except EngineError:
                self._shells[reference] = False
        return self._shells[reference]


def _fingerprint(dockerfile: Path) -> str:
    """Changes with the Dockerfile and every file of its build context."""
    state = hashlib.sha256(dockerfile.read_bytes())
    for path in files_of(dockerfile.parent):
        state.update(f"{path.relative_to(dockerfile.parent)}\0{path.stat().st_mode}\0".encode() + path.read_bytes())
    return state.hexdigest()[:16]
