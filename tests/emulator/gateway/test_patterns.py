from __future__ import annotations

import pytest

from emulator.aws import service_models
from emulator.gateway import patterns
from emulator.gateway.parity import SERVICES

NOT_REGULAR = {
    "([\\p{L}\\p{Z}\\p{N}_.:\\/=+\\-@]*)${1,128}",
    "([\\p{L}\\p{Z}\\p{N}_.:\\/=+\\-@]*)${1,256}",
}
"""Patterns of AWS's models that are no regular expressions in any language."""


@pytest.mark.parametrize(
    ("pattern", "good", "bad"),
    [
        (r"[\p{L}\p{Z}\p{N}_.:/=+\-@]*", "Kostenstelle ä 1 漢字", "a!"),
        (r"[\p{L}\p{M}\p{S}\p{N}\p{P}]+", "€uro—", "a b"),
        (r"\p{ASCII}*", "abc", "ä"),
        (r"\A\S[\p{Print}]*\z", "a b", " b"),
        (r"arn:[\p{Alnum}\-]+:lambda", "arn:aws-cn:lambda", "arn:a_b:lambda"),
        (r"[\w-_]*", "a-_b", "a.b"),
        (r"\w+", "az_9", "ä"),
        (r"\d{2}", "42", "४२"),
        ("[\\u0020-\\uD7FF\\uE000-\\uFFFD\\uD800\\uDC00-\\uDBFF\\uDFFF\\t]*", "a 😀", "a\nb"),
        (r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,255}", "a-b", "a_b"),
    ],
)
def test_java_patterns_match_whole_values(pattern: str, good: str, bad: str) -> None:
    matches = patterns.matcher(pattern)
    assert matches is not None
    assert matches(good)
    assert not matches(bad)


def test_a_line_break_at_the_end_counts() -> None:
    matches = patterns.matcher("^[a-z]+$")
    assert matches is not None
    assert matches("abc")
    assert not matches("abc\n")


def test_every_pattern_of_the_served_services_is_checked() -> None:
    unchecked = set()
    for service in SERVICES:
        model = service_models.service_model(service)
        for name in model.shape_names:
            pattern = model.shape_for(name).metadata.get("pattern")
            if pattern and patterns.matcher(pattern) is None and pattern not in patterns._ANYTHING:
                unchecked.add(pattern)
    assert unchecked == NOT_REGULAR


def test_a_definition_of_a_megabyte_is_checked_at_once() -> None:
    model = service_models.service_model("sagemaker")
    pattern = model.shape_for("PipelineDefinition").metadata["pattern"]
    assert patterns.matcher(pattern) is None
