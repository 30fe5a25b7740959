"""TagResource, UntagResource and ListTagsForResource, which most services but SageMaker and IAM have alike."""

from __future__ import annotations

from collections.abc import Callable

from emulator.aws.operations import Request, Response, operation
from emulator.services.context import Context


def serve_tags(
    service: str, find: Callable[[Request, Context], str], *, tags: str = "Tags", keys: str = "TagKeys"
) -> None:
    """Register the three for a service: ``find`` gives the ARN of what a request names, or raises what AWS does.

    ``tags`` and ``keys`` are the service's names of the members.
    """

    @operation(service, "TagResource")
    def tag_resource(request: Request, context: Context) -> Response:
        context.app.resources.add_tags(find(request, context), request[tags])
        return {}

    @operation(service, "UntagResource")
    def untag_resource(request: Request, context: Context) -> Response:
        context.app.resources.delete_tags(find(request, context), request[keys])
        return {}

    @operation(service, "ListTagsForResource")
    def list_tags_for_resource(request: Request, context: Context) -> Response:
        return {tags: context.app.resources.tags(find(request, context))}
