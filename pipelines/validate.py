"""``pipelines validate``: every check on every pipeline, and how findings are printed."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

import pipelines.checks.all  # noqa: F401  (registers the checks)
from pipelines.build import BuiltPipeline
from pipelines.catalog import PipelineSource
from pipelines.checks.registry import CHECKS, Finding, Problem, finding, run_checks
from pipelines.checks.subject import Subject
from pipelines.environment import Environment
from pipelines.errors import BuildError
from pipelines.project import CHECKS_PAGES

SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
UNBUILDABLE = "PL100"


def validate_pipeline(
    source: PipelineSource, environment: Environment, built: BuiltPipeline | BuildError
) -> list[Finding]:
    """Findings on a pipeline; where it cannot be built those on its sources, and the build's error as one of them."""
    if isinstance(built, BuildError):
        subject = Subject(source, environment)
        where = _place(subject, str(built))
        problem = Problem(str(built), f"correct it, then: pipelines build {source.name}", where=where)
        return [finding(CHECKS[UNBUILDABLE], subject, problem), *run_checks(subject)]
    return run_checks(Subject(source, environment, built.definition, built.manifest, built.folder))


def _place(subject: Subject, message: str) -> str:
    """``file:line`` at the beginning of a build's error."""
    parts = message.split(":", 2)
    is_place = len(parts) == 3 and parts[1].isdecimal() and (subject.root / parts[0]).is_file()
    return f"{parts[0]}:{parts[1]}" if is_place else ""


def as_text(findings: Iterable[Finding]) -> list[str]:
    """Lines for a terminal: place first, as editors want it."""
    lines: list[str] = []
    for item in findings:
        step = f", step {item.step}" if item.step else ""
        field = f" {item.field}" if item.field else ""
        lines.append(f"{item.file}:{item.line}: {item.level} {item.code} {item.title}")
        lines.append(f"    pipeline {item.pipeline}{step}{field}: {item.message}")
        lines.append(f"    remedy: {item.remedy}  ({item.page})")
    return lines


def as_documents(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """An object per finding."""
    return [asdict(item) | {"page": item.page} for item in findings]


def as_sarif(findings: Iterable[Finding]) -> str:
    """SARIF 2.1.0, which GitHub shows beside the lines of a pull request."""
    rules = [
        {
            "id": check.code,
            "shortDescription": {"text": check.title},
            "fullDescription": {"text": " ".join(check.explanation.split())},
            "help": {"text": f"{' '.join(check.explanation.split())} See {CHECKS_PAGES / check.code}.md"},
            "defaultConfiguration": {"level": check.level},
        }
        for check in sorted(CHECKS.values(), key=lambda check: check.code)
    ]
    driver = {"name": "pipelines validate", "rules": rules}
    run = {"tool": {"driver": driver}, "results": [_sarif_result(item) for item in findings]}
    return json.dumps({"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2)


def _sarif_result(item: Finding) -> dict[str, Any]:
    step = f", step {item.step}" if item.step else ""
    place = {"artifactLocation": {"uri": item.file}, "region": {"startLine": item.line}}
    return {
        "ruleId": item.code,
        "level": item.level,
        "message": {"text": f"Pipeline {item.pipeline}{step}: {item.message}. Remedy: {item.remedy}."},
        "locations": [{"physicalLocation": place}],
    }


def list_checks() -> list[str]:
    """One line per check: code, level, title."""
    return [f"{check.code}  {check.level:<7}  {check.title}" for _, check in sorted(CHECKS.items())]


def check_documents() -> list[dict[str, str]]:
    """An object per check."""
    found = [check for _, check in sorted(CHECKS.items())]
    return [
        {"code": each.code, "level": each.level, "title": each.title, "explanation": each.explanation} for each in found
    ]


def summary(findings: list[Finding], names: list[str]) -> str:
    """The last line of a validation."""
    errors = sum(item.level == "error" for item in findings)
    warnings = len(findings) - errors
    return f"{', '.join(names)}: {errors} errors, {warnings} warnings ({len(CHECKS)} checks)"
