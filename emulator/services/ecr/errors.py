"""ECR's errors in its words."""

from __future__ import annotations

from emulator.aws.errors import AwsError


class EcrError(AwsError):
    """An error of ECR, with the code and the status that it has in the Docker Registry HTTP API."""

    def __init__(self, code: str, message: str, registry_code: str = "UNKNOWN", http_status: int = 400) -> None:
        super().__init__(message, code=code)
        self.registry_code = registry_code
        self.http_status = http_status


def no_such_repository(name: str, account: str) -> EcrError:
    message = f"The repository with name '{name}' does not exist in the registry with id '{account}'"
    return EcrError("RepositoryNotFoundException", message, "NAME_UNKNOWN", 404)


def repository_exists(name: str, account: str) -> EcrError:
    message = f"The repository with name '{name}' already exists in the registry with id '{account}'"
    return EcrError("RepositoryAlreadyExistsException", message)


def repository_not_empty(name: str, account: str) -> EcrError:
    message = (
        f"The repository with name '{name}' in registry with id '{account}' cannot be deleted because it still "
        "contains images"
    )
    return EcrError("RepositoryNotEmptyException", message)


def no_such_image(digest: str, tag: str, name: str, account: str) -> EcrError:
    message = (
        f"The image with imageId {{imageDigest:'{digest or 'null'}', imageTag:'{tag or 'null'}'}} does not exist "
        f"within the repository with name '{name}' in the registry with id '{account}'"
    )
    return EcrError("ImageNotFoundException", message, "MANIFEST_UNKNOWN", 404)


def image_exists(digest: str, tag: str, name: str, account: str) -> EcrError:
    message = (
        f"Image with digest '{digest}' and tag '{tag or 'null'}' already exists in the repository with name '{name}' "
        f"in registry with id '{account}'"
    )
    return EcrError("ImageAlreadyExistsException", message)


def tag_is_immutable(tag: str, name: str) -> EcrError:
    message = (
        f"The image tag '{tag}' already exists in the '{name}' repository and cannot be overwritten because the "
        "repository is immutable."
    )
    return EcrError("ImageTagAlreadyExistsException", message, "TAG_INVALID")


def no_such_layers(digests: list[str], name: str, account: str) -> EcrError:
    message = (
        f"Layers with digests '[{', '.join(digests)}]' required for pushing image into repository with name '{name}' "
        f"in the registry with id '{account}' do not exist"
    )
    return EcrError("LayersNotFoundException", message, "BLOB_UNKNOWN")


def no_such_layer(digest: str, name: str, account: str) -> EcrError:
    message = (
        f"The layer with digest '{digest}' does not exist within the repository with name '{name}' in the registry "
        f"with id '{account}'"
    )
    return EcrError("LayersNotFoundException", message, "BLOB_UNKNOWN", 404)


def no_such_upload(upload: str, name: str, account: str) -> EcrError:
    message = (
        f"The upload with id '{upload}' could not be found in the repository with name '{name}' in the registry with "
        f"id '{account}'"
    )
    return EcrError("UploadNotFoundException", message, "BLOB_UPLOAD_UNKNOWN", 404)


def invalid_parameter(message: str, registry_code: str = "MANIFEST_INVALID") -> EcrError:
    return EcrError("InvalidParameterException", message, registry_code)
