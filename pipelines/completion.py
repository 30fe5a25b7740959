"""What a shell may complete besides commands and options: names of this checkout. Nothing is asked of AWS."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import click

from pipelines.errors import PipelinesError
from pipelines.project import find_root

Complete = Callable[[click.Context, click.Parameter, str], list[str]]


def _completing(names: Callable[[Path], Iterable[str]]) -> Complete:
    def complete(context: click.Context, parameter: click.Parameter, begun: str) -> list[str]:
        try:
            return [name for name in names(find_root()) if name.startswith(begun)]
        except PipelinesError:
            return []  # a wrong file of the checkout is for the command to tell

    return complete


def _pipelines(root: Path) -> Iterable[str]:
    from pipelines.catalog import list_pipelines

    return (source.name for source in list_pipelines(root))


def _environments(root: Path) -> Iterable[str]:
    from pipelines.environments import environment_names

    return environment_names(root)


def _images(root: Path) -> Iterable[str]:
    from pipelines.images import list_images

    return (image.name for image in list_images(root))


pipeline_names = _completing(_pipelines)
environment_names = _completing(_environments)
image_names = _completing(_images)
