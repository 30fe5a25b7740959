"""From a call of a function to the order for it."""

from __future__ import annotations

import json
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emulator.services.lambda_.code import CodeStore
from emulator.services.lambda_.functions import CODE
from emulator.services.lambda_.order import TASK_ROOT, Order
from emulator.settings import Settings
from emulator.store.log_files import LogWriter
from emulator.store.resources import Resource


@dataclass(frozen=True, slots=True)
class Call:
    """What is asked of a function. ``arn`` is the one it was called by; ``event`` is JSON text.

    ``once``: it must not run a second time, whatever happens, so it goes on when the emulator dies.
    """

    request_id: str
    arn: str
    event: str
    client_context: Any = None
    max_seconds: float = 900.0
    once: bool = False


def log_names(version: Resource) -> tuple[str, str]:
    """The group and a stream of its own: every invocation is a new environment, as a cold start on AWS."""
    body = version.body
    group = (body.get("LoggingConfig") or {}).get("LogGroup") or f"/aws/lambda/{body['FunctionName']}"
    return group, f"{time.strftime('%Y/%m/%d', time.gmtime())}/[{body['Version']}]{uuid.uuid4().hex}"


def make_order(
    version: Resource,
    call: Call,
    folder: Path,
    names: tuple[str, str],
    log: LogWriter,
    code: CodeStore,
    settings: Settings,
) -> Order:
    """``names`` are those of the group and stream of ``log``, which the process that runs functions writes."""
    return Order(
        folder=str(folder),
        request=_request(version, call, names),
        env=_variables(version, names, settings),
        code=str(code.folder(version.body[CODE])),
        log=str(log.folder),
        log_limit=log.limit,
        once=call.once,
    )


def _request(version: Resource, call: Call, log: tuple[str, str]) -> dict[str, Any]:
    return {
        "request_id": call.request_id,
        "function_name": version.body["FunctionName"],
        "function_version": version.body["Version"],
        "arn": call.arn,
        "memory": version.body["MemorySize"],
        "timeout": min(float(version.body["Timeout"]), call.max_seconds),
        "log_group": log[0],
        "log_stream": log[1],
        "client_context": call.client_context,
        "handler": version.body["Handler"],
        "event": json.loads(call.event or "null"),
    }


def _variables(version: Resource, log: tuple[str, str], settings: Settings) -> dict[str, str]:
    """Lambda Developer Guide, "Defined runtime environment variables"."""
    scope, body = version.scope, version.body
    keys = (scope.account, "function")
    if settings.access_key_id:
        keys = (settings.access_key_id, settings.secret_access_key)
    return {
        **(body.get("Environment") or {}).get("Variables", {}),
        "AWS_REGION": scope.region,
        "AWS_DEFAULT_REGION": scope.region,
        "AWS_ACCESS_KEY_ID": keys[0],
        "AWS_SECRET_ACCESS_KEY": keys[1],
        "AWS_ENDPOINT_URL": settings.url,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{body['Runtime']}",
        "AWS_LAMBDA_FUNCTION_NAME": body["FunctionName"],
        "AWS_LAMBDA_FUNCTION_VERSION": body["Version"],
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(body["MemorySize"]),
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": log[0],
        "AWS_LAMBDA_LOG_STREAM_NAME": log[1],
        "LAMBDA_TASK_ROOT": TASK_ROOT,
        "_HANDLER": body["Handler"],
        "TZ": ":UTC",
    }
