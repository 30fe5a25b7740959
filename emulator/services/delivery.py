"""Deliveries to targets: stored first, then carried out, so that a crash loses none.

What goes to a queue, a topic or a function is stored in the same database, so the delivery is struck off in the very
transaction that makes its effect. Starting a pipeline has the delivery's id as its idempotency token.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import time
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from emulator.aws.arns import Arn
from emulator.aws.errors import AwsError, InternalFailure, NotImplementedHere, ValidationException
from emulator.store.resources import Scope

if TYPE_CHECKING:
    from emulator.services.context import App

SCHEMA = (
    "CREATE TABLE IF NOT EXISTS deliveries (id INTEGER PRIMARY KEY AUTOINCREMENT, account TEXT NOT NULL,"
    " region TEXT NOT NULL, target TEXT NOT NULL, input TEXT NOT NULL, token TEXT NOT NULL, created REAL NOT NULL,"
    " due REAL NOT NULL, attempts INTEGER NOT NULL DEFAULT 0)",
    "CREATE INDEX IF NOT EXISTS deliveries_due ON deliveries (due, id)",
)
UNIVERSAL = "aws-sdk"
_MAX_ATTEMPTS = 185
_MAX_AGE = 86_400
_RETRIED = ("ThrottlingException", "TooManyRequestsException", "ResourceLimitExceeded", "InternalFailure")
_REFUSED = ("EcsParameters", "KinesisParameters", "BatchParameters", "RunCommandParameters", "HttpParameters",
            "RedshiftDataParameters", "AppSyncParameters")  # fmt: skip
_SERVICES = {"eventbridge": "events"}
_CAUSE = "Cause"

_log = logging.getLogger(__name__)


def service_of(target: dict[str, Any]) -> str:
    """What kind of target an ARN is: ``sqs``, ``sns``, ``lambda``, ``sagemaker``, ``events`` or ``aws-sdk``."""
    arn = Arn.parse(target["Arn"])
    if arn.service == "scheduler" and arn.resource.startswith(f"{UNIVERSAL}:"):
        return UNIVERSAL
    return arn.service


def check_target(target: dict[str, Any]) -> None:
    """
    Raises:
        NotImplementedHere: it is a target of AWS that the emulator cannot reach.
        ValidationException: it is no target.
    """
    service = service_of(target)
    if service not in _CARRIERS:
        known = "SQS queues, SNS topics, Lambda functions, SageMaker pipelines and event buses"
        raise NotImplementedHere(f"The emulator delivers to {known}, not to {target['Arn']}.")
    for member in _REFUSED:
        if target.get(member):
            raise NotImplementedHere(f"The emulator does not have {member} of targets.")
    if service == UNIVERSAL and len(Arn.parse(target["Arn"]).resource.split(":")) != 3:
        raise ValidationException(f"{target['Arn']} is not of the form arn:aws:scheduler:::aws-sdk:service:apiAction.")
    if service == "sagemaker" and not Arn.parse(target["Arn"]).resource.startswith("pipeline/"):
        raise ValidationException(f"Of SageMaker only pipelines can be targets, not {target['Arn']}.")


class Deliveries:
    """The table of what is still to be delivered."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._database = app.resources.database
        with self._database.transaction() as connection:
            for statement in SCHEMA:
                connection.execute(statement)

    def add(self, scope: Scope, target: dict[str, Any], text: str, cause: dict[str, str] | None = None) -> None:
        """Store a delivery; call it in the transaction that is the reason for it.

        ``cause`` says in a dead-letter queue what it is from: ``RULE_ARN``, ``SCHEDULE_ARN``.
        """
        now, document = time.time(), json.dumps({**target, _CAUSE: cause or {}})
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT INTO deliveries (account, region, target, input, token, created, due)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (scope.account, scope.region, document, text, str(uuid.uuid4()), now, now),
            )

    def next_due(self) -> float | None:
        row = self._database.read_one("SELECT min(due) AS due FROM deliveries")
        return row["due"] if row else None

    def carry_out(self) -> None:
        """Deliver everything that is due."""
        while True:
            rows = self._database.read(
                "SELECT * FROM deliveries WHERE due <= ? ORDER BY due, id LIMIT 100", (time.time(),)
            )
            for row in rows:
                self._attempt(row)
            if not rows:
                return

    def _attempt(self, row: sqlite3.Row) -> None:
        scope, target = Scope(row["account"], row["region"]), json.loads(row["target"])
        service = service_of(target)
        carry = _CARRIERS[service]
        try:
            if service in _ATOMIC:
                with self._database.transaction():
                    carry(self._app, scope, target, row["input"], row["token"])
                    self._strike(row)
            else:
                carry(self._app, scope, target, row["input"], row["token"])
                self._strike(row)
            self._app.neighbours.functions.wake()
        except (sqlite3.Error, OSError):  # not the delivery's fault: it waits for the disk
            raise
        except AwsError as error:
            self._failed(row, target, error)
        except Exception:  # noqa: BLE001 — the boundary: one delivery must not keep all others from being made
            _log.exception("delivery to %s failed", target["Arn"])
            self._failed(row, target, InternalFailure("The emulator failed on this delivery; its log says how."))

    def _strike(self, row: sqlite3.Row) -> None:
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM deliveries WHERE id = ?", (row["id"],))

    def _failed(self, row: sqlite3.Row, target: dict[str, Any], error: AwsError) -> None:
        """Try again what may succeed later; else it goes to the dead-letter queue, or is given up."""
        policy = target.get("RetryPolicy") or {}
        attempts, age = row["attempts"] + 1, time.time() - row["created"]
        again = error.code in _RETRIED and attempts <= policy.get("MaximumRetryAttempts", _MAX_ATTEMPTS)
        if again and age < policy.get("MaximumEventAgeInSeconds", _MAX_AGE):
            with self._database.transaction() as connection:
                connection.execute(
                    "UPDATE deliveries SET attempts = ?, due = ? WHERE id = ?",
                    (attempts, time.time() + min(300, 2**attempts), row["id"]),
                )
            return
        _log.warning("delivery to %s failed: %s: %s", target["Arn"], error.code, error.message)
        with self._database.transaction():
            self._strike(row)
            dead = (target.get("DeadLetterConfig") or {}).get("Arn")
            if dead:
                self._bury(dead, row, error)

    def _bury(self, dead: str, row: sqlite3.Row, error: AwsError) -> None:
        target = json.loads(row["target"])
        attributes = {
            **target.get(_CAUSE, {}),
            "TARGET_ARN": target["Arn"],
            "ERROR_CODE": error.code,
            "ERROR_MESSAGE": error.message or error.code,
            "RETRY_ATTEMPTS": str(row["attempts"]),
        }
        if error.code in _RETRIED:
            attributes["EXHAUSTED_RETRY_CONDITION"] = _exhausted(row, target)
        request = {
            "QueueUrl": _queue_name(dead),
            "MessageBody": row["input"],
            "MessageAttributes": {
                name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
            },
        }
        try:
            self._app.invoke(_scope_of(dead), "sqs", "SendMessage", request)
        except AwsError as failure:
            _log.warning("the dead-letter queue %s takes nothing: %s", dead, failure.message)


def _exhausted(row: sqlite3.Row, target: dict[str, Any]) -> str:
    most = (target.get("RetryPolicy") or {}).get("MaximumRetryAttempts", _MAX_ATTEMPTS)
    return "MaximumRetryAttempts" if row["attempts"] >= most else "MaximumEventAgeInSeconds"


Carrier = Callable[["App", Scope, dict[str, Any], str, str], None]


def _scope_of(arn: str) -> Scope:
    parsed = Arn.parse(arn)
    return Scope(parsed.account, parsed.region)


def _queue_name(arn: str) -> str:
    return Arn.parse(arn).resource


def _to_queue(app: App, scope: Scope, target: dict[str, Any], text: str, token: str) -> None:
    request = {"QueueUrl": _queue_name(target["Arn"]), "MessageBody": text}
    group = (target.get("SqsParameters") or {}).get("MessageGroupId")
    if group:
        request["MessageGroupId"] = group
    app.invoke(_scope_of(target["Arn"]), "sqs", "SendMessage", request)


def _to_topic(app: App, scope: Scope, target: dict[str, Any], text: str, token: str) -> None:
    request = {"TopicArn": target["Arn"], "Message": text}
    if target.get("Subject"):
        request["Subject"] = target["Subject"]
    app.invoke(_scope_of(target["Arn"]), "sns", "Publish", request)


def _to_function(app: App, scope: Scope, target: dict[str, Any], text: str, token: str) -> None:
    place = _scope_of(target["Arn"])
    app.invoke(place, "lambda", "GetFunctionConfiguration", {"FunctionName": target["Arn"]})
    app.neighbours.functions.accept(place, target["Arn"], text, token)


def _to_pipeline(app: App, scope: Scope, target: dict[str, Any], text: str, token: str) -> None:
    parameters = (target.get("SageMakerPipelineParameters") or {}).get("PipelineParameterList") or []
    request = {
        "PipelineName": Arn.parse(target["Arn"]).resource_id,
        "PipelineParameters": parameters,
        "ClientRequestToken": token,
    }
    app.invoke(_scope_of(target["Arn"]), "sagemaker", "StartPipelineExecution", request)


def _to_bus(app: App, scope: Scope, target: dict[str, Any], text: str, token: str) -> None:
    from emulator.services.events.putting import new_event, route

    bus = Arn.parse(target["Arn"]).resource_id
    place = _scope_of(target["Arn"])
    parameters = target.get("EventBridgeParameters")
    document = _object(text)
    if parameters:
        event = new_event(place, parameters["Source"], parameters["DetailType"], document,
                          resources=[], moment=time.time())  # fmt: skip
    else:
        event = document
    route(event, bus, place, app.resources, app.neighbours.courier.deliveries)


def _object(text: str) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValidationException(f"An event bus takes JSON only: {error}") from error
    if not isinstance(document, dict):
        raise ValidationException("An event bus takes JSON objects only.")
    return document


def _to_operation(app: App, scope: Scope, target: dict[str, Any], text: str, token: str) -> None:
    """A universal target of EventBridge Scheduler: ``arn:aws:scheduler:::aws-sdk:sagemaker:startPipelineExecution``."""
    _, service, action = Arn.parse(target["Arn"]).resource.split(":", 2)
    request = json.loads(text or "{}")
    name = action[:1].upper() + action[1:]
    if service == "sagemaker" and name == "StartPipelineExecution":
        request.setdefault("ClientRequestToken", token)
    app.invoke(scope, _SERVICES.get(service, service), name, request)


_CARRIERS: dict[str, Carrier] = {
    "sqs": _to_queue,
    "sns": _to_topic,
    "lambda": _to_function,
    "sagemaker": _to_pipeline,
    "events": _to_bus,
    UNIVERSAL: _to_operation,
}
_ATOMIC = ("sqs", "sns", "lambda", "events")
"""Targets whose effect is in the same database and starts nothing before it is committed."""
