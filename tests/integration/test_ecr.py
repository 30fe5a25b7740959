"""ECR of a running emulator: its own operations, docker's registry API, and real programs that push by it."""

from __future__ import annotations

import base64
import gzip
import io
import json
import shutil
import subprocess
import tarfile
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from botocore.exceptions import ClientError

from tests.integration.container_images import DOCKER_IMAGE, digest_of, manifest_of, put, upload
from tests.integration.emulators import Emulator


@pytest.fixture(scope="module")
def ecr(emulator: Emulator) -> Any:
    return emulator.client("ecr")


@pytest.fixture
def repository(ecr: Any) -> str:
    name = f"team/image-{uuid.uuid4().hex[:8]}"
    ecr.create_repository(repositoryName=name)
    return name


def code_of(call: Any, **request: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**request)
    return str(caught.value.response["Error"]["Code"])


def test_a_repository_is_created_described_and_deleted(ecr: Any) -> None:
    name = f"r-{uuid.uuid4().hex[:8]}"
    made = ecr.create_repository(repositoryName=name, tags=[{"Key": "team", "Value": "a"}])["repository"]
    assert made["repositoryUri"] == f"123456789012.dkr.ecr.us-east-1.amazonaws.com/{name}"
    assert made["repositoryArn"] == f"arn:aws:ecr:us-east-1:123456789012:repository/{name}"
    assert (made["imageTagMutability"], made["imageScanningConfiguration"]) == ("MUTABLE", {"scanOnPush": False})
    assert ecr.describe_repositories(repositoryNames=[name])["repositories"] == [made]
    assert made in [each for page in ecr.get_paginator("describe_repositories").paginate(
        PaginationConfig={"PageSize": 1}) for each in page["repositories"]]  # fmt: skip
    tags = ecr.list_tags_for_resource(resourceArn=made["repositoryArn"])["tags"]
    assert tags == [{"Key": "team", "Value": "a"}]
    assert code_of(ecr.create_repository, repositoryName=name) == "RepositoryAlreadyExistsException"
    ecr.set_repository_policy(repositoryName=name, policyText='{"Version": "2012-10-17", "Statement": []}')
    assert json.loads(ecr.get_repository_policy(repositoryName=name)["policyText"])["Statement"] == []
    ecr.delete_repository(repositoryName=name)
    assert code_of(ecr.describe_repositories, repositoryNames=[name]) == "RepositoryNotFoundException"
    assert code_of(ecr.list_images, repositoryName=name) == "RepositoryNotFoundException"


def test_an_image_is_put_listed_got_and_deleted(ecr: Any, repository: str) -> None:
    first, second = put(ecr, repository, "a"), put(ecr, repository, "b", b'{"two": 2}')
    ids = ecr.list_images(repositoryName=repository)["imageIds"]
    assert ids == [{"imageDigest": first, "imageTag": "a"}, {"imageDigest": second, "imageTag": "b"}]
    (detail,) = ecr.describe_images(repositoryName=repository, imageIds=[{"imageTag": "b"}])["imageDetails"]
    assert (detail["imageDigest"], detail["imageTags"], detail["imageSizeInBytes"]) == (second, ["b"], 2500)
    got = ecr.batch_get_image(repositoryName=repository, imageIds=[{"imageTag": "a"}, {"imageTag": "none"}])
    assert digest_of(got["images"][0]["imageManifest"].encode()) == first
    assert [failure["failureCode"] for failure in got["failures"]] == ["ImageNotFound"]
    assert code_of(ecr.describe_images, repositoryName=repository, imageIds=[{"imageTag": "none"}]) == (
        "ImageNotFoundException"
    )
    assert code_of(ecr.delete_repository, repositoryName=repository) == "RepositoryNotEmptyException"
    gone = ecr.batch_delete_image(repositoryName=repository, imageIds=[{"imageDigest": first}])["imageIds"]
    assert gone == [{"imageDigest": first, "imageTag": "a"}]
    layers = [digest_of(b"layer" * 500), digest_of(b"{}")]
    left = ecr.batch_check_layer_availability(repositoryName=repository, layerDigests=layers)["layers"]
    assert [each["layerAvailability"] for each in left] == ["AVAILABLE", "UNAVAILABLE"]
    ecr.delete_repository(repositoryName=repository, force=True)


def test_an_image_without_its_layers_is_refused(ecr: Any, repository: str) -> None:
    manifest = manifest_of(b"{}", b"nothing").decode()
    assert code_of(ecr.put_image, repositoryName=repository, imageManifest=manifest, imageTag="x") == (
        "LayersNotFoundException"
    )
    assert code_of(ecr.put_image, repositoryName=repository, imageManifest="[1", imageTag="x") == (
        "InvalidParameterException"
    )


def test_tags_move_unless_they_are_immutable(ecr: Any, repository: str) -> None:
    put(ecr, repository, "a")
    second = put(ecr, repository, "a", b'{"two": 2}')
    (entry,) = [each for each in ecr.list_images(repositoryName=repository)["imageIds"] if "imageTag" in each]
    assert entry == {"imageDigest": second, "imageTag": "a"}
    ecr.put_image_tag_mutability(repositoryName=repository, imageTagMutability="IMMUTABLE")
    upload(ecr, repository, b'{"three": 3}')
    manifest = manifest_of(b'{"three": 3}', b"layer" * 500).decode()
    assert code_of(ecr.put_image, repositoryName=repository, imageManifest=manifest, imageTag="a") == (
        "ImageTagAlreadyExistsException"
    )


def test_parts_come_in_order_and_make_what_was_promised(ecr: Any, repository: str) -> None:
    upload_id = ecr.initiate_layer_upload(repositoryName=repository)["uploadId"]
    part = {"repositoryName": repository, "uploadId": upload_id, "layerPartBlob": b"abc"}
    assert code_of(ecr.complete_layer_upload, repositoryName=repository, uploadId=upload_id,
                   layerDigests=[digest_of(b"abc")]) == "EmptyUploadException"  # fmt: skip
    assert code_of(ecr.upload_layer_part, **part, partFirstByte=5, partLastByte=7) == "InvalidLayerPartException"
    assert code_of(ecr.upload_layer_part, **part, partFirstByte=0, partLastByte=9) == "InvalidLayerPartException"
    ecr.upload_layer_part(**part, partFirstByte=0, partLastByte=2)
    assert code_of(ecr.complete_layer_upload, repositoryName=repository, uploadId=upload_id,
                   layerDigests=[digest_of(b"other")]) == "InvalidLayerException"  # fmt: skip
    assert code_of(ecr.upload_layer_part, **part, partFirstByte=3, partLastByte=5) == "UploadNotFoundException"


def test_a_half_finished_upload_and_an_image_survive_kill_9(own_emulator: Emulator) -> None:
    own_emulator.start()
    ecr = own_emulator.client("ecr")
    ecr.create_repository(repositoryName="kept")
    image = put(ecr, "kept", "a")
    upload_id = ecr.initiate_layer_upload(repositoryName="kept")["uploadId"]
    part = {"repositoryName": "kept", "uploadId": upload_id}
    ecr.upload_layer_part(**part, partFirstByte=0, partLastByte=2, layerPartBlob=b"abc")
    own_emulator.kill()
    own_emulator.start()
    ecr = own_emulator.client("ecr")
    assert ecr.describe_images(repositoryName="kept")["imageDetails"][0]["imageDigest"] == image
    ecr.upload_layer_part(**part, partFirstByte=3, partLastByte=5, layerPartBlob=b"def")
    ecr.complete_layer_upload(**part, layerDigests=[digest_of(b"abcdef")])
    url = ecr.get_download_url_for_layer(repositoryName="kept", layerDigest=digest_of(b"abcdef"))["downloadUrl"]
    with urlopen(url) as answer:
        assert answer.read() == b"abcdef"


def test_a_reset_takes_the_images_too(own_emulator: Emulator) -> None:
    own_emulator.start()
    ecr = own_emulator.client("ecr")
    ecr.create_repository(repositoryName="lost")
    put(ecr, "lost", "a")
    layers = own_emulator.data_dir / "images" / "layers"
    assert len(list(layers.iterdir())) == 2
    own_emulator.stop()
    own_emulator.run("reset", "--yes")
    assert not layers.exists()


def test_of_two_that_complete_an_upload_one_is_told_that_it_is_over(ecr: Any, repository: str) -> None:
    content = b"x" * 3_000_000
    upload_id = ecr.initiate_layer_upload(repositoryName=repository)["uploadId"]
    part = {"repositoryName": repository, "uploadId": upload_id}
    ecr.upload_layer_part(**part, partFirstByte=0, partLastByte=len(content) - 1, layerPartBlob=content)

    def complete(_: int) -> str:
        try:
            ecr.complete_layer_upload(**part, layerDigests=[digest_of(content)])
            return "completed"
        except ClientError as error:
            return str(error.response["Error"]["Code"])

    with ThreadPoolExecutor(4) as pool:
        outcomes = sorted(pool.map(complete, range(4)))
    refusals = {"InvalidLayerException", "LayerAlreadyExistsException", "UploadNotFoundException"}
    assert outcomes.count("completed") >= 1
    assert set(outcomes) <= {"completed", *refusals}
    (layer,) = ecr.batch_check_layer_availability(repositoryName=repository, layerDigests=[digest_of(content)])[
        "layers"
    ]
    assert (layer["layerAvailability"], layer["layerSize"]) == ("AVAILABLE", len(content))


class Registry:
    """A client of docker's API."""

    def __init__(self, ecr: Any) -> None:
        (data,) = ecr.get_authorization_token()["authorizationData"]
        self.url, self.token = data["proxyEndpoint"], data["authorizationToken"]

    @property
    def password(self) -> str:
        return base64.b64decode(self.token).decode().partition(":")[2]

    def send(self, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, Any, bytes]:
        sent = {"Authorization": f"Basic {self.token}"} | {key.replace("_", "-"): text for key, text in headers.items()}
        request = Request(self.url + path, body, {key: text for key, text in sent.items() if text}, method=method)
        try:
            with urlopen(request) as answer:
                return answer.status, answer.headers, answer.read()
        except HTTPError as error:
            with error:
                return error.code, error.headers, error.read()


@pytest.fixture
def registry(ecr: Any) -> Registry:
    return Registry(ecr)


def test_the_registry_api_wants_a_login(registry: Registry) -> None:
    assert registry.send("GET", "/v2/")[0] == 200
    status, headers, _ = registry.send("GET", "/v2/", Authorization="")
    assert (status, headers["WWW-Authenticate"]) == (401, 'Basic realm="Amazon ECR"')
    wrong = base64.b64encode(b"AWS:nonsense").decode()
    status, _, body = registry.send("GET", "/v2/", Authorization=f"Basic {wrong}")
    assert status == 403
    assert "Reauthenticate" in json.loads(body)["errors"][0]["message"]


def test_the_registry_api_takes_a_layer_in_pieces_and_an_image(ecr: Any, registry: Registry, repository: str) -> None:
    base, layer = f"/v2/{repository}", b"0123456789" * 300_000
    status, headers, _ = registry.send("POST", f"{base}/blobs/uploads/", b"")
    place = headers["Location"]
    assert status == 202
    assert registry.send("PATCH", place, layer[:2_000_000])[0] == 202
    assert registry.send("GET", place)[1]["Range"] == "0-1999999"
    assert registry.send("PATCH", place, b"x", Content_Range="5-5")[0] == 416
    assert registry.send("PUT", f"{place}?digest={digest_of(layer)}", layer[2_000_000:])[0] == 201
    assert registry.send("HEAD", f"{base}/blobs/{digest_of(layer)}")[1]["Content-Length"] == str(len(layer))
    assert registry.send("GET", f"{base}/blobs/{digest_of(layer)}")[2] == layer
    manifest = manifest_of(b"{}", layer)
    status, _, body = registry.send("PUT", f"{base}/manifests/1", manifest, Content_Type=DOCKER_IMAGE)
    assert (status, json.loads(body)["errors"][0]["code"]) == (400, "BLOB_UNKNOWN")
    _, headers, _ = registry.send("POST", f"{base}/blobs/uploads/", b"")
    assert registry.send("PUT", f"{headers['Location']}?digest={digest_of(b'{}')}", b"{}")[0] == 201
    assert registry.send("PUT", f"{base}/manifests/1", manifest, Content_Type=DOCKER_IMAGE)[0] == 201
    status, headers, body = registry.send("GET", f"{base}/manifests/1")
    assert (headers["Content-Type"], headers["Docker-Content-Digest"], body) == (
        DOCKER_IMAGE,
        digest_of(manifest),
        manifest,
    )
    assert json.loads(registry.send("GET", f"{base}/tags/list")[2])["tags"] == ["1"]
    assert ecr.describe_images(repositoryName=repository)["imageDetails"][0]["imageTags"] == ["1"]


def test_the_registry_api_refuses_as_ecr_does(ecr: Any, registry: Registry, repository: str) -> None:
    status, _, body = registry.send("POST", "/v2/none/blobs/uploads/", b"")
    assert (status, json.loads(body)["errors"][0]["code"]) == (404, "NAME_UNKNOWN")
    assert registry.send("DELETE", f"/v2/{repository}/manifests/1")[0] == 405
    _, headers, _ = registry.send("POST", f"/v2/{repository}/blobs/uploads/", b"")
    status, _, body = registry.send("PUT", f"{headers['Location']}?digest={digest_of(b'a')}", b"b")
    assert (status, json.loads(body)["errors"][0]["code"]) == (400, "DIGEST_INVALID")
    assert registry.send("PATCH", headers["Location"], b"c")[0] == 404
    put(ecr, repository, "a")
    ecr.put_image_tag_mutability(repositoryName=repository, imageTagMutability="IMMUTABLE")
    manifest = manifest_of(b"{}", b"layer" * 500) + b" "
    status, _, body = registry.send("PUT", f"/v2/{repository}/manifests/a", manifest, Content_Type=DOCKER_IMAGE)
    assert (status, json.loads(body)["errors"][0]["code"]) == (400, "TAG_INVALID")


def test_a_token_is_for_one_account(emulator: Emulator, registry: Registry, repository: str) -> None:
    import boto3

    exports = emulator.exports
    other = boto3.client(
        "ecr",
        region_name="us-east-1",
        endpoint_url=exports["AWS_ENDPOINT_URL"],
        aws_access_key_id="999999999999",
        aws_secret_access_key="x",
    )
    assert registry.send("GET", f"/v2/{repository}/tags/list")[0] == 200
    assert Registry(other).send("GET", f"/v2/{repository}/tags/list")[0] == 404


def oci_layout(folder: Path) -> str:
    """An image of one file in a folder, as ``skopeo copy oci:…`` reads it."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        member = tarfile.TarInfo("hello.txt")
        member.size = 5
        archive.addfile(member, io.BytesIO(b"hello"))
    diff, layer = digest_of(packed.getvalue()), gzip.compress(packed.getvalue(), mtime=0)
    config = json.dumps(
        {"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": [diff]}, "config": {}}
    ).encode()
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    kind = "application/vnd.oci.image"
    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": f"{kind}.manifest.v1+json",
            "config": {"mediaType": f"{kind}.config.v1+json", "size": len(config), "digest": digest_of(config)},
            "layers": [{"mediaType": f"{kind}.layer.v1.tar+gzip", "size": len(layer), "digest": digest_of(layer)}],
        }
    ).encode()
    for content in (layer, config, manifest):
        (blobs / digest_of(content).removeprefix("sha256:")).write_bytes(content)
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    entry = {
        "mediaType": f"{kind}.manifest.v1+json",
        "size": len(manifest),
        "digest": digest_of(manifest),
        "annotations": {"org.opencontainers.image.ref.name": "latest"},
    }
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [entry]}))
    return digest_of(manifest)


@pytest.mark.skipif(shutil.which("skopeo") is None, reason="skopeo is not installed (Debian: apt-get install skopeo)")
def test_skopeo_pushes_and_pulls(ecr: Any, registry: Registry, repository: str, tmp_path: Path) -> None:
    digest = oci_layout(tmp_path / "image")
    remote = f"docker://{registry.url.removeprefix('http://')}/{repository}:v1"
    login = f"AWS:{registry.password}"
    policy = ["skopeo", "--insecure-policy", "copy"]
    done = subprocess.run(
        [*policy, "--dest-tls-verify=false", f"--dest-creds={login}", f"oci:{tmp_path / 'image'}:latest", remote],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (detail,) = ecr.describe_images(repositoryName=repository)["imageDetails"]
    assert (detail["imageDigest"], detail["imageTags"]) == (digest, ["v1"])
    done = subprocess.run(
        [*policy, "--src-tls-verify=false", f"--src-creds={login}", remote, f"dir:{tmp_path / 'back'}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert digest_of((tmp_path / "back" / "manifest.json").read_bytes()) == digest


@pytest.mark.skipif(shutil.which("docker") is None, reason="docker's client is not installed")
def test_docker_logs_in(registry: Registry, tmp_path: Path) -> None:
    """Its client talks to the registry by itself for that; a push needs the daemon."""
    command = ["docker", "--config", str(tmp_path), "login", "--username", "AWS", "--password-stdin", registry.url]
    done = subprocess.run(command, input=registry.password, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "Login Succeeded"), done.stderr
    wrong = subprocess.run(command, input="nonsense", capture_output=True, text=True, check=False)
    assert wrong.returncode != 0
