"""facts.json is what botocore's model says. Rewrite it with: python -m tests.pipelines.checks.test_facts"""

from __future__ import annotations

import json
from typing import Any

import botocore.session

from pipelines.checks.facts import PATH, instance_types, properties

INSTANCES = {
    "Processing": "ProcessingInstanceType",
    "Training": "TrainingInstanceType",
    "Transform": "TransformInstanceType",
}
DESCRIBES = {
    "Processing": "DescribeProcessingJob",
    "Training": "DescribeTrainingJob",
    "Transform": "DescribeTransformJob",
    "Tuning": "DescribeHyperParameterTuningJob",
    "Model": "DescribeModel",
    "RegisterModel": "DescribeModelPackage",
    "Endpoint": "DescribeEndpoint",
    "EndpointConfig": "DescribeEndpointConfig",
    "AutoML": "DescribeAutoMLJobV2",
}


def shape_tree(shape: Any, above: tuple[str, ...] = ()) -> Any:
    """Members by name; a list as a list of one; ``""`` for a value, ``"*"`` for a map or a shape within itself."""
    if shape.name in above:
        return "*"
    above = (*above, shape.name)
    match shape.type_name:
        case "structure":
            return {name: shape_tree(member, above) for name, member in shape.members.items()}
        case "list":
            return [shape_tree(shape.member, above)]
        case "map":
            return {"*": shape_tree(shape.value, above)}
        case _:
            return ""


def facts() -> str:
    model = botocore.session.Session().get_service_model("sagemaker")
    trees = {kind: shape_tree(model.operation_model(name).output_shape) for kind, name in DESCRIBES.items()}
    trees["Tuning"]["TrainingJobSummaries"] = [
        shape_tree(model.shape_for("HyperParameterTrainingJobSummary"))
    ]  # of ListTrainingJobsForHyperParameterTuningJob, best first
    document = {
        "instances": {kind: sorted(model.shape_for(name).enum) for kind, name in INSTANCES.items()},
        "properties": trees,
    }
    return json.dumps(document, separators=(",", ":"), sort_keys=True).replace('"properties"', '\n"properties"') + "\n"


def test_the_facts_are_current() -> None:
    assert PATH.read_text() == facts(), "facts.json is stale: python -m tests.pipelines.checks.test_facts"


def test_they_are_looked_up_by_step_type() -> None:
    assert "ml.m5.large" in (instance_types("Processing") or ())
    assert instance_types("Fail") is None
    assert properties("Training")["ModelArtifacts"]["S3ModelArtifacts"] == ""
    assert properties("Lambda") is None


if __name__ == "__main__":
    PATH.write_text(facts())
