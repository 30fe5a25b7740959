"""Tags of schedule groups, the only resources of the Scheduler that have any (API Reference, TagResource)."""

from __future__ import annotations

from emulator.aws.operations import Request
from emulator.services.context import Context
from emulator.services.scheduler.errors import SchedulerNotFound
from emulator.services.scheduler.schedules import GROUP
from emulator.services.tagging import serve_tags


def _tagged(request: Request, context: Context) -> str:
    group = context.app.resources.by_arn(request["ResourceArn"])
    if group is None or group.kind != GROUP or group.scope != context.scope:
        name = request["ResourceArn"].rpartition("/")[2]
        raise SchedulerNotFound(f"Schedule group {name} does not exist.")
    return group.arn


serve_tags("scheduler", _tagged)
