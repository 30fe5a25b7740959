"""What IAM policies allow: an explicit deny wins, then an allow, else access is denied implicitly.

Source: IAM User Guide, "Policy evaluation logic", for identity policies within one account. Condition operators that
are not here are refused by name, never guessed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from emulator.aws.errors import NotImplementedHere

_SEVERITY = ("allowed", "implicitDeny", "explicitDeny")


@dataclass(frozen=True, slots=True)
class Policy:
    name: str
    document: dict[str, Any]

    @property
    def statements(self) -> list[dict[str, Any]]:
        return _as_list(self.document["Statement"])


@dataclass(frozen=True, slots=True)
class Decision:
    """``outcome`` as IAM names it, the policies that led to it, the condition keys nobody gave a value."""

    outcome: str
    matched: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


def evaluate(policies: Sequence[Policy], action: str, resource: str, values: dict[str, list[str]]) -> Decision:
    """Decide on one action on one resource; ``values`` are those of condition keys, by lower-case name.

    Raises:
        NotImplementedHere: a statement that matters has a condition operator that is not evaluated here.
    """
    missing: list[str] = []
    effects: dict[str, list[str]] = {"Allow": [], "Deny": []}
    for policy in policies:
        for statement in policy.statements:
            if _applies(statement, action, resource) and _conditions_hold(statement, values, missing):
                effects[statement["Effect"]].append(policy.name)
    if effects["Deny"]:
        return Decision("explicitDeny", effects["Deny"], missing)
    if effects["Allow"]:
        return Decision("allowed", effects["Allow"], missing)
    return Decision("implicitDeny", [], missing)


def strictest(decisions: Sequence[Decision]) -> Decision:
    """The decision on several resources together."""
    return max(decisions, key=lambda decision: _SEVERITY.index(decision.outcome))


def _applies(statement: dict[str, Any], action: str, resource: str) -> bool:
    return _selected(statement, "Action", action.lower(), str.lower) and _selected(statement, "Resource", resource, str)


def _selected(statement: dict[str, Any], element: str, value: str, fold: Callable[[str], str]) -> bool:
    if element in statement:
        return any(_wildcard(fold(pattern)).fullmatch(value) for pattern in _as_list(statement[element]))
    if f"Not{element}" in statement:
        return not any(_wildcard(fold(pattern)).fullmatch(value) for pattern in _as_list(statement[f"Not{element}"]))
    return False


def _conditions_hold(statement: dict[str, Any], values: dict[str, list[str]], missing: list[str]) -> bool:
    held = [_holds(*condition, values, missing) for condition in _conditions(statement)]  # all, to collect the missing
    return all(held)


def _conditions(statement: dict[str, Any]) -> Iterator[tuple[str, str, list[str]]]:
    for operator, keys in statement.get("Condition", {}).items():
        for key, wanted in keys.items():
            yield operator, key, [_text(each) for each in _as_list(wanted)]


def _holds(operator: str, key: str, wanted: list[str], values: dict[str, list[str]], missing: list[str]) -> bool:
    name = operator.removesuffix("IfExists")
    negated = "Not" in name
    test = _OPERATORS.get(name.replace("Not", ""))
    if test is None:
        raise NotImplementedHere(f"The condition operator {operator} is not evaluated by this emulator")
    given = values.get(key.lower())
    if given is None:
        if key not in missing:
            missing.append(key)
        return negated or operator.endswith("IfExists")
    return any(test(pattern, value) for pattern in wanted for value in given) != negated


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _equals(pattern: str, value: str) -> bool:
    return pattern == value


def _equals_ignoring_case(pattern: str, value: str) -> bool:
    return pattern.lower() == value.lower()


def _like(pattern: str, value: str) -> bool:
    return _wildcard(pattern).fullmatch(value) is not None


_OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "StringEquals": _equals,
    "StringEqualsIgnoreCase": _equals_ignoring_case,
    "StringLike": _like,
    "ArnEquals": _like,
    "ArnLike": _like,
    "Bool": _equals_ignoring_case,
}


@lru_cache(maxsize=4096)
def _wildcard(pattern: str) -> re.Pattern[str]:
    """``*`` and ``?`` of policies; nothing else is special."""
    return re.compile(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), re.DOTALL)


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
