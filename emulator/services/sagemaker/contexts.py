"""Contexts: lineage entities that group others, as an endpoint or a project (API Reference, CreateContext)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from emulator.aws.operations import Request, Response, operation
from emulator.services.sagemaker.lineage_entities import CONTEXT
from emulator.services.sagemaker.tracked_lineage import track_ended

if TYPE_CHECKING:
    from emulator.services.context import Context


@operation("sagemaker", "CreateContext")
def create_context(request: Request, context: Context) -> Response:
    return CONTEXT.create(request, context, request["ContextName"])


@operation("sagemaker", "DescribeContext")
def describe_context(request: Request, context: Context) -> Response:
    return CONTEXT.describe(CONTEXT.find(context, request["ContextName"]))


@operation("sagemaker", "UpdateContext")
def update_context(request: Request, context: Context) -> Response:
    found = CONTEXT.find(context, request["ContextName"])
    return CONTEXT.update(request, context, found, ("Description",))


@operation("sagemaker", "ListContexts", blocking=True)
def list_contexts(request: Request, context: Context) -> Response:
    track_ended(context)
    return CONTEXT.list(request, context)


@operation("sagemaker", "DeleteContext")
def delete_context(request: Request, context: Context) -> Response:
    return CONTEXT.delete(context, CONTEXT.find(context, request["ContextName"]))
