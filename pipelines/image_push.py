"""Bringing images to an environment's ECR: from this machine's engine, or from another environment's registry."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from pipelines.connection import Connection
from pipelines.container_engine import find_engine, logged_in
from pipelines.ecr import ensure_repository, log_in, pushed_digest
from pipelines.image_copy import copy_image
from pipelines.images import ContainerImage

Report = Callable[[str], None]
Done = list[tuple[ContainerImage, str]]
"""Each image with what was done: ``pushed``, ``copied`` or ``unchanged``."""


def push_images(connection: Connection, images: Iterable[ContainerImage], engine: str, report: Report) -> Done:
    """Push the images that ECR lacks. An engine is looked for only if there are any, and repositories are made."""
    wanted = list(images)
    present = {image.name for image in wanted if pushed_digest(connection, image)}
    done: Done = []
    if len(present) < len(wanted):
        login, found = log_in(connection), find_engine(engine)
        with logged_in(found, login.endpoint, login.user, login.password) as pusher:
            for image in wanted:
                if image.name not in present:
                    if ensure_repository(connection, image.name):
                        report(f"created repository {image.name}")
                    pusher.push(image, f"{login.host}/{image.reference}")
    for image in wanted:
        done.append((image, "unchanged" if image.name in present else "pushed"))
        report(f"{done[-1][1]} {image.reference}")
    return done


def copy_images(source: Connection, target: Connection, images: Iterable[ContainerImage], report: Report) -> Done:
    """Copy images from one environment's registry to another's, so that the same bytes run in both."""
    done: Done = []
    for image in images:
        digest = copy_image(source, target, image.name, image.tag)
        done.append((image, "copied" if digest else "unchanged"))
        report(f"{done[-1][1]} {image.reference}")
    return done
