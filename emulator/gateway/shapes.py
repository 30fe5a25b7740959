"""Making one thing of each shape of a service's model: the function that reads it, writes it or checks it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable
from typing import Any, Generic, TypeVar

from emulator.gateway.models import Shape

Made = TypeVar("Made")


class ShapeCompiler(ABC, Generic[Made]):
    """Compiles each shape of one service once; shapes may contain themselves."""

    def __init__(self) -> None:
        self._made: dict[Hashable, Made] = {}
        self._open: set[Hashable] = set()

    def compile(self, shape: Shape) -> Made:
        key = self._key(shape)
        if key in self._open:
            return self._later(lambda: self._made[key])
        if key not in self._made:
            self._open.add(key)
            try:
                self._made[key] = self._compile(shape)
            finally:
                self._open.discard(key)
        return self._made[key]

    def _key(self, shape: Shape) -> Hashable:
        """What tells shapes apart that are compiled differently."""
        return shape.name

    def _compile(self, shape: Shape) -> Made:
        match shape.type_name:
            case "structure":
                return self._structure(shape)
            case "list":
                return self._list(shape)
            case "map":
                return self._map(shape)
            case _:
                return self._scalar(shape)

    @abstractmethod
    def _structure(self, shape: Shape) -> Made: ...

    @abstractmethod
    def _list(self, shape: Shape) -> Made: ...

    @abstractmethod
    def _map(self, shape: Shape) -> Made: ...

    @abstractmethod
    def _scalar(self, shape: Shape) -> Made: ...

    def _later(self, made: Callable[[], Made]) -> Made:
        """What stands within a shape for the shape itself, which is only then being compiled."""

        def call(*arguments: Any) -> Any:
            function: Any = made()
            return function(*arguments)

        return call  # type: ignore[return-value]
