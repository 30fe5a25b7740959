"""What can be wrong with an image.

ImageError
├── ImageNotFound     no definition has the name that the URI asks for
├── DockerfileError   the definition says something that is not understood here
└── BuildError        its requirements could not be installed
"""

from __future__ import annotations


class ImageError(RuntimeError):
    """The message says which image, what is wrong, where, and what to do."""


class ImageNotFound(ImageError):
    pass


class DockerfileError(ImageError):
    pass


class BuildError(ImageError):
    pass
