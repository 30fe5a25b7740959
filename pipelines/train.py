"""A training job of its own, without a pipeline: what is asked for becomes one CreateTrainingJob.

An image of AWS's runs a script by its toolkit (script mode). In an image of the user's, which need not have one, the
job's entry point installs the program's requirements and starts it, with the places of its data in ``SM_*`` variables.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pipelines.connection import Connection
from pipelines.environment import Environment
from pipelines.overlay import apply_environment
from pipelines.storage import ensure_bucket
from pipelines.train_inputs import CODE_CHANNEL, PREFIX, Channel, Program, upload, upload_archive, upload_channel

DATA = "/opt/ml/input/data"
START = (
    f"cd {DATA}/{CODE_CHANNEL} && if [ -f requirements.txt ]; then python3 -m pip install -r requirements.txt"
    ' || exit 1; fi && exec python3 "$0" "$@"'
)
MAX_NAME = 63


@dataclass(frozen=True)
class Order:
    """What the command line asks for. ``by_toolkit``: the image is AWS's and knows script mode."""

    image: str
    by_toolkit: bool = True
    program: Program | None = None
    channels: list[Channel] = field(default_factory=list)
    hyperparameters: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, str] = field(default_factory=dict)
    """Regular expressions by the names of metrics."""
    instance_type: str = "ml.m5.large"
    instance_count: int = 1
    volume_gb: int = 30
    max_runtime: int = 86_400
    output: str = ""
    """S3 URI below which the model goes; empty for the environment's bucket."""


def job_name(base: str, now: float | None = None) -> str:
    """``train-2026-11-22-08-00-00-123``: the base cut and cleaned to what AWS takes, and the time."""
    moment = time.time() if now is None else now
    stamp = f"{time.strftime('%Y-%m-%d-%H-%M-%S', time.gmtime(moment))}-{int(moment * 1000) % 1000:03d}"
    clean = re.sub(r"[^A-Za-z0-9]+", "-", base).strip("-") or "train"
    return f"{clean[: MAX_NAME - len(stamp) - 1].rstrip('-')}-{stamp}"


def start_training(connection: Connection, environment: Environment, name: str, order: Order) -> str:
    """Upload what lies on this machine and create the job; its ARN."""
    ensure_bucket(connection, environment.bucket, environment.region)
    channels = [upload_channel(connection, environment.bucket, channel) for channel in order.channels]
    request = _request(name, order, environment, channels)
    if order.program is not None:
        add = _by_toolkit if order.by_toolkit else _by_entry_point
        add(request, order, order.program, connection, environment)
    _adapt(request, environment)
    if not request["InputDataConfig"]:
        del request["InputDataConfig"]
    answer = connection.sagemaker.create_training_job(**request)
    return str(answer["TrainingJobArn"])


def _request(name: str, order: Order, environment: Environment, channels: list[dict[str, Any]]) -> dict[str, Any]:
    algorithm: dict[str, Any] = {"TrainingImage": order.image, "TrainingInputMode": "File"}
    if order.metrics:
        algorithm["MetricDefinitions"] = [{"Name": key, "Regex": regex} for key, regex in order.metrics.items()]
    resources = {
        "InstanceType": order.instance_type,
        "InstanceCount": order.instance_count,
        "VolumeSizeInGB": order.volume_gb,
    }
    return {
        "TrainingJobName": name,
        "AlgorithmSpecification": algorithm,
        "RoleArn": environment.role,
        "HyperParameters": dict(order.hyperparameters),
        "InputDataConfig": channels,
        "OutputDataConfig": {"S3OutputPath": order.output or f"s3://{environment.bucket}/{PREFIX}/models"},
        "ResourceConfig": resources,
        "StoppingCondition": {"MaxRuntimeInSeconds": order.max_runtime},
        "Environment": {},
    }


def _by_toolkit(
    request: dict[str, Any], order: Order, program: Program, connection: Connection, environment: Environment
) -> None:
    """Script mode, as the SDK's estimators ask for it; the toolkit decodes each hyperparameter from JSON."""
    told = {
        "sagemaker_program": program.entry,
        "sagemaker_submit_directory": upload_archive(connection, environment.bucket, program),
        "sagemaker_region": environment.region,
        "sagemaker_job_name": request["TrainingJobName"],
    }
    request["HyperParameters"] |= {key: json.dumps(value) for key, value in told.items()}


def _by_entry_point(
    request: dict[str, Any], order: Order, program: Program, connection: Connection, environment: Environment
) -> None:
    uri = upload(connection, environment.bucket, "code", program.files)
    source = {"S3DataType": "S3Prefix", "S3Uri": uri, "S3DataDistributionType": "FullyReplicated"}
    names = [channel["ChannelName"] for channel in request["InputDataConfig"]]
    request["InputDataConfig"].append({"ChannelName": CODE_CHANNEL, "DataSource": {"S3DataSource": source}})
    arguments = [word for name, value in order.hyperparameters.items() for word in (_option(name), value)]
    request["AlgorithmSpecification"] |= {"ContainerEntrypoint": ["/bin/sh", "-c", START, program.entry]}
    if arguments:
        request["AlgorithmSpecification"]["ContainerArguments"] = arguments
    request["Environment"] |= {
        "SM_MODEL_DIR": "/opt/ml/model",
        "SM_OUTPUT_DATA_DIR": "/opt/ml/output/data",
        "SM_CHANNELS": json.dumps(names),
        "SM_HPS": json.dumps(dict(order.hyperparameters)),
        **{f"SM_CHANNEL_{name.upper()}": f"{DATA}/{name}" for name in names},
    }


def _option(name: str) -> str:
    """As AWS's toolkit writes it, so that a script runs in either kind of image."""
    return f"--{name}" if len(name) > 1 else f"-{name}"


def _adapt(request: dict[str, Any], environment: Environment) -> None:
    """What the environment says about every job of a pipeline holds for this one, too."""
    step = {"Name": request["TrainingJobName"], "Type": "Training", "Arguments": request}
    apply_environment({"Parameters": [], "Steps": [step]}, replace(environment, parameters={}))


def base_of(order: Order) -> str:
    """What the job is called if it is not told: after its script, or its image."""
    if order.program is not None:
        return Path(order.program.entry).stem
    return order.image.rpartition("/")[2].partition(":")[0].removeprefix("sagemaker-")
