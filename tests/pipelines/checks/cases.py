"""For each check a pipeline that it has something to say about: the small pipeline with one thing wrong."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.catalog import PipelineSource
from pipelines.checks.subject import Subject
from pipelines.environment import Environment

ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/SageMaker"
IMAGE = f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/small:0123456789ab"
KEY = "tiny/assets/abc/script.py"
CODE_URI = f"s3://bucket/{KEY}"

PIPELINE = """\
from sagemaker.core.workflow.parameters import ParameterInteger, ParameterString
from steps.prepare.step import prepare_step

def build(environment):
    data = ParameterString("Data", default_value="s3://bucket/tiny/")
    depth = ParameterInteger("MaxDepth", default_value=4)
    return [prepare_step(environment, data, depth)]
"""
STEP = """\
def prepare_step(environment, data, depth):
    return data, depth
"""
SCRIPT = 'import json\nprint(json.dumps({"metrics": {"auc": {"value": 0.5}}}))\n'


def processing(name: str = "Prepare") -> dict[str, Any]:
    place = ["s3:/", "bucket", "tiny", {"Get": "Execution.PipelineExecutionId"}, name, "report"]
    return {
        "Name": name,
        "Type": "Processing",
        "Arguments": {
            "ProcessingResources": {"ClusterConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1}},
            "AppSpecification": {
                "ImageUri": IMAGE,
                "ContainerEntrypoint": ["python3", "/opt/ml/processing/input/code/script.py"],
            },
            "RoleArn": ROLE,
            "Environment": {"LEVEL": "info"},
            "ProcessingInputs": [
                {"InputName": "data", "S3Input": {"S3Uri": {"Get": "Parameters.Data"}, "LocalPath": "/opt/ml/d"}},
                {"InputName": "code", "S3Input": {"S3Uri": CODE_URI, "LocalPath": "/opt/ml/processing/input/code"}},
            ],
            "ProcessingOutputConfig": {
                "Outputs": [{"OutputName": "report", "S3Output": {"S3Uri": {"Std:Join": {"On": "/", "Values": place}}}}]
            },
        },
        "PropertyFiles": [{"PropertyFileName": "Report", "OutputName": "report", "FilePath": "report.json"}],
    }


def training() -> dict[str, Any]:
    report = {"Get": "Steps.Prepare.ProcessingOutputConfig.Outputs['report'].S3Output.S3Uri"}
    return {
        "Name": "Train",
        "Type": "Training",
        "Arguments": {
            "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
            "HyperParameters": {"depth": {"Std:Join": {"On": "", "Values": [{"Get": "Parameters.MaxDepth"}]}}},
            "InputDataConfig": [{"ChannelName": "train", "DataSource": {"S3DataSource": {"S3Uri": report}}}],
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
            "OutputDataConfig": {"S3OutputPath": "s3://bucket/tiny/models"},
            "RoleArn": ROLE,
        },
        "CacheConfig": {"Enabled": True, "ExpireAfter": "P30D"},
    }


def json_get(path: str = "metrics.auc.value", file: str = "Report") -> dict[str, Any]:
    return {"Std:JsonGet": {"PropertyFile": {"Get": f"Steps.Prepare.PropertyFiles.{file}"}, "Path": path}}


def check_step() -> dict[str, Any]:
    condition = {"Type": "GreaterThanOrEqualTo", "LeftValue": json_get(), "RightValue": 0.5}
    failure = {"Name": "TooLow", "Type": "Fail", "Arguments": {"ErrorMessage": "too low"}}
    return {
        "Name": "Check",
        "Type": "Condition",
        "Arguments": {"Conditions": [condition], "IfSteps": [], "ElseSteps": [failure]},
    }


@dataclass
class Tiny:
    """A checkout with one pipeline, in parts that a case may change."""

    root: Path
    parameters: list[dict[str, Any]]
    prepare: dict[str, Any]
    train: dict[str, Any]
    check: dict[str, Any]
    more: list[dict[str, Any]]
    assets: list[str]
    settings: dict[str, Any]

    def write(self, path: str, text: str) -> None:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)

    def subject(self) -> Subject:
        environment = Environment("local", ACCOUNT, "us-east-1", ROLE, "bucket", root=self.root, **self.settings)
        source = PipelineSource("tiny", self.root / "pipelines" / "tiny")
        definition = {
            "Version": "2020-12-01",
            "Parameters": self.parameters,
            "Steps": [self.prepare, self.train, self.check, *self.more],
        }
        manifest = {
            "pipeline": "tiny",
            "steps": {"Prepare": "steps/prepare/step.py:2", "Train": "pipelines/tiny/pipeline.py:7"},
            "assets": [{"key": key, "size": 1} for key in self.assets],
        }
        return Subject(source, environment, copy.deepcopy(definition), manifest, self.root / "build")


def tiny(root: Path) -> Tiny:
    """A pipeline that no check has anything to say about."""
    parameters = [
        {"Name": "Data", "Type": "String", "DefaultValue": "s3://bucket/tiny/"},
        {"Name": "MaxDepth", "Type": "Integer", "DefaultValue": 4},
    ]
    made = Tiny(root, parameters, processing(), training(), check_step(), [], [KEY], {})
    made.write("pipelines/tiny/pipeline.py", PIPELINE)
    made.write("steps/prepare/step.py", STEP)
    made.write("steps/prepare/script.py", SCRIPT)
    made.write("containers/small/Dockerfile", "FROM python:3.11-slim\n")
    made.write("containers/small/requirements.txt", "numpy==2.4.6\n")
    made.write("build/assets/abc/script.py", SCRIPT)
    return made


def _code(line: str) -> Callable[[Tiny], None]:
    """A line more in the function that builds the pipeline."""
    return lambda made: made.write(
        "pipelines/tiny/pipeline.py", PIPELINE.replace("    return", f"    {line}\n    return")
    )


def _arguments(step: str, change: Callable[[dict[str, Any]], Any]) -> Callable[[Tiny], None]:
    return lambda made: change(getattr(made, step)["Arguments"]) and None


def _set(step: str, *path: Any, to: Any) -> Callable[[Tiny], None]:
    """Set a member of a step; the path begins in the step itself."""

    def change(made: Tiny) -> None:
        value = getattr(made, step)
        for key in path[:-1]:
            value = value.setdefault(key, {}) if isinstance(value, dict) else value[key]
        value[path[-1]] = to

    return change


def _more(**body: Any) -> Callable[[Tiny], None]:
    return lambda made: made.more.append({"Name": "More", "Type": "Fail", "Arguments": {"ErrorMessage": "x"}} | body)


def _parameter(**changes: Any) -> Callable[[Tiny], None]:
    return lambda made: made.parameters[1].update(changes)


def _add_parameters(count: int) -> Callable[[Tiny], None]:
    return lambda made: made.parameters.extend({"Name": f"P{number}", "Type": "String"} for number in range(count))


def _policy(made: Tiny) -> None:
    made.settings["role_policy"] = "policy.json"
    allow = {"Effect": "Allow", "Action": "sagemaker:*", "Resource": "*"}
    made.write("policy.json", json.dumps({"Version": "2012-10-17", "Statement": [allow]}))


def _isolated(made: Tiny) -> None:
    made.assets.append("tiny/assets/xyz/code/requirements.txt")
    made.train["Arguments"]["EnableNetworkIsolation"] = True
    source = {"S3DataSource": {"S3Uri": "s3://bucket/tiny/assets/xyz/code"}}
    made.train["Arguments"]["InputDataConfig"].append({"ChannelName": "code", "DataSource": source})


def _two_outputs(made: Tiny) -> None:
    outputs = made.prepare["Arguments"]["ProcessingOutputConfig"]["Outputs"]
    outputs.append(outputs[0] | {"OutputName": "again"})


def _loop(made: Tiny) -> None:
    failure = {"Name": "Inner", "Type": "Fail", "Arguments": {"ErrorMessage": "x"}}
    body = {"IterableItems": ["1"], "ForEachBody": [failure]}
    made.more.append({"Name": "Loop", "Type": "ForEach", "Arguments": body})


ENVIRONMENT = ("Arguments", "Environment")
OUTPUT = ("Arguments", "ProcessingOutputConfig", "Outputs", 0, "S3Output", "S3Uri")
LEFT = ("Arguments", "Conditions", 0, "LeftValue")
RIGHT = ("Arguments", "Conditions", 0, "RightValue")
PREPARE_IMAGE = ("Arguments", "AppSpecification", "ImageUri")
REGISTRY = f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com"

CASES: dict[str, Callable[[Tiny], None]] = {
    "PL101": _code('uri = f"s3://{data}/x"'),
    "PL102": _code('uri = data.startswith("s3")'),
    "PL103": _code("if depth > 3: data = None"),
    "PL104": lambda made: made.write("steps/prepare/script.py", "from steps.storage import x\n"),
    "PL105": lambda made: made.assets.clear(),
    "PL106": lambda made: made.write("steps/prepare/script.py", "def broken(:\n"),
    "PL107": _code('boto3.client("s3")'),
    "PL108": _code("now = datetime.now()"),
    "PL109": _code('role = "arn:aws:iam::111122223333:role/Other"'),
    "PL201": lambda made: made.parameters.append({"Name": "Unused", "Type": "String", "DefaultValue": ""}),
    "PL202": _set("train", "Arguments", "HyperParameters", "x", to={"Get": "Parameters.Depth"}),
    "PL203": _set("train", "Arguments", "HyperParameters", "x", to={"Get": "Parameters.MaxDepth"}),
    "PL204": _set("train", "Arguments", "ResourceConfig", "InstanceCount", to={"Get": "Parameters.Data"}),
    "PL205": _parameter(DefaultValue="four"),
    "PL206": lambda made: made.parameters.append(made.parameters[1]),
    "PL207": _add_parameters(200),
    "PL301": _set("train", "DependsOn", to=["Prepair"]),
    "PL302": _set(
        *("train", "Arguments", "HyperParameters", "x"),
        to={"Get": "Steps.Prepare.ProcessingOutputConfig.Outputs['raport'].S3Output.S3Uri"},
    ),
    "PL303": _set("prepare", "PropertyFiles", 0, "OutputName", to="raport"),
    "PL304": _set("check", *LEFT, to=json_get(file="Raport")),
    "PL305": _set("check", *LEFT, to=json_get("metrics..auc")),
    "PL306": _set("check", *LEFT, to=json_get("metrics.accuracy.value")),
    "PL307": _set("check", *LEFT, to={"Get": "Steps.Train.ModelArtifacts.S3Model"}),
    "PL308": _set("train", *ENVIRONMENT, "X", to={"Get": "Execution.Id"}),
    "PL401": _more(Name="Train"),
    "PL402": _set("prepare", "DependsOn", to=["Train"]),
    "PL403": _more(DependsOn=["TooLow"]),
    "PL404": _set("check", "Arguments", "ElseSteps", to=[]),
    "PL405": _set("check", *LEFT, to={"Get": "Parameters.Data"}),
    "PL406": _more(Name="has a blank"),
    "PL407": _loop,
    "PL408": _more(Arguments={"ErrorMessage": "x" * 3073}),
    "PL409": _set("check", *LEFT, to=0.7),
    "PL501": _set("prepare", "Arguments", "AppSpecification", "ContainerArguments", to=["x" * 257]),
    "PL502": _set("prepare", "Arguments", "AppSpecification", "ContainerArguments", to=["x"] * 101),
    "PL503": _set("prepare", *ENVIRONMENT, "LEVEL", to="x" * 257),
    "PL504": _set("prepare", *ENVIRONMENT, to={f"V{number}": "" for number in range(101)}),
    "PL505": _set("prepare", *ENVIRONMENT, "1ST", to="x"),
    "PL506": _set("train", "Arguments", "HyperParameters", "x", to="x" * 2501),
    "PL507": _set("train", "Arguments", "InputDataConfig", to=[{"ChannelName": f"c{number}"} for number in range(21)]),
    "PL508": _more(Description="x" * 1_100_000),
    "PL509": _set("train", "Arguments", "InputDataConfig", 0, "ChannelName", to="the data"),
    "PL601": _set("train", "Arguments", "ResourceConfig", "InstanceType", to="ml.m5.lage"),
    "PL602": _set("prepare", *PREPARE_IMAGE, to=f"{REGISTRY}/smal:1"),
    "PL603": _set("prepare", *PREPARE_IMAGE, to=f"{REGISTRY}/small:latest"),
    "PL604": lambda made: made.write("steps/prepare/requirements.txt", "# x\npandas>=2\n"),
    "PL605": _isolated,
    "PL606": _set("prepare", *PREPARE_IMAGE, to=IMAGE.replace("us-east-1", "eu-west-1")),
    "PL607": lambda made: made.write("containers/small/Dockerfile", "FROM python\n"),
    "PL701": _set("prepare", *OUTPUT, to="s3://bucket/tiny/report"),
    "PL702": _two_outputs,
    "PL703": _set("prepare", *ENVIRONMENT, "DB_PASSWORD", to="hunter2"),
    "PL704": _set(
        "prepare",
        *OUTPUT[:-1],
        "S3Uri",
        to={"Std:Join": {"On": "/", "Values": ["s3:/", "other", {"Get": "Execution.PipelineExecutionId"}]}},
    ),
    "PL801": _set("train", *ENVIRONMENT, "RUN", to={"Get": "Execution.StartDateTime"}),
    "PL802": _set("train", "CacheConfig", "ExpireAfter", to="a month"),
    "PL803": _more(CacheConfig={"Enabled": True}),
    "PL804": _more(RetryPolicies=[{"ExceptionType": ["Step.THROTTLING"], "MaxAttempts": 2}]),
    "PL805": _set("train", "RetryPolicies", to=[{"ExceptionType": ["Step.THROTTLING"], "MaxAttempts": 21}]),
    "PL901": _set("train", "Arguments", "RoleArn", to=ROLE.replace(ACCOUNT, "111122223333")),
    "PL902": _policy,
}
"""PL100 has its test in tests/pipelines/test_validate.py: it takes a build."""
