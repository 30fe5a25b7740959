"""Instance preferences: an ordered list of instance types a job may run on, instead of one.

AWS takes the first that has capacity. Here every type has, so it is the first (API Reference, ResourceConfig and
ProcessingClusterConfig, ``InstancePreferences``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from emulator.aws.errors import ValidationException

SELECTED = ("SelectedInstanceType", "SelectedInstanceCount")


def selected(resources: Mapping[str, Any], where: str, excluded: Sequence[str] = ("InstanceType",)) -> dict[str, Any]:
    """The member ``where`` of a request, with the instance type and count that its preferences, if any, lead to.

    Raises:
        ValidationException: the preferences contradict themselves or one of the members ``excluded``.
    """
    for member in SELECTED:
        if member in resources:
            raise ValidationException(f"{where}.{member} is read-only and isn't accepted in requests")
    preferences = resources.get("InstancePreferences")
    if not preferences:
        return dict(resources)
    for member in excluded:
        if resources.get(member):
            raise ValidationException(f"{where}: InstancePreferences is mutually exclusive with {member}")
    types = [preference["InstanceType"] for preference in preferences]
    if len(set(types)) < len(types):
        raise ValidationException(f"{where}.InstancePreferences: each InstanceType can appear only once, got {types}")
    values = (types[0], _count(resources, preferences, where))
    return {**resources, **dict(zip(SELECTED, values, strict=True))}


def _count(resources: Mapping[str, Any], preferences: Sequence[Mapping[str, Any]], where: str) -> int:
    counts = [preference.get("InstanceCount") for preference in preferences]
    common = resources.get("InstanceCount")
    if common is not None and counts.count(None) == len(counts):
        return int(common)
    if common is None and counts[0] is not None and None not in counts:
        return int(counts[0])
    raise ValidationException(
        f"{where}: specify InstanceCount either for every one of the InstancePreferences or once for the job"
    )
