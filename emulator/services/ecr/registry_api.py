"""The Docker Registry HTTP API, version 2, under ``/v2/``: what docker, podman, buildah and skopeo push and pull by.

Source: the OCI Distribution Specification. As on ECR every request needs a login (GetAuthorizationToken), a repository
has to be there before it is pushed to, and images are deleted by ECR's own operations only.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, NamedTuple

from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, Response

from emulator.services.context import App, Context
from emulator.services.ecr.authorization import scope_of_login
from emulator.services.ecr.errors import EcrError, invalid_parameter, no_such_layer, no_such_upload
from emulator.services.ecr.images import find_image, store_image
from emulator.services.ecr.layers import DIGEST
from emulator.services.ecr.manifests import read_manifest
from emulator.services.ecr.repositories import KIND, find_repository
from emulator.store.image_layers import UploadError
from emulator.store.resources import Query, Resource

PREFIX = "/v2"
LARGEST_MANIFEST = 4 << 20
_BATCH = 1 << 20
_THREADS = 4
_VERSION = {"Docker-Distribution-Api-Version": "registry/2.0"}
_CHALLENGE = {"WWW-Authenticate": 'Basic realm="Amazon ECR"'}


class _Call(NamedTuple):
    request: Request
    repository: Resource
    what: str
    """The last part of the path: a digest, a tag, the id of an upload, or nothing."""


_ROUTES = [
    (re.compile(rf"{PREFIX}/(?P<name>.+)/{middle}"), kind)
    for middle, kind in (
        (r"blobs/uploads/(?P<what>[0-9a-f-]*)", "upload"),
        (r"blobs/(?P<what>[^/]+)", "blob"),
        (r"manifests/(?P<what>[^/]+)", "manifest"),
        (r"tags/(?P<what>list)", "tags"),
    )
]


class RegistryApi:
    """Answers the requests of one emulator. File work is done in threads of its own."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="registry")
        self._answers: Mapping[tuple[str, str], Callable[[_Call], Awaitable[Response]]] = {
            ("POST", "upload"): self._begin,
            ("GET", "upload"): self._progress,
            ("PATCH", "upload"): self._append,
            ("PUT", "upload"): self._complete,
            ("DELETE", "upload"): self._cancel,
            ("GET", "blob"): self._blob,
            ("HEAD", "blob"): self._blob,
            ("GET", "manifest"): self._manifest,
            ("HEAD", "manifest"): self._manifest,
            ("PUT", "manifest"): self._put_manifest,
            ("GET", "tags"): self._tags,
        }

    async def __call__(self, request: Request, request_id: str) -> Response:
        try:
            answer = await self._answer(request, request_id)
        except EcrError as error:
            document = {"errors": [{"code": error.registry_code, "message": error.message}]}
            answer = _json(document, error.http_status, _CHALLENGE if error.http_status == 401 else {})
        answer.headers.update(_VERSION)
        return answer

    def close(self) -> None:
        self._threads.shutdown()

    async def _answer(self, request: Request, request_id: str) -> Response:
        images, query = self._app.neighbours.images, request.query_params
        scope = images.scope_of_token(query["token"]) if "token" in query else None
        scope = scope or scope_of_login(request.headers.get("authorization", ""), images)
        context, path = Context(scope, request_id, self._app), request.url.path
        if path.rstrip("/") == PREFIX:
            return _json({})
        if path == f"{PREFIX}/_catalog":
            return self._catalog(context)
        for pattern, kind in _ROUTES:
            if found := pattern.fullmatch(path):
                answer = self._answers.get((request.method, kind))
                if answer is None:
                    break
                call = _Call(request, find_repository(context, found["name"]), found["what"])
                return await answer(call)
        raise EcrError("UnsupportedOperation", "The operation is unsupported.", "UNSUPPORTED", 405)

    # Layers

    async def _begin(self, call: _Call) -> Response:
        """Mounting from another repository is not offered, which clients take for a plain upload."""
        return self._uploading(call, self._app.neighbours.layers.begin(call.repository.arn), 0, 202)

    async def _progress(self, call: _Call) -> Response:
        return self._uploading(call, call.what, self._size(call), 204)

    async def _append(self, call: _Call) -> Response:
        size = await self._receive(call)
        return self._uploading(call, call.what, size, 202)

    async def _complete(self, call: _Call) -> Response:
        await self._receive(call)
        digest, layers = call.request.query_params.get("digest", ""), self._app.neighbours.layers
        if not DIGEST.fullmatch(digest):
            raise EcrError("InvalidParameterException", f"{digest!r} is no digest of sha256", "DIGEST_INVALID")
        try:
            await self._run(layers.complete, call.repository.arn, call.what, digest)
        except UploadError as error:
            raise EcrError("InvalidLayerException", f"Invalid digest: {error}", "DIGEST_INVALID") from error
        return _at(call, f"blobs/{digest}", digest)

    async def _cancel(self, call: _Call) -> Response:
        self._size(call)
        self._app.neighbours.layers.cancel(call.what)
        return Response(status_code=204)

    async def _receive(self, call: _Call) -> int:
        """Add the request's body to the upload, from where ``Content-Range`` says if it does; its size then."""
        size, layers = self._size(call), self._app.neighbours.layers
        start = call.request.headers.get("content-range", "").removeprefix("bytes ").partition("-")[0]
        if start and start != str(size):
            message = f"The next byte of the upload is {size}, not {start}"
            raise EcrError("InvalidLayerPartException", message, "BLOB_UPLOAD_INVALID", 416)
        batch = bytearray()
        try:
            async for chunk in call.request.stream():
                batch += chunk
                if len(batch) >= _BATCH:
                    await self._run(layers.append, call.what, bytes(batch))
                    batch.clear()
        except ClientDisconnect:
            await self._run(layers.append, call.what, bytes(batch))
            raise
        except UploadError as error:
            raise EcrError("InvalidLayerPartException", str(error), "SIZE_INVALID", 413) from error
        return int(await self._run(layers.append, call.what, bytes(batch)))

    def _size(self, call: _Call) -> int:
        size = self._app.neighbours.layers.size(call.repository.arn, call.what)
        if size is None:
            raise no_such_upload(call.what, call.repository.name, call.repository.scope.account)
        return size

    def _uploading(self, call: _Call, upload: str, size: int, status: int) -> Response:
        headers = {
            "Location": f"{PREFIX}/{call.repository.name}/blobs/uploads/{upload}",
            "Range": f"0-{max(size - 1, 0)}",
            "Docker-Upload-UUID": upload,
        }
        return Response(status_code=status, headers=headers)

    async def _blob(self, call: _Call) -> Response:
        layers = self._app.neighbours.layers
        found = layers.find(call.repository.arn, call.what)
        if found is None:
            raise no_such_layer(call.what, call.repository.name, call.repository.scope.account)
        headers = {"Docker-Content-Digest": found.digest}
        return FileResponse(layers.path(found.digest), headers=headers, media_type="application/octet-stream")

    # Images

    async def _manifest(self, call: _Call) -> Response:
        image_id = {"imageDigest" if ":" in call.what else "imageTag": call.what}
        image = find_image(self._app, call.repository, image_id)
        headers = {"Docker-Content-Digest": image.digest, "Content-Length": str(len(image.manifest))}
        body = b"" if call.request.method == "HEAD" else image.manifest
        return Response(body, headers=headers, media_type=image.media_type)

    async def _put_manifest(self, call: _Call) -> Response:
        content = bytearray()
        async for chunk in call.request.stream():
            content += chunk
            if len(content) > LARGEST_MANIFEST:
                raise EcrError("InvalidParameterException", "The manifest is too large", "SIZE_INVALID", 413)
        media_type = call.request.headers.get("content-type", "").partition(";")[0] or None
        manifest = read_manifest(bytes(content), media_type)
        by_digest = ":" in call.what
        if by_digest and call.what != manifest.digest:
            raise invalid_parameter(f"The manifest's digest is {manifest.digest}, not {call.what}", "DIGEST_INVALID")
        await self._run(store_image, self._app, call.repository, manifest, "" if by_digest else call.what)
        return _at(call, f"manifests/{call.what}", manifest.digest)

    async def _tags(self, call: _Call) -> Response:
        tags = self._app.neighbours.images.tags(call.repository.arn)
        query = call.request.query_params
        tags = [tag for tag in tags if tag > query.get("last", "")]
        limit = int(query["n"]) if query.get("n", "").isdecimal() else len(tags)
        headers = {}
        if limit < len(tags):
            where = f"{PREFIX}/{call.repository.name}/tags/list?n={limit}&last={tags[limit - 1] if limit else ''}"
            headers["Link"] = f'<{where}>; rel="next"'
        return _json({"name": call.repository.name, "tags": tags[:limit]}, headers=headers)

    def _catalog(self, context: Context) -> Response:
        query = Query(KIND, sort_by="Name", descending=False, max_results=1000)
        found, _ = self._app.resources.page(context.scope, query)
        return _json({"repositories": [repository.name for repository in found]})

    async def _run(self, function: Callable[..., Any], *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._threads, partial(function, *arguments))


def _at(call: _Call, where: str, digest: str) -> Response:
    headers = {"Location": f"{PREFIX}/{call.repository.name}/{where}", "Docker-Content-Digest": digest}
    return Response(status_code=201, headers=headers)


def _json(document: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(json.dumps(document), status, headers, media_type="application/json")
