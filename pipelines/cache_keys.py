"""What of a step decides whether its cache hits (Developer Guide, "Caching Pipeline Steps")."""

from __future__ import annotations

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
}
SIBLING_KEYS: dict[str, tuple[str, ...]] = {
    "ClarifyCheck": ("CheckType", "Arguments"),
    "QualityCheck": ("CheckType", "Arguments"),
    "EMR": ("ClusterId", "StepConfig", "Arguments"),
    "Lambda": ("FunctionArn", "Arguments"),
}
"""Types whose key is made of members beside ``Arguments``."""
CACHE_KEYS |= dict.fromkeys(SIBLING_KEYS, ())


def key_members(body: dict[str, Any]) -> dict[str, Any]:
    """The members of a step's definition that its cache key is made of."""
    kind = body["Type"]
    if kind in SIBLING_KEYS:
        return {key: body.get(key) for key in SIBLING_KEYS[kind] if key in body}
    arguments = body.get("Arguments") or {}
    return {key: arguments[key] for key in CACHE_KEYS.get(kind, ()) if key in arguments}
