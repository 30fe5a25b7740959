"""What the checks know of the SageMaker API: instance types and the responses that step properties index.

Made from botocore's model, as reading that takes longer than all checks: python -m tests.pipelines.checks.test_facts
"""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

PATH = Path(__file__).with_name("facts.json")


@functools.cache
def _facts() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(PATH.read_text())
    return document


def instance_types(step_type: str) -> frozenset[str] | None:
    """Instance types that jobs of a step type can have; None for types that have none."""
    known = _facts()["instances"].get(step_type)
    return None if known is None else frozenset(known)


def properties(step_type: str) -> Any:
    """The shape of a step's properties (its Describe response); None where the type has no fixed one."""
    return _facts()["properties"].get(step_type)
