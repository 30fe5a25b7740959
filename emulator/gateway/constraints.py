"""The constraints of AWS's models, compiled to functions: required, min, max, pattern and enum.

A check takes a parsed value and returns its problems; the usual answer, none, costs no string work.
The wording is AWS's::

    1 validation error detected: Value 'a_b' at 'pipelineName' failed to satisfy constraint: Member must satisfy
    regular expression pattern: [a-zA-Z0-9](-*[a-zA-Z0-9]){0,255}
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from emulator.aws.errors import AwsError
from emulator.gateway.models import Shape
from emulator.gateway.patterns import matcher
from emulator.gateway.shapes import ShapeCompiler

Problem: TypeAlias = tuple[str, str, str]
"""Where (a path that grows on the way up), the value as it is quoted, AWS's sentence for what it should have been."""
Check: TypeAlias = Callable[[Any], Sequence[Problem]]
Test: TypeAlias = tuple[Callable[[Any], bool], str]
"""What must hold for a value, and AWS's sentence for it."""

_LONGEST_ECHO = 2048
_CODES = {"logs": "InvalidParameterException"} | dict.fromkeys(("sts", "iam", "cloudwatch"), "ValidationError")
_MODELLED_CODES = ("ValidationException", "ValidationError", "InvalidParameterException")


def error_code(service: str, modelled: Sequence[str]) -> str:
    """The code a service gives to a violated constraint, from the errors that its operation has in the model."""
    if service in _CODES:
        return _CODES[service]
    return next((code for code in _MODELLED_CODES if code in modelled), "ValidationException")


def validation_error(code: str, problems: Sequence[Problem]) -> AwsError:
    count = len(problems)
    detail = "; ".join(
        f"Value {f'{value} ' if value else ''}at '{path}' failed to satisfy constraint: {sentence}"
        for path, value, sentence in problems
    )
    return AwsError(f"{count} validation error{'s'[: count != 1]} detected: {detail}", code=code)


class ConstraintCompiler(ShapeCompiler["Check | None"]):
    """Compiles the checks of one service's shapes; None where nothing is constrained."""

    def _later(self, made: Callable[[], Check | None]) -> Check:
        return lambda value: (made() or _no_problems)(value)

    def _structure(self, shape: Shape) -> Check | None:
        required = [(name, _camel(name)) for name in shape.required_members]
        members = [
            (name, _camel(name), check)
            for name, member in shape.members.items()
            if (check := self.compile(member)) is not None
        ]
        if not required and not members:
            return None

        def check_structure(value: Mapping[str, Any]) -> Sequence[Problem]:
            problems = [(path, "null", "Member must not be null") for name, path in required if name not in value]
            for name, path, check in members:
                if name in value and (found := check(value[name])):
                    problems += _below(path, found)
            return problems

        return check_structure

    def _list(self, shape: Shape) -> Check | None:
        return _both(_own_check(shape), self._items(shape))

    def _map(self, shape: Shape) -> Check | None:
        return _both(_own_check(shape), self._entries(shape))

    def _scalar(self, shape: Shape) -> Check | None:
        return _own_check(shape)

    def _items(self, shape: Shape) -> Check | None:
        member = shape.member
        if member.type_name not in ("structure", "list", "map"):
            return _all_of(member, list, "Member must satisfy constraint", _sensitive(shape, member))
        check = self.compile(member)
        if check is None:
            return None

        def check_list(value: Sequence[Any]) -> Sequence[Problem]:
            return [
                problem
                for index, item in enumerate(value, 1)
                if (found := check(item))
                for problem in _below(f"{index}.member", found)
            ]

        return check_list

    def _entries(self, shape: Shape) -> Check | None:
        keys = _all_of(shape.key, list, "Map keys must satisfy constraint", _sensitive(shape, shape.key))
        if shape.value.type_name not in ("structure", "list", "map"):
            secret = _sensitive(shape, shape.value)
            return _both(keys, _all_of(shape.value, _map_values, "Map value must satisfy constraint", secret))
        check = self.compile(shape.value)
        if check is None:
            return keys

        def check_map(value: Mapping[str, Any]) -> Sequence[Problem]:
            return [
                problem
                for key, item in value.items()
                if (found := check(item))
                for problem in _below(f"{key}.member", found)
            ]

        return _both(keys, check_map)


def _no_problems(_: Any) -> Sequence[Problem]:
    return ()


def _below(path: str, problems: Sequence[Problem]) -> list[Problem]:
    """Problems of a part, seen from the whole that has the part at ``path``."""
    return [(f"{path}.{rest}" if rest else path, value, sentence) for rest, value, sentence in problems]


def _both(first: Check | None, second: Check | None) -> Check | None:
    if first is None or second is None:
        return first or second
    return lambda value: (*first(value), *second(value))


def _own_check(shape: Shape) -> Check | None:
    tests = _tests(shape)
    if not tests:
        return None
    secret = _sensitive(shape)
    if len(tests) == 1:
        holds, sentence = tests[0]
        return lambda value: () if holds(value) else [("", _echo(value, secret), sentence)]

    def check(value: Any) -> Sequence[Problem]:
        return [("", _echo(value, secret), sentence) for holds, sentence in tests if not holds(value)]

    return check


def _all_of(member: Shape, parts: Callable[[Any], Sequence[Any]], title: str, secret: bool) -> Check | None:
    """Check scalars inside a list or map; AWS then names the collection and recites every constraint of its members."""
    tests = _tests(member)
    if not tests:
        return None
    recital = f"{title}: [{', '.join(sentence for _, sentence in tests)}]"

    def check(value: Any) -> Sequence[Problem]:
        if all(holds(part) for part in parts(value) for holds, _ in tests):
            return ()
        return [("", _echo(value, secret), recital)]

    return check


def _map_values(value: Mapping[str, Any]) -> list[Any]:
    return list(value.values())


def _tests(shape: Shape) -> list[Test]:
    metadata = shape.metadata
    numeric = shape.type_name in ("integer", "long", "float", "double")
    if shape.type_name in ("structure", "boolean", "timestamp"):
        return []
    found = _range_tests(metadata, numeric)
    if enum := metadata.get("enum"):
        allowed = frozenset(enum)
        found.append((lambda value: value in allowed, f"Member must satisfy enum value set: [{', '.join(enum)}]"))
    if (pattern := metadata.get("pattern")) and (matches := matcher(pattern)):
        sentence = f"Member must satisfy regular expression pattern: {pattern}"
        found.append((lambda value: matches(value) is not None, sentence))
    return found


def _range_tests(metadata: Mapping[str, Any], numeric: bool) -> list[Test]:
    found: list[Test] = []
    kind = "value" if numeric else "length"
    size: Callable[[Any], Any] = (lambda value: value) if numeric else len
    if (most := metadata.get("max")) is not None:
        found.append((lambda value: size(value) <= most, f"Member must have {kind} less than or equal to {most}"))
    if (least := metadata.get("min")) is not None:
        found.append((lambda value: size(value) >= least, f"Member must have {kind} greater than or equal to {least}"))
    return found


def _sensitive(*shapes: Shape) -> bool:
    return any(shape.metadata.get("sensitive") for shape in shapes)


def _echo(value: Any, secret: bool) -> str:
    return "" if secret else f"'{_java(value)[:_LONGEST_ECHO]}'"


def _java(value: Any) -> str:
    """A value as Java prints it, which is how AWS's messages quote it."""
    match value:
        case bool():
            return str(value).lower()
        case list():
            return f"[{', '.join(map(_java, value))}]"
        case dict():
            return f"{{{', '.join(f'{key}={_java(item)}' for key, item in value.items())}}}"
        case bytes():
            return f"java.nio.HeapByteBuffer[pos=0 lim={len(value)} cap={len(value)}]"
        case _:
            return str(value)


def _camel(name: str) -> str:
    """``PipelineName`` is spoken of as ``pipelineName``."""
    return name[:1].lower() + name[1:]
