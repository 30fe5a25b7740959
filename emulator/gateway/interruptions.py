"""``POST /_emulator/interrupt``: take the spot instances of a training job away. Of the emulator, not of AWS.

The body is JSON, ``{"job": "name or ARN", "seconds": 0}``. Only this machine may ask, and the content type must say
JSON: a page in a browser cannot send that to another origin without being allowed to.
"""

from __future__ import annotations

import json
import math

from emulator.aws.errors import AccessDenied, AwsError, ValidationException
from emulator.gateway.json_protocol import dump_document
from emulator.gateway.wire import WireRequest, WireResponse
from emulator.services.context import App

PATH = "/_emulator/interrupt"
_JSON = "application/json"


def answer(app: App, request: WireRequest, *, local: bool) -> WireResponse:
    """``{"arn": …}``, or ``{"message": …}`` with the status of the error; ``local``: this machine asks."""
    from emulator.services.sagemaker.interruptions import interrupt

    try:
        if not local or request.headers.get("content-type") != _JSON:
            raise AccessDenied(f"{PATH} takes {_JSON} from this machine only.")
        status, document = 200, {"arn": interrupt(app, *_read(request))}
    except AwsError as error:
        status, document = error.status, {"message": error.message}
    return WireResponse(status, dump_document(document), {"Content-Type": _JSON})


def _read(request: WireRequest) -> tuple[str, float]:
    if request.method != "POST":
        raise ValidationException(f"{PATH} takes POST.")
    try:
        document = json.loads(request.body)
        job, seconds = str(document["job"]), float(document.get("seconds", 0))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValidationException('The body must be JSON: {"job": "name or ARN", "seconds": 0}.') from error
    if not 0 <= seconds < math.inf:
        raise ValidationException(f"seconds must be a number from 0 on, but is {seconds}.")
    return job, seconds
