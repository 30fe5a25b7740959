"""What CreateTrainingJob accepts: requests that can be honoured, the others refused by field."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, get_args

from emulator.aws.errors import ValidationException, not_yet
from emulator.images.aws.catalog import metric_definitions
from emulator.jobs.failures import nothing_found
from emulator.jobs.plan import DataType, below_root
from emulator.jobs.staging import exists
from emulator.services.context import Context
from emulator.services.sagemaker.instance_preferences import selected
from emulator.store.objects import parse_s3_uri

_NOT_YET = {
    "ServerlessJobConfig": "serverless fine-tuning",
    "ModelPackageConfig": "registering the model from a training job",
    "DebugRuleConfigurations": "Debugger rules",
}
_NOT_WITH_PREFERENCES = ("InstanceType", "InstanceGroups", "InstancePlacementConfig")


def check_features(request: Mapping[str, Any]) -> None:
    """
    Raises:
        NotImplementedHere: the request has a member that asks for what the emulator does not have.
    """
    for member, what in _NOT_YET.items():
        if request.get(member):
            raise not_yet(member, what)


def check(body: dict[str, Any]) -> None:
    """
    Raises:
        ValidationException: AWS refuses the request as well.
        NotImplementedHere: AWS would accept it.
    """
    check_features(body)
    algorithm = body.get("AlgorithmSpecification")
    if algorithm is None:
        raise ValidationException("AlgorithmSpecification must be given: only serverless training jobs have none")
    if "AlgorithmName" in algorithm:
        raise not_yet("AlgorithmSpecification.AlgorithmName", "algorithm resources; use TrainingImage")
    if not algorithm.get("TrainingImage"):
        raise ValidationException("AlgorithmSpecification must have either a TrainingImage or an AlgorithmName")
    for definition in algorithm.get("MetricDefinitions", []):
        _check_metric(definition)
    _check_resources(body)
    _check_stopping(body)
    parse_s3_uri(body["OutputDataConfig"]["S3OutputPath"])
    _check_checkpoints(body.get("CheckpointConfig"))
    names = [channel["ChannelName"] for channel in body.get("InputDataConfig", [])]
    for channel in body.get("InputDataConfig", []):
        _check_channel(channel, algorithm["TrainingInputMode"])
    if len(set(names)) < len(names):
        raise ValidationException("InputDataConfig: each ChannelName must be unique")


def _check_metric(definition: dict[str, str]) -> None:
    try:
        re.compile(definition["Regex"])
    except re.error as error:
        raise ValidationException(
            f"MetricDefinitions: the Regex of {definition['Name']} is not a regular expression: {error}"
        ) from error


def _check_resources(body: dict[str, Any]) -> None:
    resources = body.get("ResourceConfig")
    if resources is None:
        raise ValidationException("ResourceConfig must be given")
    resources = body["ResourceConfig"] = selected(resources, "ResourceConfig", _NOT_WITH_PREFERENCES)
    preferred = bool(resources.get("InstancePreferences"))
    if preferred and body["EnableManagedSpotTraining"]:
        raise ValidationException("InstancePreferences is mutually exclusive with EnableManagedSpotTraining")
    groups = resources.get("InstanceGroups", [])
    if not groups and not preferred and "InstanceType" not in resources:
        raise ValidationException("ResourceConfig must have an InstanceType or InstanceGroups")
    if groups and ("InstanceType" in resources or "InstanceCount" in resources):
        raise ValidationException("ResourceConfig must not have both InstanceGroups and InstanceType or InstanceCount")
    if not preferred and sum(group.get("InstanceCount", 0) for group in groups or [resources]) < 1:
        raise ValidationException("ResourceConfig.InstanceCount must be at least 1")
    names = [group["InstanceGroupName"] for group in groups]
    if len(set(names)) < len(names):
        raise ValidationException("ResourceConfig.InstanceGroups: each InstanceGroupName must be unique")
    _check_receivers(body, names)


def _check_receivers(body: dict[str, Any], groups: list[str]) -> None:
    channels = body.get("InputDataConfig", [])
    receivers = [channel["DataSource"].get("S3DataSource", {}).get("InstanceGroupNames", []) for channel in channels]
    if any(receivers) and not all(receivers):
        raise ValidationException("InputDataConfig: either all channels or none must be assigned to instance groups")
    for channel, named in zip(channels, receivers, strict=True):
        if unknown := sorted(set(named) - set(groups)):
            raise ValidationException(
                f"InputDataConfig[{channel['ChannelName']}].DataSource.S3DataSource.InstanceGroupNames: {unknown} is"
                f" none of the InstanceGroups of ResourceConfig, {groups}"
            )


def _check_stopping(body: dict[str, Any]) -> None:
    stopping = body["StoppingCondition"]
    wait = stopping.get("MaxWaitTimeInSeconds")
    if body["EnableManagedSpotTraining"] and (wait is None or wait < stopping["MaxRuntimeInSeconds"]):
        raise ValidationException(
            "Invalid MaxWaitTimeInSeconds. It must be present and be greater than or equal to MaxRuntimeInSeconds"
        )
    if wait is not None and not body["EnableManagedSpotTraining"]:
        raise ValidationException(
            "Invalid MaxWaitTimeInSeconds. It is only supported when EnableManagedSpotTraining is set to true"
        )


def _check_checkpoints(checkpoints: dict[str, str] | None) -> None:
    if checkpoints is None:
        return
    parse_s3_uri(checkpoints["S3Uri"])
    try:
        inside = below_root(checkpoints.get("LocalPath", "/opt/ml/checkpoints"))
    except ValueError as error:
        raise not_yet("CheckpointConfig.LocalPath", f"checkpoints outside of /opt/ml ({error})") from error
    if str(inside) in (".", "input", "model", "output"):
        raise ValidationException(f"CheckpointConfig.LocalPath /opt/ml/{inside} is not usable for checkpoints")


def _check_channel(channel: dict[str, Any], default_mode: str) -> None:
    name = channel["ChannelName"]
    where = f"InputDataConfig[{name}]"
    if name in (".", ".."):
        raise ValidationException(f"{where}: the name of a channel must be that of a folder")
    for member, what in (("FileSystemDataSource", "file systems"), ("DatasetSource", "hub datasets")):
        if member in channel["DataSource"]:
            raise not_yet(f"{where}.DataSource.{member}", what)
    if "S3DataSource" not in channel["DataSource"]:
        raise ValidationException(f"{where}.DataSource must have an S3DataSource")
    source = channel["DataSource"]["S3DataSource"]
    parse_s3_uri(source["S3Uri"])
    if source["S3DataType"] not in get_args(DataType):
        raise not_yet(f"{where}.DataSource.S3DataSource.S3DataType", source["S3DataType"])
    _check_mode(channel, source, channel.get("InputMode", default_mode))


def _check_mode(channel: dict[str, Any], source: dict[str, Any], mode: str) -> None:
    """What only Pipe mode can do; of the wordings, that of the compression type is known to be AWS's."""
    name, augmented = channel["ChannelName"], source["S3DataType"] == "AugmentedManifestFile"
    if mode != "Pipe":
        for member, what in (("CompressionType", "compression type"), ("RecordWrapperType", "record wrapper type")):
            if channel.get(member, "None") != "None":
                raise ValidationException(
                    f"Invalid {what} for channel {name}: {mode} mode only supports NONE, got {channel[member]} instead"
                )
        if augmented:
            raise ValidationException(
                f"Invalid S3DataType for channel {name}: AugmentedManifestFile is only supported in Pipe mode, got"
                f" {mode} instead"
            )
    if augmented and not source.get("AttributeNames"):
        raise ValidationException(f"AttributeNames must be given for channel {name} with AugmentedManifestFile")


def check_data(body: dict[str, Any], context: Context) -> None:
    """AWS looks for the data of every channel before it accepts a training job.

    Raises:
        ValidationException: a channel has none.
    """
    for channel in body.get("InputDataConfig", []):
        uri = channel["DataSource"]["S3DataSource"]["S3Uri"]
        if not exists(context.app.objects, uri):
            raise ValidationException(nothing_found(uri, parse_s3_uri(uri)[0], context.region, body["RoleArn"]))


def define_metrics(body: dict[str, Any]) -> None:
    """AWS reads the metrics of its own algorithms from the log, whether the request defines them or not."""
    algorithm = body["AlgorithmSpecification"]
    if not algorithm.get("MetricDefinitions") and not algorithm.get("ContainerEntrypoint"):
        definitions = metric_definitions(algorithm["TrainingImage"], body.get("HyperParameters", {}))
        if definitions:
            body["AlgorithmSpecification"] = {**algorithm, "MetricDefinitions": definitions}
