"""ECR images: a manifest in a repository, found by its digest or by a tag."""

from __future__ import annotations

import base64
import re
import time
from typing import Any

from emulator.aws.operations import Request, Response, operation
from emulator.services.context import App, Context
from emulator.services.ecr.errors import (
    EcrError,
    image_exists,
    invalid_parameter,
    no_such_image,
    no_such_layers,
    tag_is_immutable,
)
from emulator.services.ecr.manifests import Manifest, read_manifest
from emulator.services.ecr.repositories import is_immutable, named, repository_of
from emulator.store.images import Image
from emulator.store.resources import Resource

PAGE = 100
TAG = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}")


def store_image(app: App, repository: Resource, manifest: Manifest, tag: str) -> Image:
    """Make a manifest an image of a repository, and ``tag`` (if there is one) its name.

    Raises:
        EcrError: it needs layers or images that are not there, or the tag may not be moved.
    """
    if tag and not TAG.fullmatch(tag):
        raise invalid_parameter(
            f"Invalid parameter at 'imageTag' failed to satisfy constraint: 'must satisfy regular expression "
            f"'{TAG.pattern}''",
            "TAG_INVALID",
        )
    _check_parts(app, repository, manifest)
    image = Image(
        manifest.digest,
        manifest.content,
        manifest.media_type,
        manifest.artifact_type,
        manifest.layers,
        manifest.size,
        time.time(),
    )
    with app.resources.database.transaction():
        if tag and is_immutable(repository) and app.neighbours.images.find(repository.arn, tag=tag):
            raise tag_is_immutable(tag, repository.name)
        app.neighbours.images.put(repository.arn, image, tag)
    return image


def find_image(app: App, repository: Resource, image_id: dict[str, str]) -> Image:
    """The image of ``{"imageDigest": …, "imageTag": …}``, of which one is enough.

    Raises:
        EcrError: ImageNotFoundException.
    """
    digest, tag = image_id.get("imageDigest", ""), image_id.get("imageTag", "")
    found = app.neighbours.images.find(repository.arn, digest=digest, tag=tag)
    if found is None:
        raise no_such_image(digest, tag, repository.name, repository.scope.account)
    return found


@operation("ecr", "PutImage", blocking=True)
def put_image(request: Request, context: Context) -> Response:
    repository = repository_of(request, context)
    manifest = read_manifest(request["imageManifest"].encode(), request.get("imageManifestMediaType"))
    tag, wanted = request.get("imageTag", ""), request.get("imageDigest")
    if wanted not in (None, manifest.digest):
        message = f"The image digest '{wanted}' does not match the digest '{manifest.digest}' of the manifest"
        raise EcrError("ImageDigestDoesNotMatchException", message)
    if context.app.neighbours.images.find(repository.arn, digest=manifest.digest, tag=tag):
        raise image_exists(manifest.digest, tag, repository.name, repository.scope.account)
    return {"image": _shown(repository, store_image(context.app, repository, manifest, tag), tag)}


@operation("ecr", "BatchGetImage")
def batch_get_image(request: Request, context: Context) -> Response:
    repository = repository_of(request, context)
    images: list[dict[str, Any]] = []
    failures: list[dict[str, Any]] = []
    for image_id in request["imageIds"]:
        try:
            found = find_image(context.app, repository, image_id)
            images.append(_shown(repository, found, image_id.get("imageTag", "")))
        except EcrError:
            failures.append(_failure(image_id))
    return {"images": images, "failures": failures}


@operation("ecr", "ListImages")
def list_images(request: Request, context: Context) -> Response:
    """An entry per tag, and one per image without tags."""
    page, token = _page(request, context)
    wanted = (request.get("filter") or {}).get("tagStatus", "ANY")
    entries = [
        {"imageDigest": image.digest} | ({"imageTag": tag} if tag else {})
        for image in page
        for tag in image.tags or ("",)
        if wanted == "ANY" or (wanted == "TAGGED") == bool(tag)
    ]
    return {"imageIds": entries, "nextToken": token}


@operation("ecr", "DescribeImages")
def describe_images(request: Request, context: Context) -> Response:
    repository = repository_of(request, context)
    if ids := request.get("imageIds"):
        found = {image.digest: image for image in (find_image(context.app, repository, each) for each in ids)}
        return {"imageDetails": [_detailed(repository, image) for image in found.values()]}
    page, token = _page(request, context)
    wanted = (request.get("filter") or {}).get("tagStatus", "ANY")
    chosen = [image for image in page if wanted == "ANY" or (wanted == "TAGGED") == bool(image.tags)]
    return {"imageDetails": [_detailed(repository, image) for image in chosen], "nextToken": token}


@operation("ecr", "BatchDeleteImage", blocking=True)
def batch_delete_image(request: Request, context: Context) -> Response:
    """A tag takes only the tag away, unless it is the image's last; a digest takes the image."""
    repository, images = repository_of(request, context), context.app.neighbours.images
    deleted: list[dict[str, str]] = []
    failures: list[dict[str, Any]] = []
    for image_id in request["imageIds"]:
        tag = image_id.get("imageTag", "")
        found = images.find(repository.arn, digest=image_id.get("imageDigest", ""), tag=tag)
        if found is None:
            failures.append(_failure(image_id))
            continue
        deleted += [{"imageDigest": found.digest} | ({"imageTag": each} if each else {})
                    for each in ([tag] if tag else found.tags or ("",))]  # fmt: skip
        if tag and len(found.tags) > 1:
            images.untag(repository.arn, tag)
        else:
            _delete(context.app, repository, found)
    return {"imageIds": deleted, "failures": failures}


def _delete(app: App, repository: Resource, image: Image) -> None:
    """Remove an image, and the layers that no other image of the repository has."""
    app.neighbours.images.delete(repository.arn, image.digest)
    kept = {digest for other in app.neighbours.images.all(repository.arn) for digest in other.layers}
    app.neighbours.layers.drop(repository.arn, set(image.layers) - kept)


def _check_parts(app: App, repository: Resource, manifest: Manifest) -> None:
    account, layers, images = repository.scope.account, app.neighbours.layers, app.neighbours.images
    missing = [digest for digest in manifest.layers if layers.find(repository.arn, digest) is None]
    if missing:
        raise no_such_layers(missing, repository.name, account)
    lost = [digest for digest in manifest.images if images.find(repository.arn, digest=digest) is None]
    if lost:
        message = (
            f"Images with digests '[{', '.join(lost)}]' required for pushing image into repository with name "
            f"'{repository.name}' in the registry with id '{account}' do not exist"
        )
        raise EcrError("ReferencedImagesNotFoundException", message, "MANIFEST_BLOB_UNKNOWN")


def _page(request: Request, context: Context) -> tuple[list[Image], str | None]:
    repository, limit = repository_of(request, context), request.get("maxResults") or PAGE
    found = context.app.neighbours.images.page(repository.arn, _after(request.get("nextToken")), limit + 1)
    more = len(found) > limit
    return found[:limit], base64.urlsafe_b64encode(str(found[limit - 1].id).encode()).decode() if more else None


def _after(token: str | None) -> int:
    try:
        return int(base64.urlsafe_b64decode((token or "MA==").encode()))
    except ValueError as error:
        raise invalid_parameter("Invalid parameter at 'nextToken' failed to satisfy constraint") from error


def _failure(image_id: dict[str, str]) -> dict[str, Any]:
    if not image_id:
        reason = "Missing image digest and tag"
        return {"imageId": image_id, "failureCode": "MissingDigestAndTag", "failureReason": reason}
    return {"imageId": image_id, "failureCode": "ImageNotFound", "failureReason": "Requested image not found"}


def _shown(repository: Resource, image: Image, tag: str) -> dict[str, Any]:
    return {
        **named(repository),
        "imageId": {"imageDigest": image.digest} | ({"imageTag": tag} if tag else {}),
        "imageManifest": image.manifest.decode(),
        "imageManifestMediaType": image.media_type,
    }


def _detailed(repository: Resource, image: Image) -> dict[str, Any]:
    return {
        **named(repository),
        "imageDigest": image.digest,
        "imageTags": list(image.tags) or None,
        "imageSizeInBytes": image.size,
        "imagePushedAt": image.pushed,
        "imageManifestMediaType": image.media_type,
        "artifactMediaType": image.artifact_type or None,
    }
