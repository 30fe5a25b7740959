"""Requests made from botocore's models: first as they should be, then spoilt in one or several places."""

from __future__ import annotations

import copy
import json
import random
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from emulator.gateway.patterns import matcher

if TYPE_CHECKING:
    from botocore.model import Shape

PLAIN = ["a", "abc-1", "s3://fuzz/key", "image:1", "123456789012", "2020-01-01", "{}", "us-east-1", "/", "1", "true"]
HOSTILE_TEXTS = [
    "",
    " ",
    "\x00",
    "a\r\nX-Injected: yes",
    "../../../../etc/passwd",
    "/etc/passwd",
    "s3://",
    "s3://../..",
    "s3://fuzz/../../x",
    "s3://fuzz",
    "arn:",
    "arn:aws:sagemaker:::",
    "arn:aws:sagemaker:us-east-1:123456789012:pipeline/nobody/execution/nobody",
    "arn:aws:sagemaker:us-east-1:999999999999:pipeline/first",
    "arn:aws:iam::123456789012:role/" + "x" * 300,
    "Zürich 東京 \U0001f600",
    "\ud800",
    "\u202e\u0000\ufffe",
    "A" * 70_000,
    "%00%2e%2e%2f",
    "'; DROP TABLE resources; --",
    '{"a":',
    "<a>&b;</a>",
    "*",
    "\\",
    "9" * 400,
    "null",
    "$(reboot)",
]
DEEP_LIST, DEEP_MAP, HUGE_FLOAT = "<deep list>", "<deep map>", "<huge float>"
"""Stand for what ``json.dumps`` cannot write; ``dump`` puts the real thing in their place."""
HOSTILE: list[Any] = [
    *HOSTILE_TEXTS,
    None,
    True,
    False,
    0,
    -1,
    1.5,
    2**31,
    2**63,
    2**64,
    -(2**63) - 1,
    10**400,
    1e308,
    float("nan"),
    float("inf"),
    [],
    {},
    [None],
    {"": None},
    ["a"] * 2000,
    {str(number): "x" for number in range(300)},
    DEEP_LIST,
    DEEP_MAP,
    HUGE_FLOAT,
]
_REAL = {
    json.dumps(DEEP_LIST): "[" * 5000 + "]" * 5000,
    json.dumps(DEEP_MAP): '{"a":' * 5000 + "1" + "}" * 5000,
    json.dumps(HUGE_FLOAT): "1e400",
}


def dump(document: Any) -> bytes:
    """JSON with all that a hostile client can write, such as NaN, 1e400 and half a surrogate pair."""
    text = json.dumps(document)
    for placeholder, real in _REAL.items():
        text = text.replace(placeholder, real)
    return text.encode()


class Generator:
    """Values of shapes. ``known``: names and ARNs that exist, so that requests get past the first look-up."""

    def __init__(self, chance: random.Random, known: Sequence[str]) -> None:
        self._chance = chance
        self._known = list(known)

    def plausible(self, shape: Shape | None, depth: int = 0) -> Any:
        """What a client could mean: every required member, some of the others, within the constraints."""
        if shape is None:
            return {}
        match shape.type_name:
            case "structure":
                return self._structure(shape, depth)
            case "list":
                count = max(int(shape.metadata.get("min", 0)), self._chance.choice([0, 1, 1, 2]))
                return [self.plausible(shape.member, depth + 1) for _ in range(min(count, 5))]
            case "map":
                return {self.plausible(shape.key, depth): self.plausible(shape.value, depth + 1)}
            case "boolean":
                return self._chance.random() < 0.5
            case "integer" | "long" | "float" | "double":
                return max(shape.metadata.get("min", 1), 1)
            case "timestamp":
                return self._chance.choice([0, 1.5, 1795337986])
            case "blob":
                return "YQ=="
            case _:
                return self._text(shape)

    def _structure(self, shape: Any, depth: int) -> dict[str, Any]:
        members = shape.members.items()
        if shape.metadata.get("union") or shape.is_tagged_union:
            members = [self._chance.choice(list(members))]
        appetite = 0.35 if depth == 0 else 0.15 if depth < 5 else 0.0
        return {
            name: self.plausible(member, depth + 1)
            for name, member in members
            if name in shape.required_members or self._chance.random() < appetite
        }

    def _text(self, shape: Any) -> str:
        if enum := shape.metadata.get("enum"):
            return str(self._chance.choice(enum))
        fits = matcher(shape.metadata["pattern"]) if "pattern" in shape.metadata else None
        least, most = int(shape.metadata.get("min", 0)), int(shape.metadata.get("max", 10**6))
        texts = [text.ljust(least, "x")[:most] for text in (*self._known, *PLAIN)]
        fitting = [text for text in texts if fits is None or fits(text)]
        return self._chance.choice(fitting or texts)

    def spoilt(self, document: dict[str, Any]) -> dict[str, Any]:
        """The document with one or a few parts missing, of another type, or hostile."""
        document = copy.deepcopy(document)
        for _ in range(self._chance.choice([1, 1, 1, 2, 4])):
            places = list(_places(document))
            if not places:
                return {self._chance.choice(["", "Name", "x"]): self._hostile()}
            holder, key = self._chance.choice(places)
            if self._chance.random() < 0.2:
                del holder[key]
            elif self._chance.random() < 0.1:
                holder[key] = [holder[key]]
            else:
                holder[key] = self._hostile()
        return document

    def _hostile(self) -> Any:
        return copy.deepcopy(self._chance.choice(HOSTILE))


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every part of a document, as what holds it and where."""
    parts: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in list(parts):
        yield value, key
        yield from _places(part)


def form(value: Any, prefix: str = "") -> Iterator[tuple[str, str]]:
    """The fields of the query protocol for a document, whatever its types are."""
    if isinstance(value, dict):
        for key, part in value.items():
            yield from form(part, f"{prefix}.{key}" if prefix else str(key))
    elif isinstance(value, list):
        for number, part in enumerate(value[:50], 1):
            yield from form(part, f"{prefix}.member.{number}")
    else:
        yield prefix, re.sub("[\ud800-\udfff]", "?", str(value))
