"""Script mode: the user's own training program, as AWS's ``sagemaker-training`` toolkit runs it.

``sagemaker_program`` names it, ``sagemaker_submit_directory`` says where its archive is, every other hyperparameter
becomes an argument, and what the job looks like is in variables named ``SM_*``.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from . import distribution, user_code
from .container import Container, decoded, variable
from .errors import UserError

PROGRAM = "sagemaker_program"
SUBMIT_DIRECTORY = "sagemaker_submit_directory"
_OF_TOOLKIT = "sagemaker_"
_ALSO_OF_TOOLKIT = ("_tuning_objective_metric", "default_user_module_name")  # a tuning job adds the first


def program_of(container: Container) -> str:
    """The name of the user's program; empty where the job has none."""
    value = decoded(container.hyperparameters.get(PROGRAM, "")) or variable("SAGEMAKER_PROGRAM")
    return str(value)


def train(container: Container, program: str) -> None:
    """Bring the user's program and run it.

    Raises:
        UserError: there is no such program.
        ScriptError: it, or the installation of what it requires, failed.
    """
    address = decoded(container.hyperparameters.get(SUBMIT_DIRECTORY, "")) or variable("SAGEMAKER_SUBMIT_DIRECTORY")
    if address:
        user_code.bring(str(address), container.code)
    if not (container.code / program).exists():
        held = sorted(path.name for path in container.code.iterdir()) if container.code.is_dir() else []
        raise UserError(f"sagemaker_program: there is no {program} in {address or container.code}; it has {held}")
    user_code.install_requirements(container.code)
    arguments = to_arguments(user_hyperparameters(container))
    command = distribution.command(container, program, arguments) or _command(container.code, program, arguments)
    print(f"Invoking user script: {' '.join(command)}", flush=True)
    environ = os.environ | variables(container, program, arguments)
    user_code.run(command, container.code, "ExecuteUserScriptError", environ)


def user_hyperparameters(container: Container) -> dict[str, Any]:
    """Those that are the program's own, their values decoded."""
    found = container.hyperparameters.items()
    return {name: decoded(value) for name, value in found if not _is_of_toolkit(name)}


def _toolkit_parameters(container: Container) -> dict[str, Any]:
    found = container.hyperparameters.items()
    return {name: decoded(value) for name, value in found if _is_of_toolkit(name)}


def _is_of_toolkit(name: str) -> bool:
    return name.startswith(_OF_TOOLKIT) or name in _ALSO_OF_TOOLKIT


def _command(folder: Path, program: str, arguments: list[str]) -> list[str]:
    if program.endswith(".py"):
        return [sys.executable, program, *arguments]
    if (folder / program).is_dir():
        return [sys.executable, "-m", program, *arguments]
    (folder / program).chmod(0o755)
    return ["/bin/sh", "-c", '"./$0" "$@"', program, *arguments]


def to_arguments(values: dict[str, Any]) -> list[str]:
    """``--name value`` in the order of names; one letter gets one dash, a mapping becomes ``a=1,b=2``."""
    words = []
    for name, value in sorted(values.items()):
        words += [f"--{name}" if len(name) > 1 else f"-{name}", _as_argument(value)]
    return words


def _as_argument(value: Any) -> str:
    if isinstance(value, dict):
        return ",".join(f"{name}={item}" for name, item in sorted(value.items()))
    return "" if value is None else str(value)


def variables(container: Container, program: str, arguments: list[str]) -> dict[str, str]:
    """What AWS's toolkit sets for the program."""
    own = user_hyperparameters(container)
    module = program.removesuffix(".py")
    values: dict[str, Any] = {
        **_places(container),
        **_cluster(container.resources),
        **_groups(container),
        "SM_CHANNELS": sorted(container.channels),
        "SM_FRAMEWORK_PARAMS": _toolkit_parameters(container),
        "SM_HPS": own,
        "SM_INPUT_DATA_CONFIG": container.channels,
        "SM_LOG_LEVEL": int(variable("SAGEMAKER_CONTAINER_LOG_LEVEL", "20")),
        "SM_MODULE_NAME": module,
        "SM_MODULE_DIR": str(_toolkit_parameters(container).get(SUBMIT_DIRECTORY, container.code)),
        "SM_USER_ARGS": arguments,
        "SM_USER_ENTRY_POINT": program,
        "SM_TRAINING_ENV": {
            "channel_input_dirs": {name: str(container.channel(name)) for name in container.channels},
            "hyperparameters": own,
            "model_dir": str(container.model),
            "output_data_dir": str(container.output / "data"),
            "resource_config": container.resources,
            "module_name": module,
            "user_entry_point": program,
        },
    }
    values |= {f"SM_CHANNEL_{name.upper()}": str(container.channel(name)) for name in container.channels}
    values |= {f"SM_HP_{name.upper()}": value for name, value in own.items()}
    return {name: _as_variable(value) for name, value in values.items()}


def _places(container: Container) -> dict[str, Any]:
    return {
        "SM_INPUT_DIR": str(container.input),
        "SM_INPUT_CONFIG_DIR": str(container.input / "config"),
        "SM_MODEL_DIR": str(container.model),
        "SM_OUTPUT_DIR": str(container.output),
        "SM_OUTPUT_DATA_DIR": str(container.output / "data"),
        "SM_OUTPUT_INTERMEDIATE_DIR": str(container.output / "intermediate"),
        "PYTHONPATH": os.pathsep.join(filter(None, [str(container.code), os.environ.get("PYTHONPATH")])),
    }


def _cluster(resources: dict[str, Any]) -> dict[str, Any]:
    host = resources.get("current_host", "algo-1")
    return {
        "SM_CURRENT_HOST": host,
        "SM_CURRENT_INSTANCE_TYPE": resources.get("current_instance_type"),
        "SM_CURRENT_INSTANCE_GROUP": resources.get("current_group_name", "homogeneousCluster"),
        "SM_HOSTS": resources.get("hosts", [host]),
        "SM_NETWORK_INTERFACE_NAME": resources.get("network_interface_name", "eth0"),
        "SM_NUM_CPUS": os.cpu_count() or 1,
        "SM_NUM_GPUS": 0,
        "SM_NUM_NEURONS": 0,
        "SM_RESOURCE_CONFIG": resources,
    }


def _groups(container: Container) -> dict[str, Any]:
    """The instance groups; a job without any of its own has one."""
    resources = container.resources
    groups = {group["instance_group_name"]: group for group in resources.get("instance_groups", [])}
    current = groups.get(resources.get("current_group_name"), {})
    distributed = _toolkit_parameters(container).get("sagemaker_distribution_instance_groups", list(groups))
    return {
        "SM_CURRENT_INSTANCE_GROUP_HOSTS": current.get("hosts", resources.get("hosts", [])),
        "SM_DISTRIBUTION_INSTANCE_GROUPS": distributed,
        "SM_INSTANCE_GROUPS": list(groups),
        "SM_INSTANCE_GROUPS_DICT": groups,
        "SM_IS_HETERO": len(groups) > 1,
    }


def _as_variable(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, separators=(",", ":"))
