from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator

from pipelines.build import BuiltPipeline
from pipelines.environments import load_target
from pipelines.flights.seed import seed_uri
from tests.pipelines.flights.conftest import ROOT

OPERATIONS = {
    "Processing": ("CreateProcessingJob", {"ProcessingJobName": "job"}),
    "Training": ("CreateTrainingJob", {"TrainingJobName": "job"}),
    "RegisterModel": ("CreateModelPackage", {}),
}
STEP_NAME = re.compile(r"[A-Za-z0-9-_]{1,64}")


def steps(built: BuiltPipeline) -> dict[str, dict[str, Any]]:
    """Every step by name, those of the branches too."""
    found = {step["Name"]: step for step in built.definition["Steps"]}
    check = found["CheckQuality"]["Arguments"]
    return found | {step["Name"]: step for step in check["IfSteps"] + check["ElseSteps"]}


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield str(key)
            yield from strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)
    else:
        yield str(value)


def references(step: dict[str, Any]) -> set[str]:
    """Names of the steps that a step's arguments refer to."""
    return {text.split(".")[1] for text in strings(step["Arguments"]) if text.startswith("Steps.")}


def resolved(value: Any) -> Any:
    """Arguments as they might be at run time: an expression has become a string."""
    if isinstance(value, dict):
        if set(value) & {"Get", "Std:Join", "Std:JsonGet"}:
            return "resolved"
        return {key: resolved(item) for key, item in value.items()}
    return [resolved(item) for item in value] if isinstance(value, list) else value


def test_the_graph(built: BuiltPipeline) -> None:
    types = {name: step["Type"] for name, step in steps(built).items()}
    assert types == {
        "Preprocess": "Processing",
        "Train": "Training",
        "Evaluate": "Processing",
        "CheckQuality": "Condition",
        "Register": "RegisterModel",
        "QualityTooLow": "Fail",
    }
    assert all(STEP_NAME.fullmatch(name) for name in types)
    assert references(steps(built)["Preprocess"]) == set()
    assert references(steps(built)["Train"]) == {"Preprocess"}
    assert references(steps(built)["Evaluate"]) == {"Preprocess", "Train"}
    assert references(steps(built)["Register"]) == {"Train", "Evaluate"}
    check = steps(built)["CheckQuality"]["Arguments"]
    assert [step["Name"] for step in check["IfSteps"]] == ["Register"]
    assert [step["Name"] for step in check["ElseSteps"]] == ["QualityTooLow"]


def test_the_parameters(built: BuiltPipeline) -> None:
    parameters = {parameter.pop("Name"): parameter for parameter in map(dict, built.definition["Parameters"])}
    bucket = load_target(ROOT, "local").environment.bucket
    assert parameters == {
        "InputDataUri": {"Type": "String", "DefaultValue": seed_uri(bucket)},
        "ProcessingInstanceType": {"Type": "String", "DefaultValue": "ml.m5.large"},
        "TrainingInstanceType": {"Type": "String", "DefaultValue": "ml.m5.large"},
        "MaxDepth": {"Type": "Integer", "DefaultValue": 6},
        "NumRound": {"Type": "Integer", "DefaultValue": 60},
        "MinAuc": {"Type": "Float", "DefaultValue": 0.65},
        "ModelApprovalStatus": {
            "Type": "String",
            "DefaultValue": "PendingManualApproval",
            "EnumValues": ["PendingManualApproval", "Approved", "Rejected"],
        },
    }
    used = {text.removeprefix("Parameters.") for text in strings(built.definition) if text.startswith("Parameters.")}
    assert used == set(parameters)


@pytest.mark.parametrize("name", ["Preprocess", "Train", "Evaluate", "Register"])
def test_aws_would_take_the_request_of_a_step(built: BuiltPipeline, name: str) -> None:
    step = steps(built)[name]
    operation, generated = OPERATIONS[step["Type"]]
    model = botocore.session.Session().get_service_model("sagemaker").operation_model(operation)
    request = resolved(step["Arguments"]) | generated
    assert ParamValidator().validate(request, model.input_shape).generate_report() == ""
    assert set(request) <= set(model.input_shape.members)


def test_hyperparameters_are_strings_that_the_script_takes(built: BuiltPipeline) -> None:
    hyperparameters = steps(built)["Train"]["Arguments"]["HyperParameters"]
    for name, parameter in (("max_depth", "MaxDepth"), ("num_round", "NumRound")):
        assert hyperparameters[name] == {"Std:Join": {"On": "", "Values": [{"Get": f"Parameters.{parameter}"}]}}
    source = (ROOT / "steps" / "train" / "script.py").read_text()
    assert all(f'"--{name}"' in source for name in hyperparameters)


def test_each_script_goes_alone_into_its_container(built: BuiltPipeline) -> None:
    keys = [asset["key"] for asset in built.manifest["assets"] if "/sm_drivers/" not in asset["key"]]
    assert [key.rpartition("/")[2] for key in keys] == ["script.py"] * 3
    scripts = {(ROOT / "steps" / step / "script.py").read_bytes() for step in ("preprocess", "train", "evaluate")}
    assert {built.asset_path(key).read_bytes() for key in keys} == scripts


def test_the_metric_of_training_is_the_one_that_the_script_prints(built: BuiltPipeline) -> None:
    (metric,) = steps(built)["Train"]["Arguments"]["AlgorithmSpecification"]["MetricDefinitions"]
    match = re.search(metric["Regex"], "best validation-auc:0.694594 trees:60 threshold:0.3087")
    assert match
    assert float(match[1]) == 0.694594


def test_preprocess_and_train_are_cached(built: BuiltPipeline) -> None:
    cached = {name for name, step in steps(built).items() if step.get("CacheConfig", {}).get("Enabled")}
    assert cached == {"Preprocess", "Train"}


def test_quality_is_the_auc_of_the_evaluation(built: BuiltPipeline) -> None:
    auc = {
        "Std:JsonGet": {
            "PropertyFile": {"Get": "Steps.Evaluate.PropertyFiles.Evaluation"},
            "Path": "binary_classification_metrics.auc.value",
        }
    }
    (condition,) = steps(built)["CheckQuality"]["Arguments"]["Conditions"]
    assert condition == {
        "Type": "GreaterThanOrEqualTo",
        "LeftValue": auc,
        "RightValue": {"Get": "Parameters.MinAuc"},
    }
    message = steps(built)["QualityTooLow"]["Arguments"]["ErrorMessage"]["Std:Join"]["Values"]
    assert auc in message
    assert {"Std:Join": {"On": "", "Values": [{"Get": "Parameters.MinAuc"}]}} in message
    assert steps(built)["Evaluate"]["PropertyFiles"] == [
        {"PropertyFileName": "Evaluation", "OutputName": "evaluation", "FilePath": "evaluation.json"}
    ]


def test_a_registered_model_is_served_by_the_image_that_trained_it(built: BuiltPipeline) -> None:
    register = steps(built)["Register"]["Arguments"]
    training = steps(built)["Train"]["Arguments"]["AlgorithmSpecification"]["TrainingImage"]
    (container,) = register["InferenceSpecification"]["Containers"]
    assert container["Image"] == training
    assert container["ModelDataUrl"] == {"Get": "Steps.Train.ModelArtifacts.S3ModelArtifacts"}
    assert register["InferenceSpecification"]["SupportedContentTypes"] == ["text/csv", "application/json"]
    assert register["ModelApprovalStatus"] == {"Get": "Parameters.ModelApprovalStatus"}
    report = register["ModelMetrics"]["ModelQuality"]["Statistics"]
    assert report["ContentType"] == "application/json"
    assert report["S3Uri"]["Std:Join"]["Values"][-1] == "evaluation.json"


def test_images_and_roles_are_real(built: BuiltPipeline) -> None:
    texts = set(strings(built.definition))
    images = {text for text in texts if ".dkr.ecr." in text}
    pattern = r"123456789012\.dkr\.ecr\.us-east-1\.amazonaws\.com/(processing|xgboost):[0-9a-f]{12}"
    assert len(images) == 2
    assert all(re.fullmatch(pattern, image) for image in images)
    roles = {text for text in texts if text.startswith("arn:")}
    assert roles == {load_target(ROOT, "local").environment.role}
