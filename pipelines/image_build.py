"""Building the images that are not there yet."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from pipelines.connection import Connection
from pipelines.container_engine import find_engine
from pipelines.ecr import pushed_digest
from pipelines.images import ContainerImage


def build_images(
    connection: Connection | None, images: Iterable[ContainerImage], engine: str, report: Callable[[str], None]
) -> list[tuple[ContainerImage, str]]:
    """Build images; each with what was done: ``built``, ``unchanged`` (it is here), ``pushed`` (ECR has it).

    ``connection`` is to the ECR to look into before; without one everything that is not here is built.
    """
    done = []
    wanted = list(images)
    pushed = {image.name for image in wanted if connection and pushed_digest(connection, image)}
    builder = find_engine(engine) if len(pushed) < len(wanted) else None
    for image in wanted:
        if image.name in pushed or builder is None:
            action = "pushed"
        else:
            action = "built" if builder.build(image) else "unchanged"
        done.append((image, action))
        report(f"{action} {image.reference}")
    return done
