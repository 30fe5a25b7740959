"""The events that SageMaker emits when a status changes.

The database itself notes each change, by triggers, in the transaction that makes it: so no crash loses an event, and
nobody who changes a status has to think of it. Nothing is noted while there is no rule that could want it.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from emulator.aws.arns import Arn
from emulator.aws.errors import AwsError
from emulator.services.events.buses import DEFAULT, RULE
from emulator.services.events.putting import iso_time, new_event, route
from emulator.store.resources import Scope

if TYPE_CHECKING:
    from emulator.services.context import App
    from emulator.services.delivery import Deliveries


@dataclass(frozen=True, slots=True)
class _Described:
    """Resources whose event shows what their Describe operation answers."""

    kind: str
    operation: str
    member: str
    status: str


_DESCRIBED = {
    "training-job": _Described(
        "SageMaker Training Job State Change", "DescribeTrainingJob", "TrainingJobName", "TrainingJobStatus"
    ),
    "processing-job": _Described(
        "SageMaker Processing Job State Change", "DescribeProcessingJob", "ProcessingJobName", "ProcessingJobStatus"
    ),
    "transform-job": _Described(
        "SageMaker Transform Job State Change", "DescribeTransformJob", "TransformJobName", "TransformJobStatus"
    ),
    "hyper-parameter-tuning-job": _Described(
        "SageMaker HyperParameter Tuning Job State Change",
        "DescribeHyperParameterTuningJob",
        "HyperParameterTuningJobName",
        "HyperParameterTuningJobStatus",
    ),
    "model-package": _Described(
        "SageMaker Model Package State Change", "DescribeModelPackage", "ModelPackageName", "ModelPackageStatus"
    ),
}
_EXECUTION = "pipeline-execution"
_STEP = "pipeline-step"
KINDS = frozenset({*_DESCRIBED, _EXECUTION})
"""The kinds of resources whose status changes become events."""

_WANTED = f"EXISTS (SELECT 1 FROM resources WHERE kind = '{RULE}' AND status = 'ENABLED')"
_KINDS = ", ".join(f"'{kind}'" for kind in sorted(KINDS))
_RESOURCE = (
    "INSERT INTO status_changes (account, region, kind, arn, before, after, at, detail)"
    " VALUES (NEW.account, NEW.region, NEW.kind, NEW.arn, {before}, NEW.status, NEW.modified,"
    " json_object('created', NEW.created, 'body', json(NEW.body)))"
)
_STEP_DETAIL = (
    "INSERT INTO status_changes (account, region, kind, arn, before, after, at, detail)"
    f" VALUES ('', '', '{_STEP}', NEW.execution, {{before}}, NEW.status, coalesce(NEW.ended, {{now}}),"
    " json_object('name', NEW.name, 'type', NEW.type, 'started', NEW.started, 'ended', NEW.ended,"
    " 'reason', NEW.reason, 'metadata', json(NEW.metadata),"
    " 'cache', json_extract(NEW.display, '$.CacheHitResult')))"
)
_NOW = "(julianday('now') - 2440587.5) * 86400.0"
_APPROVAL = "json_extract({row}.body, '$.ModelApprovalStatus')"
_APPROVED = f"({_APPROVAL.format(row='OLD')} IS NOT {_APPROVAL.format(row='NEW')} AND NEW.kind = 'model-package')"

_TRIGGERS = ("note_new_status", "note_changed_status", "note_new_step", "note_changed_step")
SCHEMA = (
    *(f"DROP TRIGGER IF EXISTS {name}" for name in _TRIGGERS),  # an earlier emulator's may note less
    "CREATE TABLE IF NOT EXISTS status_changes (id INTEGER PRIMARY KEY AUTOINCREMENT, account TEXT NOT NULL,"
    " region TEXT NOT NULL, kind TEXT NOT NULL, arn TEXT NOT NULL, before TEXT NOT NULL, after TEXT NOT NULL,"
    " at REAL NOT NULL, detail TEXT NOT NULL)",
    "CREATE TRIGGER note_new_status AFTER INSERT ON resources"
    f" WHEN NEW.kind IN ({_KINDS}) AND {_WANTED} BEGIN {_RESOURCE.format(before=chr(39) * 2)}; END",
    "CREATE TRIGGER note_changed_status AFTER UPDATE OF status, body ON resources"
    f" WHEN NEW.kind IN ({_KINDS}) AND (OLD.status != NEW.status OR {_APPROVED}) AND {_WANTED}"
    f" BEGIN {_RESOURCE.format(before='OLD.status')}; END",
    "CREATE TRIGGER note_new_step AFTER INSERT ON execution_steps"
    f" WHEN {_WANTED} BEGIN {_STEP_DETAIL.format(before=chr(39) * 2, now='NEW.started')}; END",
    "CREATE TRIGGER note_changed_step AFTER UPDATE OF status ON execution_steps"
    f" WHEN OLD.status != NEW.status AND {_WANTED} BEGIN {_STEP_DETAIL.format(before='OLD.status', now=_NOW)}; END",
)


def wanted(app: App) -> bool:
    """Is there a rule that events could match?"""
    return bool(app.resources.database.read(f"SELECT 1 WHERE {_WANTED}"))


def emit(app: App, deliveries: Deliveries) -> None:
    """Turn every noted change into an event on the default bus of its account and region."""
    database = app.resources.database
    while True:
        rows = database.read("SELECT * FROM status_changes ORDER BY id LIMIT 100")
        for row in rows:
            made = _event_of(app, row)
            with database.transaction() as connection:
                if made is not None:
                    route(made[1], DEFAULT, made[0], app.resources, deliveries)
                connection.execute("DELETE FROM status_changes WHERE id = ?", (row["id"],))
        if not rows:
            return


def _event_of(app: App, row: sqlite3.Row) -> tuple[Scope, dict[str, Any]] | None:
    detail = json.loads(row["detail"])
    make: Callable[[App, sqlite3.Row, dict[str, Any]], tuple[Scope, dict[str, Any]] | None]
    make = {_EXECUTION: _execution, _STEP: _step}.get(row["kind"], _described)
    return make(app, row, detail)


def _execution(app: App, row: sqlite3.Row, detail: dict[str, Any]) -> tuple[Scope, dict[str, Any]]:
    body, scope = detail["body"], Scope(row["account"], row["region"])
    ended = row["after"] not in ("Executing", "Stopping")
    shown = {
        "pipelineExecutionDisplayName": body.get("PipelineExecutionDisplayName"),
        "pipelineExecutionDescription": body.get("PipelineExecutionDescription"),
        "currentPipelineExecutionStatus": row["after"],
        "previousPipelineExecutionStatus": row["before"] or None,
        "executionStartTime": iso_time(detail["created"]),
        "executionEndTime": iso_time(row["at"]) if ended else None,
        "pipelineArn": body["PipelineArn"],
        "pipelineExecutionArn": row["arn"],
    }
    kind = "SageMaker Model Building Pipeline Execution Status Change"
    return scope, _event(scope, kind, shown, [body["PipelineArn"], row["arn"]], row["at"])


def _step(app: App, row: sqlite3.Row, detail: dict[str, Any]) -> tuple[Scope, dict[str, Any]]:
    arn = Arn.parse(row["arn"])
    scope = Scope(arn.account, arn.region)
    pipeline = row["arn"].rpartition("/execution/")[0]
    cache = detail.get("cache")
    shown = {
        "metadata": _lower_first(detail["metadata"]),
        "cacheHitResult": _lower_first(cache) if cache else None,
        "stepStartTime": iso_time(detail["started"]),
        "stepEndTime": iso_time(detail["ended"]) if detail["ended"] else None,
        "stepName": detail["name"],
        "stepType": detail["type"],
        "previousStepStatus": row["before"] or None,
        "currentStepStatus": row["after"],
        "failureReason": detail["reason"] or None,
        "pipelineArn": pipeline,
        "pipelineExecutionArn": row["arn"],
    }
    kind = "SageMaker Model Building Pipeline Execution Step Status Change"
    return scope, _event(scope, kind, shown, [pipeline, row["arn"]], row["at"])


def _described(app: App, row: sqlite3.Row, detail: dict[str, Any]) -> tuple[Scope, dict[str, Any]] | None:
    """What the operation describes now, with the status as it was changed then; None if it has been deleted."""
    described, scope = _DESCRIBED[row["kind"]], Scope(row["account"], row["region"])
    name = row["arn"] if row["kind"] == "model-package" else row["arn"].rpartition("/")[2]
    try:
        shown = app.invoke(scope, "sagemaker", described.operation, {described.member: name})
    except AwsError:
        return None
    shown = {member: _in_milliseconds(member, value) for member, value in shown.items()}
    if row["kind"] == "model-package":
        approval = detail["body"].get("ModelApprovalStatus")
        shown |= {"ModelApprovalStatus": approval} if approval else {}
    shown[described.status] = row["after"]
    return scope, _event(scope, described.kind, shown, [row["arn"]], row["at"])


def _in_milliseconds(member: str, value: Any) -> Any:
    return int(value * 1000) if member.endswith("Time") and isinstance(value, int | float) else value


def _event(scope: Scope, kind: str, detail: dict[str, Any], resources: list[str], moment: float) -> dict[str, Any]:
    there = {member: value for member, value in detail.items() if value is not None}
    return new_event(scope, "aws.sagemaker", kind, there, resources=resources, moment=moment)


def _lower_first(value: Any) -> Any:
    """Members as the events of pipelines write them: ``processingJob`` and ``arn``."""
    if isinstance(value, dict):
        return {key[:1].lower() + key[1:]: _lower_first(item) for key, item in value.items()}
    return [_lower_first(item) for item in value] if isinstance(value, list) else value
