"""Profiler rules of training jobs: kept and described, evaluated by nobody.

Until 2023 SDK v2 gave every training job the rule ProfilerReport, unasked. A rule watches from a processing job of its
own and never decides how training ends, so a job is trained all the same and the rule's status says what became of it.
"""

from __future__ import annotations

from typing import Any

from emulator.store.resources import Resource

MEMBER = "ProfilerRuleConfigurations"
STATUSES = "ProfilerRuleEvaluationStatuses"
NOT_EVALUATED = (
    "InternalServerError: Rule evaluation not started: the emulator does not evaluate Profiler rules. The training job"
    " runs without them; disable_profiler=True (SDK v2) asks for none."
)


def evaluations(job: Resource) -> dict[str, list[dict[str, Any]]]:
    """What DescribeTrainingJob says of the rules of ``job``, if any (API_ProfilerRuleEvaluationStatus)."""
    rules = job.body.get(MEMBER) or []
    return {STATUSES: [_evaluation(rule["RuleConfigurationName"], job.created) for rule in rules]} if rules else {}


def _evaluation(name: str, created: float) -> dict[str, Any]:
    return {
        "RuleConfigurationName": name,
        "RuleEvaluationStatus": "Error",
        "StatusDetails": NOT_EVALUATED,
        "LastModifiedTime": created,
    }
