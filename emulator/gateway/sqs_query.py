"""SQS in the query protocol: its fields and elements have other names there than in the model, which is JSON's.

Clients of before 2023 speak it (boto3 below 1.28). The names are those of the API Reference of that time.
"""

from __future__ import annotations

import re

_LISTS = {
    "AttributeName": "AttributeNames",
    "MessageAttributeName": "MessageAttributeNames",
    "MessageSystemAttributeName": "MessageSystemAttributeNames",
    "SendMessageBatchRequestEntry": "Entries",
    "DeleteMessageBatchRequestEntry": "Entries",
    "ChangeMessageVisibilityBatchRequestEntry": "Entries",
    "TagKey": "TagKeys",
}
_MAPS = {
    "Attribute": "Attributes",
    "MessageAttribute": "MessageAttributes",
    "MessageSystemAttribute": "MessageSystemAttributes",
    "Tag": "Tags",
}
_PARTS = {"Name": "key", "Key": "key", "Value": "value"}
_BATCHES = {
    "SendMessageBatch": "SendMessageBatchResultEntry",
    "DeleteMessageBatch": "DeleteMessageBatchResultEntry",
    "ChangeMessageVisibilityBatch": "ChangeMessageVisibilityBatchResultEntry",
}
_ELEMENTS = {
    "Attributes": "Attribute",
    "MessageAttributes": "MessageAttribute",
    "Messages": "Message",
    "QueueUrls": "QueueUrl",
    "queueUrls": "QueueUrl",
    "Failed": "BatchResultErrorEntry",
    "Tags": "Tag",
}
_TAG = re.compile(r"<(/?)([A-Za-z]+)>")


def field_name(name: str, operation: str) -> str:
    """The model's name of a form field: ``Attribute.1.Name`` is ``Attributes.1.key``."""
    parts, read = name.split("."), []
    in_map = False
    for part in parts:
        if part in _MAPS:
            in_map = True
            read.append("tags" if part == "Tag" and operation == "CreateQueue" else _MAPS[part])
        elif in_map and part in _PARTS:
            in_map = False
            read.append(_PARTS[part])
        else:
            read.append(_LISTS.get(part, part))
    return ".".join(read)


def element_names(document: str, operation: str) -> str:
    """The answer with its elements as this protocol names them; texts cannot look like elements, they are escaped."""
    key = "Key" if operation == "ListQueueTags" else "Name"
    names = {**_ELEMENTS, "key": key, "value": "Value", "Successful": _BATCHES.get(operation, "Successful")}
    return _TAG.sub(lambda found: f"<{found[1]}{names.get(found[2], found[2])}>", document)
