"""What of a step decides whether its cache hits.

That is documented (Developer Guide, "Default cache key attributes by pipeline step type").
Only steps of the types in ``CACHE_KEYS`` are cached; on others, such as Lambda and Callback steps, ``CacheConfig`` is
accepted and does nothing (Developer Guide, "Caching pipeline steps").
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

CACHE_KEYS: dict[str, tuple[str, ...]] = {
    "Processing": ("AppSpecification", "Environment", "ProcessingInputs"),
    "Training": (
        *("AlgorithmSpecification", "CheckpointConfig", "DebugHookConfig", "DebugRuleConfigurations"),
        *("Environment", "HyperParameters", "InputDataConfig"),
    ),
    "Tuning": ("HyperParameterTuningJobConfig", "TrainingJobDefinition", "TrainingJobDefinitions"),
    "AutoML": ("AutoMLJobConfig", "AutoMLJobObjective", "InputDataConfig", "ProblemType"),
    "Transform": ("DataProcessing", "Environment", "ModelName", "TransformInput"),
    "EMR": ("ClusterId", "StepConfig"),
}
"""Members of a step's ``Arguments``."""
_CHECK_KEYS = (
    *("CheckType", "Arguments", "SkipCheck", "RegisterNewBaseline", "ModelPackageGroupName"),
    "SuppliedBaselineConstraints",
)
SIBLING_KEYS: dict[str, tuple[str, ...]] = {
    "ClarifyCheck": _CHECK_KEYS,
    "QualityCheck": (*_CHECK_KEYS, "SuppliedBaselineStatistics"),
}
"""Types whose key is made of members beside ``Arguments``, which hold the CheckJobConfig and the check's own."""
CACHE_KEYS |= dict.fromkeys(SIBLING_KEYS, ())
_DEFINITION = ("AlgorithmSpecification", "HyperParameterRanges", "InputDataConfig", "StaticHyperParameters",
               "TuningObjective")  # fmt: skip
CHILDREN = {
    "TrainingJobDefinition": _DEFINITION,
    "TrainingJobDefinitions": _DEFINITION,
    "AutoMLJobConfig": ("CompletionCriteria", "CandidateGenerationConfig", "DataSplitConfig", "Mode"),
}
"""Members of which only these children count."""


def key_members(body: dict[str, Any]) -> dict[str, Any]:
    """The members of a step's definition that its cache key is made of."""
    kind = body["Type"]
    if kind in SIBLING_KEYS:
        return {key: body.get(key) for key in SIBLING_KEYS[kind] if key in body}
    return key_arguments(kind, body.get("Arguments") or {})


def key_arguments(kind: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """What counts of a request to create a job, or of the job's description."""
    return {key: _counting(key, arguments[key]) for key in CACHE_KEYS.get(kind, ()) if key in arguments}


def _counting(key: str, value: Any) -> Any:
    if key not in CHILDREN:
        return value
    if isinstance(value, list):
        return [_counting(key, item) for item in value]
    return {child: value[child] for child in CHILDREN[key] if child in value} if isinstance(value, dict) else value
