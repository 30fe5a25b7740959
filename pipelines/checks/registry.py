"""The registry of checks: a check is a function from a :class:`Subject` to problems, under a code and a title.

The function's docstring is the check's documentation: its page in docs/checks is made of it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from pipelines.checks.subject import Subject
from pipelines.project import CHECKS_PAGES

Level = Literal["error", "warning"]


@dataclass(frozen=True)
class Problem:
    """What one check found: ``where`` is ``file:line``, by default that of the step."""

    message: str
    remedy: str
    step: str = ""
    field: str = ""
    where: str = ""


@dataclass(frozen=True)
class Check:
    """A registered check. ``on_sources``: it reads only the sources, so it also serves where the build fails."""

    code: str
    title: str
    level: Level
    on_sources: bool
    find: Callable[[Subject], Iterator[Problem]]

    @property
    def explanation(self) -> str:
        """Why it matters and what to do, from the function's docstring."""
        return inspect.getdoc(self.find) or ""


@dataclass(frozen=True)
class Finding:
    """A problem with its check, its pipeline and its place."""

    code: str
    title: str
    level: Level
    pipeline: str
    step: str
    field: str
    file: str
    line: int
    message: str
    remedy: str

    @property
    def page(self) -> str:
        return (CHECKS_PAGES / f"{self.code}.md").as_posix()


CHECKS: dict[str, Check] = {}
"""By code; filled by the modules that :mod:`pipelines.checks.all` imports."""

Find = Callable[[Subject], Iterator[Problem]]


def check(code: str, title: str, level: Level = "error", *, on_sources: bool = False) -> Callable[[Find], Find]:
    """Register a function as the check ``code``."""

    def register(function: Find) -> Find:
        if code in CHECKS:
            raise ValueError(f"two checks have the code {code}")
        CHECKS[code] = Check(code, title, level, on_sources, function)
        return function

    return register


def run_checks(subject: Subject) -> list[Finding]:
    """Findings of every check that can run on the subject, errors first, then by place."""
    chosen = [check for check in CHECKS.values() if subject.is_built or check.on_sources]
    findings = [finding(check, subject, problem) for check in chosen for problem in check.find(subject)]
    return sorted(findings, key=lambda item: (item.level != "error", item.file, item.line, item.code, item.message))


def finding(check: Check, subject: Subject, problem: Problem) -> Finding:
    """A problem at its place: its own, that of its step, or the pipeline's module."""
    where = problem.where or subject.where(problem.step)
    file, _, line = where.rpartition(":")
    return Finding(
        check.code,
        check.title,
        check.level,
        subject.name,
        problem.step,
        problem.field,
        file,
        int(line),
        problem.message,
        problem.remedy,
    )
