"""SQS as clients of before 2023 speak it: forms in, XML out."""

from __future__ import annotations

import re
import uuid
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from tests.integration.emulators import Emulator


def test_the_query_protocol_has_its_own_names(emulator: Emulator) -> None:
    endpoint = emulator.exports["AWS_ENDPOINT_URL"]

    def call(action: str, **fields: str) -> str:
        form = urlencode({"Action": action, "Version": "2012-11-05", **fields}).encode()
        with urlopen(Request(f"{endpoint}/", form)) as answer:
            return str(answer.read().decode())

    name = f"old-{uuid.uuid4().hex[:8]}"
    created = call("CreateQueue", **{
        "QueueName": name, "Attribute.1.Name": "DelaySeconds", "Attribute.1.Value": "0",
        "Tag.1.Key": "k", "Tag.1.Value": "v",
    })  # fmt: skip
    url = re.search("<QueueUrl>(.*)</QueueUrl>", created)
    assert url is not None
    attributes = call("GetQueueAttributes", **{"QueueUrl": url[1], "AttributeName.1": "DelaySeconds"})
    assert "<Attribute><Name>DelaySeconds</Name><Value>0</Value></Attribute>" in attributes
    assert "<Tag><Key>k</Key><Value>v</Value></Tag>" in call("ListQueueTags", QueueUrl=url[1])
    sent = call("SendMessageBatch", **{
        "QueueUrl": url[1],
        "SendMessageBatchRequestEntry.1.Id": "a",
        "SendMessageBatchRequestEntry.1.MessageBody": "<b>",
        "SendMessageBatchRequestEntry.1.MessageAttribute.1.Name": "n",
        "SendMessageBatchRequestEntry.1.MessageAttribute.1.Value.DataType": "String",
        "SendMessageBatchRequestEntry.1.MessageAttribute.1.Value.StringValue": "s",
    })  # fmt: skip
    assert "<SendMessageBatchResultEntry><Id>a</Id>" in sent
    received = call("ReceiveMessage", **{"QueueUrl": url[1], "MessageAttributeName.1": "All"})
    assert "<Message><MessageId>" in received
    assert "<Body>&lt;b&gt;</Body>" in received
    assert "<MessageAttribute><Name>n</Name><Value><StringValue>s</StringValue>" in received
