"""SQS queues (API Reference, CreateQueue and its siblings)."""

from __future__ import annotations

import base64
import re

from emulator.aws.operations import Request, Response, operation
from emulator.services.context import Context
from emulator.services.sqs.addresses import find_queue, queue_url
from emulator.services.sqs.attributes import checked, described
from emulator.services.sqs.errors import SqsError, invalid_value, missing, no_such_queue
from emulator.store.resources import Scope

_NAME = re.compile(r"[A-Za-z0-9_-]{1,80}")
_FIFO = ".fifo"


@operation("sqs", "CreateQueue")
def create_queue(request: Request, context: Context) -> Response:
    queues, name = context.app.neighbours.queues, request["QueueName"]
    attributes = request.get("Attributes") or {}
    fifo = attributes.get("FifoQueue") == "true"
    _check_name(name, fifo=fifo)
    wanted = checked(attributes, queues, fifo=fifo)
    queue = queues.create(context.scope, name, wanted)
    differing = [key for key, value in wanted.items() if queue.attributes.get(key) != value]
    if differing:
        raise SqsError(
            "QueueNameExists",
            f"A queue already exists with the same name and a different value for attribute {differing[0]}",
            "QueueAlreadyExists",
        )
    if request.get("tags"):
        _tag(context, queue.arn, request["tags"])
    return {"QueueUrl": queue_url(queue, context)}


def _check_name(name: str, *, fifo: bool) -> None:
    if fifo != name.endswith(_FIFO):
        if fifo:
            raise invalid_value("The name of a FIFO queue can only include alphanumeric characters, hyphens, or"
                                " underscores, must end with .fifo suffix and be 1 to 80 in length.")  # fmt: skip
        raise invalid_value("The request includes a name with the suffix .fifo; set the attribute FifoQueue to true.")
    if len(name) > 80 or not _NAME.fullmatch(name.removesuffix(_FIFO)):
        raise invalid_value("Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length")


@operation("sqs", "GetQueueUrl")
def get_queue_url(request: Request, context: Context) -> Response:
    account = request.get("QueueOwnerAWSAccountId") or context.account
    queue = context.app.neighbours.queues.find(Scope(account, context.region), request["QueueName"])
    if queue is None:
        raise no_such_queue()
    return {"QueueUrl": queue_url(queue, context)}


@operation("sqs", "ListQueues")
def list_queues(request: Request, context: Context) -> Response:
    """Without MaxResults at most 1,000 and no token, as AWS answers."""
    limit = request.get("MaxResults")
    if limit is not None and not 1 <= limit <= 1000:
        raise invalid_value("Value for parameter MaxResults is invalid. Reason: must be between 1 and 1000.")
    if request.get("NextToken") and limit is None:
        raise missing("MaxResults")
    after = _decode(request.get("NextToken"))
    prefix = request.get("QueueNamePrefix") or ""
    found = context.app.neighbours.queues.named(context.scope, prefix, after, (limit or 1000) + 1)
    page = found[: limit or 1000]
    more = limit is not None and len(found) > limit
    return {
        "QueueUrls": [queue_url(queue, context) for queue in page] or None,
        "NextToken": base64.urlsafe_b64encode(page[-1].name.encode()).decode() if more else None,
    }


def _decode(token: str | None) -> str:
    try:
        return base64.urlsafe_b64decode((token or "").encode()).decode()
    except ValueError as error:
        raise invalid_value("Invalid or expired next token.") from error


@operation("sqs", "DeleteQueue")
def delete_queue(request: Request, context: Context) -> Response:
    context.app.neighbours.queues.delete(find_queue(request["QueueUrl"], context))
    return {}


@operation("sqs", "PurgeQueue")
def purge_queue(request: Request, context: Context) -> Response:
    context.app.neighbours.messages.purge(find_queue(request["QueueUrl"], context))
    return {}


@operation("sqs", "GetQueueAttributes")
def get_queue_attributes(request: Request, context: Context) -> Response:
    queue = find_queue(request["QueueUrl"], context)
    names = request.get("AttributeNames") or []
    counts = context.app.neighbours.messages.counts(queue)
    return {"Attributes": described(queue, counts, names) or None} if names else {}


@operation("sqs", "SetQueueAttributes")
def set_queue_attributes(request: Request, context: Context) -> Response:
    queue = find_queue(request["QueueUrl"], context)
    changes = checked(request["Attributes"], context.app.neighbours.queues, fifo=queue.fifo)
    context.app.neighbours.queues.set_attributes(queue, queue.attributes | changes)
    return {}


@operation("sqs", "ListDeadLetterSourceQueues")
def list_dead_letter_source_queues(request: Request, context: Context) -> Response:
    target = find_queue(request["QueueUrl"], context)
    sources = [
        queue
        for queue in context.app.neighbours.queues.in_scope(target.scope)
        if queue.redrive is not None and queue.redrive[0] == target.arn
    ]
    return {"queueUrls": [queue_url(queue, context) for queue in sources]}


@operation("sqs", "TagQueue")
def tag_queue(request: Request, context: Context) -> Response:
    if not request["Tags"]:
        raise missing("Tags")
    _tag(context, find_queue(request["QueueUrl"], context).arn, request["Tags"])
    return {}


@operation("sqs", "UntagQueue")
def untag_queue(request: Request, context: Context) -> Response:
    context.app.resources.delete_tags(find_queue(request["QueueUrl"], context).arn, request["TagKeys"])
    return {}


@operation("sqs", "ListQueueTags")
def list_queue_tags(request: Request, context: Context) -> Response:
    tags = context.app.resources.tags(find_queue(request["QueueUrl"], context).arn)
    return {"Tags": {tag["Key"]: tag["Value"] for tag in tags}} if tags else {}


def _tag(context: Context, arn: str, tags: dict[str, str]) -> None:
    context.app.resources.add_tags(arn, [{"Key": key, "Value": value} for key, value in tags.items()])
