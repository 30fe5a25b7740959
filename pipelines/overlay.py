"""What an environment says about every job (keys, network, tags, instance types, defaults), put into a definition.

The pipeline's code need not know of it: the same code gives each environment its definition. What the code sets itself
stays.
"""

from __future__ import annotations

from typing import Any

from pipelines.definition import NESTED, bodies
from pipelines.environment import Environment
from pipelines.errors import BuildError, suggest

TAGGED = frozenset({"Processing", "Training", "Transform", "Tuning", "Model", "AutoML"})


def apply_environment(definition: dict[str, Any], environment: Environment) -> dict[str, Any]:
    """The definition, changed in place.

    Raises:
        BuildError: the environment gives a value to a parameter that the pipeline does not have.
    """
    _set_defaults(definition, environment)
    for body in bodies(definition["Steps"]):
        arguments = body.get("Arguments") or {}
        if environment.subnets:
            _set_network(body["Type"], arguments, environment)
        if environment.kms_key:
            _set_key(body["Type"], arguments, environment.kms_key)
        if environment.tags and body["Type"] in TAGGED:
            own = arguments.setdefault("Tags", [])
            named = {tag["Key"] for tag in own}
            own += [{"Key": key, "Value": value} for key, value in environment.tags.items() if key not in named]
        _set_instances(arguments, environment)
    return definition


def _set_defaults(definition: dict[str, Any], environment: Environment) -> None:
    known = {item["Name"]: item for item in definition.get("Parameters") or ()}
    for name, value in environment.parameters.items():
        if name in known:
            known[name]["DefaultValue"] = value
        else:
            where = f"environment {environment.name} gives parameter {name!r} a value"
            raise BuildError(f"{where}, and the pipeline has none of that name{suggest(name, known)}")
    for item in known.values():
        default = item.get("DefaultValue")
        if isinstance(default, str) and default in environment.instance_types:
            item["DefaultValue"] = environment.instance_types[default]


def _set_network(kind: str, arguments: dict[str, Any], environment: Environment) -> None:
    network = {"SecurityGroupIds": list(environment.security_groups), "Subnets": list(environment.subnets)}
    match kind:
        case "Processing" | "QualityCheck" | "ClarifyCheck":
            arguments.setdefault("NetworkConfig", {}).setdefault("VpcConfig", network)
        case "Training" | "Model":
            arguments.setdefault("VpcConfig", network)
        case "Tuning" if "TrainingJobDefinition" in arguments:
            arguments["TrainingJobDefinition"].setdefault("VpcConfig", network)


def _set_key(kind: str, arguments: dict[str, Any], key: str) -> None:
    match kind:
        case "Processing" | "QualityCheck" | "ClarifyCheck":
            arguments["ProcessingResources"]["ClusterConfig"].setdefault("VolumeKmsKeyId", key)
            if "ProcessingOutputConfig" in arguments:
                arguments["ProcessingOutputConfig"].setdefault("KmsKeyId", key)
        case "Training":
            arguments["ResourceConfig"].setdefault("VolumeKmsKeyId", key)
            arguments["OutputDataConfig"].setdefault("KmsKeyId", key)
        case "Transform":
            arguments["TransformResources"].setdefault("VolumeKmsKeyId", key)
            arguments["TransformOutput"].setdefault("KmsKeyId", key)
        case "Tuning" if "TrainingJobDefinition" in arguments:
            _set_key("Training", arguments["TrainingJobDefinition"], key)


def _set_instances(value: Any, environment: Environment) -> None:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        if key == "InstanceType" and isinstance(item, str):
            value[key] = environment.instance_types.get(item, item)
        elif key not in NESTED:
            _set_instances(item, environment)
