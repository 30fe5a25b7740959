"""Actions: lineage entities that stand for something done, as a deployment (API Reference, CreateAction)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from emulator.aws.operations import Request, Response, operation
from emulator.services.sagemaker.lineage_entities import ACTION
from emulator.services.sagemaker.tracked_lineage import track_ended

if TYPE_CHECKING:
    from emulator.services.context import Context


@operation("sagemaker", "CreateAction")
def create_action(request: Request, context: Context) -> Response:
    return ACTION.create(request, context, request["ActionName"])


@operation("sagemaker", "DescribeAction")
def describe_action(request: Request, context: Context) -> Response:
    return ACTION.describe(ACTION.find(context, request["ActionName"]))


@operation("sagemaker", "UpdateAction")
def update_action(request: Request, context: Context) -> Response:
    action = ACTION.find(context, request["ActionName"])
    return ACTION.update(request, context, action, ("Description", "Status"))


@operation("sagemaker", "ListActions", blocking=True)
def list_actions(request: Request, context: Context) -> Response:
    track_ended(context)
    return ACTION.list(request, context)


@operation("sagemaker", "DeleteAction")
def delete_action(request: Request, context: Context) -> Response:
    return ACTION.delete(context, ACTION.find(context, request["ActionName"]))
