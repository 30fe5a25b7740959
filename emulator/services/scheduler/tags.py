"""Tags of schedule groups, the only resources of the Scheduler that have any (API Reference, TagResource)."""

from __future__ import annotations

from emulator.aws.operations import Request, Response, operation
from emulator.services.context import Context
from emulator.services.scheduler.schedules import GROUP, SchedulerNotFound


@operation("scheduler", "TagResource")
def tag_resource(request: Request, context: Context) -> Response:
    context.app.resources.add_tags(_tagged(request, context), request["Tags"])
    return {}


@operation("scheduler", "UntagResource")
def untag_resource(request: Request, context: Context) -> Response:
    context.app.resources.delete_tags(_tagged(request, context), request["TagKeys"])
    return {}


@operation("scheduler", "ListTagsForResource")
def list_tags_for_resource(request: Request, context: Context) -> Response:
    return {"Tags": context.app.resources.tags(_tagged(request, context))}


def _tagged(request: Request, context: Context) -> str:
    group = context.app.resources.by_arn(request["ResourceArn"])
    if group is None or group.kind != GROUP or group.scope != context.scope:
        name = request["ResourceArn"].rpartition("/")[2]
        raise SchedulerNotFound(f"Schedule group {name} does not exist.")
    return group.arn
