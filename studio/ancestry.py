"""Lineage as SageMaker's lineage service has recorded it: artifacts, actions, contexts and trial components.

From one of them its ancestors and its descendants are followed through ListAssociations (Developer Guide, "Lineage
Tracking").
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from studio.addresses import link
from studio.aws import Aws
from studio.layout import CycleError
from studio.lineage import Drawing, Lineage, Thing, short

MOST = 60
"""Entities in a picture."""
ENTITIES = ("artifact", "action", "context", "experiment-trial-component")
_MODELS = ("model", "modelpackage", "modelgroup", "endpoint")


@dataclass(frozen=True, slots=True)
class Ancestry:
    """``lineage`` is None where nothing is recorded, or it leads in a circle."""

    arn: str
    lineage: Lineage | None


def find_entity(aws: Aws, text: str) -> str | None:
    """The ARN of the entity that stands for an ARN of anything, or for an S3 URI; None if none is recorded."""
    if text.startswith("arn:") and text.split(":", 5)[-1].split("/", 1)[0] in ENTITIES:
        return text
    nothing: dict[str, Any] = {}
    found = aws.optional(lambda: aws.sagemaker("list_artifacts", SourceUri=text), nothing)
    if items := found.get("ArtifactSummaries"):
        return str(items[0]["ArtifactArn"])
    if not text.startswith("arn:"):
        return None
    found = aws.optional(lambda: aws.sagemaker("list_trial_components", SourceArn=text), nothing)
    components = found.get("TrialComponentSummaries")
    return str(components[0]["TrialComponentArn"]) if components else None


def trace(aws: Aws, arn: str) -> Ancestry:
    """What an entity came from and what came from it.

    Raises:
        Problem: AWS refused.
    """
    drawing = Drawing()
    left_out = _follow(aws, arn, drawing, "DestinationArn", "Source") + _follow(
        aws, arn, drawing, "SourceArn", "Destination"
    )
    try:
        return Ancestry(arn, drawing.lineage(left_out) if drawing.edges else None)
    except CycleError:
        return Ancestry(arn, None)


def _follow(aws: Aws, arn: str, drawing: Drawing, known: str, other: str) -> int:
    """Follow associations in one direction; how many entities were left out."""
    queue, left_out = deque([arn]), 0
    seen = {arn}
    while queue:
        for item in _associations(aws, **{known: queue.popleft()}):
            found = item[f"{other}Arn"]
            if found not in seen and len(drawing.things) >= MOST:
                left_out += 1
                continue
            for end in ("Source", "Destination"):
                drawing.things.setdefault(item[f"{end}Arn"], _thing(item, end))
            drawing.edges[item["SourceArn"], item["DestinationArn"]] = None
            if found not in seen:
                seen.add(found)
                queue.append(found)
    return left_out


def _associations(aws: Aws, **arguments: str) -> Iterator[dict[str, Any]]:
    return islice(aws.every("list_associations", "AssociationSummaries", MaxResults=100, **arguments), 2 * MOST)


def _thing(item: dict[str, Any], end: str) -> Thing:
    arn, kind = item[f"{end}Arn"], item.get(f"{end}Type", "")
    is_artifact = arn.split(":", 5)[-1].startswith("artifact/")
    shape = "step" if not is_artifact else "model" if kind.lower() in _MODELS else "data"
    title = item.get(f"{end}Name") or short(arn.rsplit("/", 1)[-1], 24)
    return Thing(arn, shape, title, kind or arn.split(":", 5)[-1].split("/")[0], arn, link("lineage", of=arn))
