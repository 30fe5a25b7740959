"""What targets get of an event."""

from __future__ import annotations

import json
from typing import Any

import pytest

from emulator.services.events.inputs import input_of

RULE = "arn:aws:events:us-east-1:123456789012:rule/mine"
EVENT = {"time": "2026-01-01T00:00:00Z", "detail": {"name": 'a "b"', "n": 3, "list": [1, 2]}}


def transformed(template: str, **paths: str) -> str:
    return input_of({"InputTransformer": {"InputPathsMap": paths, "InputTemplate": template}}, EVENT, RULE)


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ({}, EVENT),
        ({"Input": '{"a": 1}'}, {"a": 1}),
        ({"InputPath": "$.detail.list[1]"}, 2),
        ({"InputPath": "$.detail.nothing"}, None),
    ],
)
def test_an_input_is_the_event_a_constant_or_a_part(target: dict[str, Any], expected: Any) -> None:
    assert json.loads(input_of(target, EVENT, RULE)) == expected


def test_placeholders_are_json_or_inside_a_string_its_text() -> None:
    text = transformed('{"whole": <n>, "text": "it is <name>!", "list": <l>, "rule": <aws.events.rule-name>}',
                       n="$.detail.n", name="$.detail.name", l="$.detail.list")  # fmt: skip
    assert json.loads(text) == {"whole": 3, "text": 'it is a "b"!', "list": [1, 2], "rule": "mine"}


def test_what_is_not_there_is_an_empty_text() -> None:
    assert json.loads(transformed('{"a": <n>, "b": "x<n>"}', n="$.detail.nothing")) == {"a": "", "b": "x"}


def test_the_event_without_its_detail_is_named_as_aws_names_it() -> None:
    event = {"detail-type": "d", "source": "s", **EVENT}
    text = input_of({"InputTransformer": {"InputTemplate": "<aws.events.event>"}}, event, RULE)
    assert json.loads(text) == {"detailType": "d", "source": "s", "time": EVENT["time"]}


def test_a_text_may_be_the_template() -> None:
    assert transformed('"step <n> failed"', n="$.detail.n") == '"step 3 failed"'
