"""Images: from the URI of a container image to an environment that can run its jobs."""

from emulator.images.images import (
    BuildError,
    DockerfileError,
    Environment,
    Image,
    ImageError,
    ImageNotFound,
    Images,
)

__all__ = ["BuildError", "DockerfileError", "Environment", "Image", "ImageError", "ImageNotFound", "Images"]
