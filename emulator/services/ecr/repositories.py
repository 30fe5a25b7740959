"""ECR repositories, their tags, their policies and whether the tags of their images may move."""

from __future__ import annotations

import json
from typing import Any

from emulator.aws.arns import Arn, partition_of
from emulator.aws.errors import NotImplementedHere
from emulator.aws.operations import Request, Response, operation
from emulator.services.context import Context
from emulator.services.ecr.errors import (
    EcrError,
    invalid_parameter,
    no_such_repository,
    repository_exists,
    repository_not_empty,
)
from emulator.services.tagging import serve_tags
from emulator.store.resources import Query, Resource, Scope

KIND = "ecr-repository"
PAGE = 100
POLICY = "policyText"


def find_repository(context: Context, name: str, registry_id: str | None = None) -> Resource:
    """A repository of the caller's registry, or of another account's.

    Raises:
        EcrError: RepositoryNotFoundException.
    """
    account = registry_id or context.account
    found = context.app.resources.get(Scope(account, context.region), KIND, name)
    if found is None:
        raise no_such_repository(name, account)
    return found


def repository_of(request: Request, context: Context) -> Resource:
    """The repository that a request names.

    Raises:
        EcrError: RepositoryNotFoundException.
    """
    return find_repository(context, request["repositoryName"], request.get("registryId"))


def named(repository: Resource) -> dict[str, Any]:
    """What answers say of the repository that they are about."""
    return {"registryId": repository.scope.account, "repositoryName": repository.name}


@operation("ecr", "CreateRepository")
def create_repository(request: Request, context: Context) -> Response:
    account, name = request.get("registryId") or context.account, request["repositoryName"]
    body = {
        "imageTagMutability": _mutability(request),
        "imageScanningConfiguration": request.get("imageScanningConfiguration") or {"scanOnPush": False},
        "encryptionConfiguration": request.get("encryptionConfiguration") or {"encryptionType": "AES256"},
    }
    arn = str(Arn(partition_of(context.region), "ecr", context.region, account, f"repository/{name}"))
    repository = Resource(Scope(account, context.region), KIND, name, arn, body)
    resources = context.app.resources
    with resources.database.transaction():
        if not resources.insert(repository):
            raise repository_exists(name, account)
        resources.add_tags(arn, request.get("tags") or [])
    return {"repository": _described(repository)}


@operation("ecr", "DescribeRepositories")
def describe_repositories(request: Request, context: Context) -> Response:
    registry = request.get("registryId")
    if names := request.get("repositoryNames"):
        return {"repositories": [_described(find_repository(context, name, registry)) for name in names]}
    query = Query(
        KIND,
        sort_by="Name",
        descending=False,
        max_results=request.get("maxResults") or PAGE,
        next_token=request.get("nextToken"),
    )
    page, token = context.app.resources.page(Scope(registry or context.account, context.region), query)
    return {"repositories": [_described(repository) for repository in page], "nextToken": token}


@operation("ecr", "DeleteRepository", blocking=True)
def delete_repository(request: Request, context: Context) -> Response:
    repository = repository_of(request, context)
    images, layers = context.app.neighbours.images, context.app.neighbours.layers
    with context.app.resources.database.transaction():
        if images.page(repository.arn, 0, 1) and not request.get("force"):
            raise repository_not_empty(repository.name, repository.scope.account)
        images.delete(repository.arn)
        context.app.resources.delete(repository.arn)
    layers.drop(repository.arn)
    return {"repository": _described(repository)}


@operation("ecr", "PutImageTagMutability")
def put_image_tag_mutability(request: Request, context: Context) -> Response:
    repository = repository_of(request, context)
    mutability = _mutability(request)
    context.app.resources.update(repository.arn, lambda stored: stored.body.update(imageTagMutability=mutability))
    return named(repository) | {"imageTagMutability": mutability}


@operation("ecr", "SetRepositoryPolicy")
def set_repository_policy(request: Request, context: Context) -> Response:
    """A policy is kept and returned; nothing is enforced, as with roles."""
    repository = repository_of(request, context)
    try:
        json.loads(request[POLICY])
    except ValueError as error:
        message = "Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid repository policy provided'"
        raise invalid_parameter(message) from error
    context.app.resources.update(repository.arn, lambda stored: stored.body.update({POLICY: request[POLICY]}))
    return named(repository) | {POLICY: request[POLICY]}


@operation("ecr", "GetRepositoryPolicy")
def get_repository_policy(request: Request, context: Context) -> Response:
    repository = repository_of(request, context)
    return named(repository) | {POLICY: _policy(repository)}


@operation("ecr", "DeleteRepositoryPolicy")
def delete_repository_policy(request: Request, context: Context) -> Response:
    repository = repository_of(request, context)
    text = _policy(repository)

    def remove(stored: Resource) -> None:
        stored.body.pop(POLICY, None)

    context.app.resources.update(repository.arn, remove)
    return named(repository) | {POLICY: text}


def is_immutable(repository: Resource) -> bool:
    """Whether a tag that is there stays with its image."""
    return bool(repository.body["imageTagMutability"] == "IMMUTABLE")


def _mutability(request: Request) -> str:
    wanted = str(request.get("imageTagMutability") or "MUTABLE")
    if wanted not in ("MUTABLE", "IMMUTABLE"):
        raise NotImplementedHere(f"imageTagMutability {wanted} is not implemented in this emulator yet.")
    return wanted


def _policy(repository: Resource) -> str:
    text = repository.body.get(POLICY)
    if text is None:
        message = (
            f"Repository policy does not exist for the repository with name '{repository.name}' in the registry with "
            f"id '{repository.scope.account}'"
        )
        raise EcrError("RepositoryPolicyNotFoundException", message)
    return str(text)


def _tagged(request: Request, context: Context) -> str:
    found = context.app.resources.by_arn(request["resourceArn"])
    if found is None or found.kind != KIND:
        arn = Arn.parse(request["resourceArn"])
        raise no_such_repository(arn.resource_id, arn.account)
    return found.arn


serve_tags("ecr", _tagged, tags="tags", keys="tagKeys")


def _described(repository: Resource) -> dict[str, Any]:
    scope = repository.scope
    domain = "amazonaws.com.cn" if scope.region.startswith("cn-") else "amazonaws.com"
    settings = {key: value for key, value in repository.body.items() if key != POLICY}
    return {
        **named(repository),
        **settings,
        "repositoryArn": repository.arn,
        "repositoryUri": f"{scope.account}.dkr.ecr.{scope.region}.{domain}/{repository.name}",
        "createdAt": repository.created,
    }
