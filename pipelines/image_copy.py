"""Copying an image from one registry to another, byte for byte, by ECR's own operations: no container engine is needed.

The manifest goes last, so an interrupted copy has no image yet; layers that arrived are not sent again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from urllib.request import urlopen

from pipelines.aws_errors import INTERRUPTED, error_code
from pipelines.connection import READ_TIMEOUT_SECONDS, Connection
from pipelines.ecr import ensure_repository
from pipelines.errors import EndpointError, UsageError

PART = 10 << 20
"""Bytes of one part; ECR takes 5 to 20 MiB."""
IMAGE_TYPES = [
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
]


def copy_image(source: Connection, target: Connection, repository: str, tag: str) -> str | None:
    """Copy ``repository:tag`` to the other environment's account; its digest, None if it is there already.

    Raises:
        UsageError: the source has no such image, or the target has another of this name.
    """
    image = _find(source, repository, tag)
    if image is None:
        environment = source.target.environment.name
        raise UsageError(f"Environment {environment} has no image {repository}:{tag}. Next: pipelines images push")
    ensure_repository(target, repository)
    there = _find(target, repository, tag)
    if there is not None:
        if there["imageId"]["imageDigest"] == image["imageId"]["imageDigest"]:
            return None
        name = target.target.environment.name
        raise UsageError(f"Environment {name} has another image {repository}:{tag}: delete it, or keep both apart")
    manifest = json.loads(image["imageManifest"])
    _copy_layers(source, target, repository, [manifest["config"], *manifest["layers"]])
    answer = target.ecr.put_image(
        repositoryName=repository,
        imageTag=tag,
        imageManifest=image["imageManifest"],
        imageManifestMediaType=image["imageManifestMediaType"],
    )
    return str(answer["image"]["imageId"]["imageDigest"])


def _find(connection: Connection, repository: str, tag: str) -> dict[str, Any] | None:
    from botocore.exceptions import ClientError

    wanted = {"imageDigest" if tag.startswith("sha256:") else "imageTag": tag}
    try:
        answer = connection.ecr.batch_get_image(
            repositoryName=repository, imageIds=[wanted], acceptedMediaTypes=IMAGE_TYPES
        )
    except ClientError as error:
        if error_code(error) == "RepositoryNotFoundException":
            return None
        raise
    images: list[dict[str, Any]] = answer["images"]
    return images[0] if images else None


def _copy_layers(source: Connection, target: Connection, repository: str, layers: list[dict[str, Any]]) -> None:
    digests = list(dict.fromkeys(str(layer["digest"]) for layer in layers))
    answer = target.ecr.batch_check_layer_availability(repositoryName=repository, layerDigests=digests)
    there = {each["layerDigest"] for each in answer["layers"] if each["layerAvailability"] == "AVAILABLE"}
    for digest in digests:
        if digest not in there:
            _copy_layer(source, target, repository, digest)


def _copy_layer(source: Connection, target: Connection, repository: str, digest: str) -> None:
    url = source.ecr.get_download_url_for_layer(repositoryName=repository, layerDigest=digest)["downloadUrl"]
    upload = target.ecr.initiate_layer_upload(repositoryName=repository)["uploadId"]
    first = 0
    for part in _parts(url):
        target.ecr.upload_layer_part(
            repositoryName=repository,
            uploadId=upload,
            partFirstByte=first,
            partLastByte=first + len(part) - 1,
            layerPartBlob=part,
        )
        first += len(part)
    target.ecr.complete_layer_upload(repositoryName=repository, uploadId=upload, layerDigests=[digest])


def _parts(url: str) -> Iterator[bytes]:
    try:
        with closing(urlopen(url, timeout=READ_TIMEOUT_SECONDS)) as stream:
            while part := stream.read(PART):
                yield part
    except OSError as error:
        raise EndpointError(f"A layer could not be read from its registry: {error}. {INTERRUPTED}") from error
