"""What the tool asks of ECR: repositories, which images are there, a login."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import Any

from pipelines.aws_errors import error_code
from pipelines.connection import Connection
from pipelines.errors import UsageError
from pipelines.images import ContainerImage

AWS_REGISTRY = re.compile(r"//(\d{12})\.dkr\.ecr\.")


@dataclass(frozen=True)
class Login:
    """``endpoint`` is the URL of the registry: AWS's, or the emulator's own."""

    endpoint: str
    user: str
    password: str

    @property
    def host(self) -> str:
        return self.endpoint.partition("://")[2]


def log_in(connection: Connection) -> Login:
    """A login to the registry of the environment's account.

    Raises:
        UsageError: the credentials are another account's.
    """
    data = connection.ecr.get_authorization_token()["authorizationData"][0]
    registry = AWS_REGISTRY.search(data["proxyEndpoint"])
    environment = connection.target.environment
    if registry and registry[1] != environment.account:
        message = f"the credentials are of account {registry[1]}, the environment is {environment.account}"
        raise UsageError(f"environment {environment.name}: {message}. Who you are: aws sts get-caller-identity")
    user, _, password = base64.b64decode(data["authorizationToken"]).decode().partition(":")
    return Login(data["proxyEndpoint"], user, password)


def pushed_digest(connection: Connection, image: ContainerImage) -> str | None:
    """Digest of the image that has this image's tag in ECR; None if there is none, or no repository."""
    from botocore.exceptions import ClientError

    try:
        answer = connection.ecr.describe_images(
            repositoryName=image.name,
            imageIds=[{"imageTag": image.tag}],
        )
    except ClientError as error:
        if error_code(error) in ("ImageNotFoundException", "RepositoryNotFoundException"):
            return None
        raise
    return str(answer["imageDetails"][0]["imageDigest"])


def ensure_repository(connection: Connection, name: str) -> bool:
    """Create a repository unless it is there; True if it was created.

    Its tags cannot be moved: a tag is the hash of what the image was built from.
    """
    from botocore.exceptions import ClientError

    environment = connection.target.environment
    try:
        connection.ecr.describe_repositories(repositoryNames=[name])
    except ClientError as error:
        if error_code(error) != "RepositoryNotFoundException":
            raise
    else:
        return False
    optional: dict[str, Any] = {}
    if environment.kms_key:
        optional["encryptionConfiguration"] = {"encryptionType": "KMS", "kmsKey": environment.kms_key}
    if environment.tags:
        optional["tags"] = [{"Key": key, "Value": value} for key, value in environment.tags.items()]
    try:
        connection.ecr.create_repository(repositoryName=name, imageTagMutability="IMMUTABLE", **optional)
    except ClientError as error:
        if error_code(error) != "RepositoryAlreadyExistsException":  # someone else created it in between
            raise
        return False
    return True
