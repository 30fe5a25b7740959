"""How the user's program is started where an estimator's ``distribution`` asks for more than one process or host.

SDK v2 sends it as hyperparameters named ``sagemaker_*_enabled``; ``torchrun`` serves both of PyTorch's kinds, on gloo.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from .container import Container, decoded
from .errors import UserError

TORCHRUN = ("sagemaker_torch_distributed_enabled", "sagemaker_pytorch_ddp_enabled")
MASTER_PORT = 7777
_REFUSED = {
    "sagemaker_mpi_enabled": "MPI",
    "sagemaker_distributed_dataparallel_enabled": "SageMaker's library for data parallelism, which needs GPUs",
    "sagemaker_pytorch_xla_multi_worker_enabled": "PyTorch/XLA",
    "sagemaker_parameter_server_enabled": "TensorFlow's parameter servers",
}


def command(container: Container, program: str, arguments: list[str]) -> list[str] | None:
    """The command for all processes of this host; None where the program is to be started by itself.

    Raises:
        UserError: a kind of distribution is asked for that there is not here.
    """
    given = container.hyperparameters
    for name, what in _REFUSED.items():
        if _enabled(given, name):
            raise UserError(
                f"{name}: this image has no {what}. For PyTorch there is torchrun:"
                " distribution={'torch_distributed': {'enabled': True}}"
            )
    if not any(_enabled(given, name) for name in TORCHRUN):
        return None
    if not program.endswith(".py"):
        raise UserError(f"{program}: torchrun starts Python scripts only; name a .py file as the entry point")
    return [sys.executable, "-m", "torch.distributed.run", *_cluster(container), program, *arguments]


def _enabled(given: Mapping[str, str], name: str) -> bool:
    return decoded(given.get(name, "")) is True or str(given.get(name, "")).lower() == "true"


def _cluster(container: Container) -> list[str]:
    """One process for each host: a host has as many as it has GPUs, and at least one."""
    resources: dict[str, Any] = container.resources
    hosts = resources.get("hosts") or ["algo-1"]
    words = [f"--nnodes={len(hosts)}", "--nproc_per_node=1"]
    if len(hosts) > 1:
        rank = hosts.index(resources["current_host"])
        words += [f"--master_addr={hosts[0]}", f"--master_port={MASTER_PORT}", f"--node_rank={rank}"]
    return words
