"""What a handler gets and gives: a View of the request, and a Page to be rendered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

from starlette.datastructures import QueryParams

from studio.aws import Aws, Problem
from studio.costs import Prices, usual_prices
from studio.scores import Scores

__all__ = ["Aws", "Page", "Problem", "View", "Write"]


@dataclass(frozen=True)
class Options:
    """What was said on the command line."""

    read_only: bool = False
    prices: Prices = field(default_factory=usual_prices)


@dataclass(frozen=True)
class View:
    """A request to look at something."""

    aws: Aws
    options: Options
    path: str
    parts: Mapping[str, str]
    query: QueryParams
    scores: Scores

    def get(self, name: str, default: str = "") -> str:
        return self.query.get(name, default)

    def listed(self, method: str, member: str, **arguments: Any) -> tuple[list[dict[str, Any]], str | None]:
        """A page of a SageMaker list, and the token of the next.

        A name to look for that AWS does not take for one finds nothing; what AWS says of it is shown.

        Raises:
            Problem: AWS refused.
        """
        try:
            answer = self.aws.sagemaker(method, NextToken=self.get("after") or None, **arguments)
        except Problem as problem:
            if not (self.get("q") and problem.code == "ValidationException"):
                raise
            self.aws.gaps.append(problem)
            return [], None
        return list(answer.get(member, [])), answer.get("NextToken")

    def at(self, path: str, **query: str) -> View:
        """The same reader at another address."""
        return replace(self, path=path, query=QueryParams(query))

    def url(self, **changes: Any) -> str:
        """This page's address with some of its state changed; None takes a part away."""
        items = [(name, value) for name, value in self.query.multi_items() if name not in changes]
        for name, value in changes.items():
            values = value if isinstance(value, list | tuple) else [value]
            items += [(name, str(one)) for one in values if one is not None]
        return self.path + (f"?{urlencode(items)}" if items else "")


@dataclass(frozen=True)
class Write:
    """A request to change something."""

    view: View
    form: Mapping[str, str]
    chosen: tuple[str, ...] = ()
    """What is ticked in the form's list of steps."""

    @property
    def aws(self) -> Aws:
        return self.view.aws

    @property
    def parts(self) -> Mapping[str, str]:
        return self.view.parts


@dataclass(frozen=True)
class Page:
    """A template and its words. While ``is_live``, its ``blocks`` are rendered again and sent when they change."""

    template: str
    title: str
    context: dict[str, Any] = field(default_factory=dict)
    blocks: tuple[str, ...] = ()
    is_live: bool = False
    status: int = 200
    view: View | None = None
    """The address that its links change, where that is not the one that was asked for."""
