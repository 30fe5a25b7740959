"""Small container images, and putting them into ECR by its own operations."""

from __future__ import annotations

import hashlib
import json
from typing import Any

DOCKER_IMAGE = "application/vnd.docker.distribution.manifest.v2+json"


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def manifest_of(config: bytes, layer: bytes) -> bytes:
    document = {
        "schemaVersion": 2,
        "mediaType": DOCKER_IMAGE,
        "config": {
            "mediaType": "application/vnd.docker.container.image.v1+json",
            "size": len(config),
            "digest": digest_of(config),
        },
        "layers": [
            {
                "mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip",
                "size": len(layer),
                "digest": digest_of(layer),
            }
        ],
    }
    return json.dumps(document).encode()


def upload(ecr: Any, repository: str, content: bytes, part: int = 1000) -> str:
    upload_id = ecr.initiate_layer_upload(repositoryName=repository)["uploadId"]
    for start in range(0, len(content), part):
        data = content[start : start + part]
        answer = ecr.upload_layer_part(
            repositoryName=repository,
            uploadId=upload_id,
            partFirstByte=start,
            partLastByte=start + len(data) - 1,
            layerPartBlob=data,
        )
        assert answer["lastByteReceived"] == start + len(data) - 1
    answer = ecr.complete_layer_upload(repositoryName=repository, uploadId=upload_id, layerDigests=[digest_of(content)])
    return str(answer["layerDigest"])


def put(ecr: Any, repository: str, tag: str, text: bytes = b"{}") -> str:
    """An image of one layer, which differs by its config."""
    layer = b"layer" * 500
    if ecr.batch_check_layer_availability(repositoryName=repository, layerDigests=[digest_of(layer)])["layers"][0][
        "layerAvailability"
    ] == "UNAVAILABLE":  # fmt: skip
        upload(ecr, repository, layer)
    upload(ecr, repository, text)
    manifest = manifest_of(text, layer).decode()
    answer = ecr.put_image(repositoryName=repository, imageManifest=manifest, imageTag=tag)
    return str(answer["image"]["imageId"]["imageDigest"])
