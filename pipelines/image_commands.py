"""Commands on the images of ``containers/``: images list, build, push."""

from __future__ import annotations

from typing import Any

import click

from pipelines.completion import image_names
from pipelines.group import command_of, main
from pipelines.workspace import Workspace


@main.group(cls=click.Group)
def images() -> None:
    """Build the images of containers/ and push them to ECR; tags are hashes of the folders' content."""


names_argument = click.argument("names", nargs=-1, metavar="[NAME]...", shell_complete=image_names)
engine_option = click.option("--engine", default="", metavar="NAME", help="podman or docker.  [default: who answers]")


@command_of(images)
@names_argument
def list_(workspace: Workspace, names: tuple[str, ...]) -> None:
    """List images (all, or NAME...) with the URIs that definitions refer to."""
    from pipelines.images import choose_images

    environment = workspace.target.environment
    found = choose_images(workspace.root, names)
    for image in found:
        workspace.write(environment.image(image.name))
    workspace.answer([_document(workspace, image) for image in found])


@command_of(images)
@names_argument
@engine_option
@click.option("--missing", is_flag=True, help="Only those that the environment's ECR lacks.")
def build(workspace: Workspace, names: tuple[str, ...], engine: str, missing: bool) -> None:
    """Build images (all, or NAME...) with podman or docker, unless they are here already."""
    from pipelines.image_build import build_images
    from pipelines.images import choose_images

    found = choose_images(workspace.root, names)
    done = build_images(workspace.connection if missing else None, found, engine, workspace.write)
    workspace.answer([_document(workspace, image) | {"action": action} for image, action in done])


@command_of(images)
@names_argument
@engine_option
@click.option("--from", "origin", metavar="ENV", help="Copy them from this environment's registry, without an engine.")
def push(workspace: Workspace, names: tuple[str, ...], engine: str, origin: str | None) -> None:
    """Push images (all, or NAME...) to the environment's ECR, unless they are there already."""
    from pipelines.image_push import copy_images, push_images
    from pipelines.images import choose_images

    found = choose_images(workspace.root, names)
    if origin:
        done = copy_images(workspace.connection_to(origin), workspace.connection, found, workspace.write)
    else:
        done = push_images(workspace.connection, found, engine, workspace.write)
    workspace.answer([_document(workspace, image) | {"action": action} for image, action in done])


def _document(workspace: Workspace, image: Any) -> dict[str, str]:
    uri = workspace.target.environment.image(image.name)
    return {"image": image.name, "tag": image.tag, "uri": uri}
