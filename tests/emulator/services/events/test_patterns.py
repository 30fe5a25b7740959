"""Event patterns, by the examples of the EventBridge User Guide."""

from __future__ import annotations

import json
from typing import Any

import pytest

from emulator.services.events.patterns import PatternError, matches, parse_pattern

EVENT = {
    "source": "aws.sagemaker",
    "resources": ["arn:one", "arn:two"],
    "detail": {"status": "Succeeded", "n": 5, "ok": True, "none": None, "file": "a.PNG", "ip": "10.0.0.7",
               "list": [{"k": 1, "l": 1}, {"k": 2, "l": 2}], "empty": {}, "none_of": [], "nested": [[1, 2], [3]],
               "path": "/a*b\\c", "state.now": "on", "state": {"before": {"that": "off"}}},
}  # fmt: skip


def detail(**fields: Any) -> dict[str, Any]:
    return {"detail": fields}


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ({"source": ["aws.sagemaker"]}, True),
        ({"source": ["aws.ec2"]}, False),
        ({"source": ["aws.ec2", "aws.sagemaker"]}, True),
        ({"resources": ["arn:two"]}, True),
        (detail(status=[{"prefix": "Succ"}]), True),
        (detail(status=[{"prefix": {"equals-ignore-case": "sUCC"}}]), True),
        (detail(file=[{"suffix": ".png"}]), False),
        (detail(file=[{"suffix": {"equals-ignore-case": ".png"}}]), True),
        (detail(file=[{"equals-ignore-case": "A.png"}]), True),
        (detail(status=[{"anything-but": "Failed"}]), True),
        (detail(status=[{"anything-but": ["Failed", "Succeeded"]}]), False),
        (detail(status=[{"anything-but": {"prefix": "Succ"}}]), False),
        (detail(status=[{"anything-but": {"suffix": ["x", "y"]}}]), True),
        (detail(status=[{"anything-but": {"prefix": ["x", "Succ"]}}]), False),
        (detail(missing=[{"anything-but": "x"}]), False),
        (detail(n=[{"numeric": [">", 0, "<=", 5]}]), True),
        (detail(n=[{"numeric": ["=", 4]}]), False),
        (detail(ok=[{"numeric": ["=", 1]}]), False),
        (detail(n=[5.0]), True),
        (detail(n=["5"]), False),
        (detail(ok=[True]), True),
        (detail(ok=[1]), False),
        (detail(none=[None]), True),
        (detail(missing=[None]), False),
        (detail(none=[{"exists": True}]), True),
        (detail(missing=[{"exists": False}]), True),
        (detail(empty=[{"exists": True}]), False),
        (detail(status=[{"exists": False}]), False),
        (detail(ip=[{"cidr": "10.0.0.0/24"}]), True),
        (detail(ip=[{"cidr": "10.0.1.0/24"}]), False),
        (detail(status=[{"wildcard": "S*d"}]), True),
        (detail(status=[{"wildcard": "S*x"}]), False),
        (detail(list={"k": [2]}), True),
        (detail(list={"k": [3]}), False),
        (detail(state={"now": ["on"], "before": {"that": ["off"]}}), True),
        ({"detail.state.before": {"that": ["off"]}, "detail": {"state.now": ["on"]}}, True),
        (detail(**{"state.before.that": ["on"]}), False),
        (detail(list={"k": [1], "l": [1]}), True),
        (detail(list={"k": [1], "l": [2]}), False),
        (detail(nested=[3]), True),
        (detail(none_of=[{"exists": True}]), False),
        (detail(none_of=[{"exists": False}]), True),
        (detail(n=[{"anything-but": {"prefix": "x"}}]), True),
        (detail(none=[{"anything-but": {"wildcard": ["*x*", "y"]}}]), True),
        (detail(missing=[{"anything-but": {"suffix": "x"}}]), False),
        (detail(empty=[{"anything-but": "x"}]), False),
        (detail(n=[{"cidr": "0.0.0.0/8"}]), False),
        (detail(path=[{"wildcard": "/a\\*b*"}]), True),
        (detail(path=[{"wildcard": "/a\\*c*"}]), False),
        (detail(path=[{"wildcard": "*b\\\\c"}]), True),
        ({"$or": [{"source": ["x"]}, detail(n=[5])]}, True),
        ({"$or": [{"source": ["x"]}, detail(n=[6])]}, False),
        (detail(status=["Succeeded"], n=[6]), False),
    ],
)
def test_a_pattern_matches_as_documented(pattern: dict[str, Any], expected: bool) -> None:
    assert matches(parse_pattern(json.dumps(pattern)), EVENT) is expected


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("nonsense", "Invalid JSON"),
        ("[]", "not an object"),
        ('{"source": "aws.sagemaker"}', "must be an object or an array"),
        ('{"source": []}', "Empty arrays"),
        ('{"source": [["x"]]}', "within arrays"),
        ('{"source": [{"like": "x"}]}', "Unrecognized match type like"),
        ('{"source": [{"prefix": "x", "suffix": "y"}]}', "Only one key"),
        ('{"source": [{"numeric": ["~", 1]}]}', "Unrecognized numeric range operator: ~"),
        ('{"source": [{"numeric": [">", 0, ">", 0]}]}', "Bad numeric range operator: >"),
        ('{"source": [{"numeric": [">", 0, "<"]}]}', "Value of < must be numeric"),
        ('{"source": [{"numeric": [">", "5"]}]}', "Value of > must be numeric"),
        ('{"source": [{"numeric": []}]}', "Invalid member in numeric match"),
        ('{"source": [{"prefix": 7}]}', "prefix match pattern must be a string"),
        ('{"source": [{"suffix": [".png"]}]}', "suffix match pattern must be a string"),
        ('{"source": [{"equals-ignore-case": ["a"]}]}', "equals-ignore-case match pattern must be a string"),
        ('{"source": [{"wildcard": "a**b"}]}', "Consecutive wildcard characters at pos 1"),
        ('{"source": [{"wildcard": "a\\\\b"}]}', "Invalid escape character at pos 1"),
        ('{"source": [{"cidr": "10.0.0.1"}]}', "Malformed CIDR, one '/' required"),
        ('{"source": [{"cidr": "10.0.0.0/x"}]}', "Malformed CIDR, mask bits must be an integer"),
        ('{"source": [{"cidr": "xx.11.xx/8"}]}', "Nonstandard IP address: xx.11.xx"),
        ('{"source": [{"anything-but": null}]}', "single string/number value"),
        ('{"source": [{"anything-but": ["a", null]}]}', "Inside anything but list"),
        ('{"source": [{"anything-but": ["a", 1]}]}', "mixed type is not supported"),
        ('{"source": [{"anything-but": {"prefix": ""}}]}', "Null prefix/suffix not allowed"),
        ('{"source": [{"anything-but": {"prefix": ["a", 1]}}]}', "prefix/suffix match pattern must be a string"),
        ('{"source": [{"anything-but": {"suffix": {"equals-ignore-case": "a"}}}]}', "single string/number value"),
        ('{"source": [{"anything-but": {"equals-ignore-case": 1}}]}', "Inside anything-but/equals-ignore-case list"),
        ('{"source": [{"exists": "yes"}]}', "exists match pattern must be either true or false"),
        ('{"$or": [{"a": ["b"]}]}', "two or more"),
    ],
)
def test_what_is_no_pattern_is_refused_with_a_reason(pattern: str, reason: str) -> None:
    with pytest.raises(PatternError, match=reason):
        parse_pattern(pattern)
