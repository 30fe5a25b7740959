"""What a manifest says of its image: the layers it needs, or the images that it lists."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from emulator.services.ecr.errors import invalid_parameter

DOCKER_IMAGE = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
OCI_IMAGE = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
IMAGES = (DOCKER_IMAGE, OCI_IMAGE)
LISTS = (DOCKER_LIST, OCI_INDEX)


@dataclass(frozen=True, slots=True)
class Manifest:
    """``layers`` with the config among them; ``images`` are the digests that a list of images names."""

    content: bytes
    media_type: str
    artifact_type: str
    layers: tuple[str, ...]
    images: tuple[str, ...]
    size: int

    @property
    def digest(self) -> str:
        return f"sha256:{hashlib.sha256(self.content).hexdigest()}"


def read_manifest(content: bytes, media_type: str | None) -> Manifest:
    """Take a manifest apart; its media type is the request's, its own, or known by its members.

    Raises:
        EcrError: it is none, or of a kind that ECR does not take.
    """
    try:
        document = json.loads(content)
        kind = media_type or document.get("mediaType") or (OCI_INDEX if "manifests" in document else OCI_IMAGE)
        if kind in LISTS:
            images = [entry["digest"] for entry in document["manifests"]]
            return Manifest(content, kind, "", (), tuple(images), len(content))
        if kind in IMAGES:
            return _image(content, kind, document)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        message = "Invalid parameter at 'ImageManifest' failed to satisfy constraint: 'Invalid JSON syntax'"
        raise invalid_parameter(message) from error
    raise invalid_parameter(f"The media type {kind!r} of the image manifest is not supported")


def _image(content: bytes, kind: str, document: dict[str, Any]) -> Manifest:
    entries = [document["config"], *(layer for layer in document["layers"] if not layer.get("urls"))]
    digests = tuple(dict.fromkeys(str(entry["digest"]) for entry in entries))
    size = sum(int(layer["size"]) for layer in document["layers"])
    artifact = str(document.get("artifactType") or document["config"].get("mediaType") or "")
    return Manifest(content, kind, artifact, digests, (), size)
