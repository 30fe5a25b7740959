"""ECR's own way of uploading layers, part by part; docker's way is in ``registry_api``."""

from __future__ import annotations

import re
from typing import Any

from emulator.aws.operations import Request, Response, operation
from emulator.services.context import Context
from emulator.services.ecr.errors import EcrError, no_such_layer, no_such_upload
from emulator.services.ecr.repositories import named, repository_of
from emulator.store.image_layers import UploadError
from emulator.store.resources import Resource, Scope

DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
PART = 20 << 20
MEDIA_TYPE = "application/vnd.docker.image.rootfs.diff.tar.gzip"


@operation("ecr", "BatchCheckLayerAvailability")
def batch_check_layer_availability(request: Request, context: Context) -> Response:
    repository = repository_of(request, context)
    layers: list[dict[str, Any]] = []
    failures: list[dict[str, Any]] = []
    for digest in request["layerDigests"]:
        found = context.app.neighbours.layers.find(repository.arn, digest)
        if not DIGEST.fullmatch(digest):
            code = "InvalidLayerDigest" if digest else "MissingLayerDigest"
            failures.append({"layerDigest": digest, "failureCode": code, "failureReason": f"{digest!r} is no digest"})
        elif found is None:
            layers.append({"layerDigest": digest, "layerAvailability": "UNAVAILABLE"})
        else:
            here = {"layerAvailability": "AVAILABLE", "layerSize": found.size, "mediaType": MEDIA_TYPE}
            layers.append({"layerDigest": digest} | here)
    return {"layers": layers, "failures": failures}


@operation("ecr", "InitiateLayerUpload")
def initiate_layer_upload(request: Request, context: Context) -> Response:
    return {"uploadId": context.app.neighbours.layers.begin(repository_of(request, context).arn), "partSize": PART}


@operation("ecr", "UploadLayerPart", blocking=True)
def upload_layer_part(request: Request, context: Context) -> Response:
    repository, upload = repository_of(request, context), request["uploadId"]
    first, last, data = request["partFirstByte"], request["partLastByte"], request["layerPartBlob"]
    size = _size(repository, upload, context)
    if last - first + 1 != len(data):
        raise _invalid_part(f"bytes {first} to {last} are announced, and {len(data)} bytes came", size)
    try:
        size = context.app.neighbours.layers.append(upload, data, first)
    except UploadError as error:
        raise _invalid_part(str(error), size) from error
    return named(repository) | {"uploadId": upload, "lastByteReceived": size - 1}


@operation("ecr", "CompleteLayerUpload", blocking=True)
def complete_layer_upload(request: Request, context: Context) -> Response:
    repository, upload = repository_of(request, context), request["uploadId"]
    layers, digest = context.app.neighbours.layers, request["layerDigests"][0]
    if _size(repository, upload, context) == 0:
        raise EcrError("EmptyUploadException", f"The upload with id '{upload}' has no layer part")
    if layers.find(repository.arn, digest):
        layers.cancel(upload)
        message = f"The layer with digest '{digest}' already exists in the repository with name '{repository.name}'"
        raise EcrError("LayerAlreadyExistsException", message)
    try:
        layers.complete(repository.arn, upload, digest)
    except UploadError as error:
        raise EcrError("InvalidLayerException", f"Layer digest does not match: {error}") from error
    return named(repository) | {"uploadId": upload, "layerDigest": digest}


@operation("ecr", "GetDownloadUrlForLayer")
def get_download_url_for_layer(request: Request, context: Context) -> Response:
    """A URL that needs no header: it carries a token of its own, as AWS's carry a signature."""
    repository, digest = repository_of(request, context), request["layerDigest"]
    if context.app.neighbours.layers.find(repository.arn, digest) is None:
        raise no_such_layer(digest, repository.name, repository.scope.account)
    token, _ = context.app.neighbours.images.issue_token(Scope(repository.scope.account, context.region))
    url = f"{context.app.settings.url}/v2/{repository.name}/blobs/{digest}?token={token}"
    return {"downloadUrl": url, "layerDigest": digest}


def _size(repository: Resource, upload: str, context: Context) -> int:
    size = context.app.neighbours.layers.size(repository.arn, upload)
    if size is None:
        raise no_such_upload(upload, repository.name, repository.scope.account)
    return size


def _invalid_part(message: str, size: int) -> EcrError:
    return EcrError("InvalidLayerPartException", f"{message}; the last byte received is {size - 1}")
