"""The images of a checkout: folders of ``containers/`` with a Dockerfile, each tagged by the hash of its content.

What the definition refers to is therefore what was built from exactly these files, and what CI tested is what runs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pipelines.errors import ContainerNotFound
from pipelines.fingerprint import hash_folder

TAG_LENGTH = 12
ECR_IMAGE = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(?:\.cn)?/(?P<name>[a-z0-9._/-]+)"
    r"(?::(?P<tag>[\w.-]+)|@(?P<digest>sha256:[0-9a-f]+))?"
)
"""The URI of an image in ECR."""


@dataclass(frozen=True)
class ContainerImage:
    """An image to build from ``folder``; ``name`` is that of its repository in ECR, too."""

    name: str
    folder: Path

    @cached_property
    def tag(self) -> str:
        """The hash of the folder's content: another content is another image."""
        return hash_folder(self.folder)[:TAG_LENGTH]

    @property
    def reference(self) -> str:
        """``name:tag``."""
        return f"{self.name}:{self.tag}"


def list_images(root: Path) -> list[ContainerImage]:
    """Every image of a checkout, by name."""
    return [
        ContainerImage(path.parent.name, path.parent) for path in sorted((root / "containers").glob("*/Dockerfile"))
    ]


def find_image(root: Path, name: str) -> ContainerImage:
    """The image of ``containers/<name>``.

    Raises:
        ContainerNotFound: there is no such folder with a Dockerfile.
    """
    found = {image.name: image for image in list_images(root)}
    if name not in found:
        raise ContainerNotFound(name, found)
    return found[name]


def choose_images(root: Path, names: Iterable[str]) -> list[ContainerImage]:
    """The images of these names, or all of the checkout without any."""
    return [find_image(root, name) for name in names] or list_images(root)
