"""Queue URLs: those the emulator gives out, and AWS's own, which stand in pipeline definitions."""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

from emulator.services.context import Context
from emulator.services.sqs.errors import missing, no_such_queue
from emulator.store.queues import Queue
from emulator.store.resources import Scope

_AWS_HOST = re.compile(r"(?:sqs\.([a-z0-9-]+)|([a-z0-9-]+)\.queue)\.amazonaws\.com(?:\.cn)?")


def queue_url(queue: Queue, context: Context) -> str:
    return f"{context.app.settings.url}/{queue.scope.account}/{queue.name}"


def find_queue(url: str, context: Context) -> Queue:
    """The queue of a URL, of AWS's or the emulator's making, or of a bare name.

    Raises:
        SqsError: there is none.
    """
    if not url:
        raise missing("QueueUrl")
    try:
        parts = urlsplit(url)
    except ValueError:
        raise no_such_queue() from None
    path = [unquote(part) for part in parts.path.split("/") if part]
    name = path[-1] if path else ""
    account = path[-2] if len(path) > 1 else context.account
    aws = _AWS_HOST.fullmatch(parts.hostname or "")
    region = (aws[1] or aws[2]) if aws else context.region
    queue = context.app.neighbours.queues.find(Scope(account, region), name)
    if queue is None:
        raise no_such_queue()
    return queue
