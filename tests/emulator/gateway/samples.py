"""Example values of AWS's shapes, made from the models: what a client may send, what a service may answer."""

from __future__ import annotations

import random
import string
from datetime import UTC, datetime
from typing import Any

_TEXT = string.ascii_letters + string.digits + " -_/&<>\"'äß漢😀"


class Samples:
    """Draws values of shapes; the same seed draws the same values."""

    def __init__(self, seed: int, *, plain: bool = False) -> None:
        self._random = random.Random(seed)
        self._alphabet = string.ascii_letters + string.digits if plain else _TEXT

    def of(self, shape: Any, depth: int = 0) -> Any:
        match shape.type_name:
            case "structure":
                return self._structure(shape, depth)
            case "list":
                return [self.of(shape.member, depth + 1) for _ in range(self._random.randint(1, 3))]
            case "map":
                return {self._text(): self.of(shape.value, depth + 1) for _ in range(self._random.randint(1, 2))}
            case "integer" | "long":
                return self._random.randint(1, 2**31 - 1)
            case "float" | "double":
                return self._random.randint(1, 4000) / 4
            case "boolean":
                return self._random.random() < 0.5
            case "timestamp":
                return datetime.fromtimestamp(self._random.randint(10**9, 2 * 10**9), UTC)
            case "blob":
                return self._text().encode()
            case _:
                enum = shape.metadata.get("enum")
                return self._random.choice(enum) if enum else self._text()

    def _structure(self, shape: Any, depth: int) -> Any:
        if getattr(shape, "is_document_type", False):
            return {self._text(): [self._text(), 1, None]}
        names = list(shape.members)
        if getattr(shape, "is_tagged_union", False):
            names = [self._random.choice(names)]
        elif depth > 2:
            names = [name for name in names if name in shape.required_members or self._random.random() < 1 / depth**2]
        return {name: self.of(shape.members[name], depth + 1) for name in names} if depth < 8 else {}

    def _text(self) -> str:
        return "".join(self._random.choices(self._alphabet, k=self._random.randint(1, 12)))
