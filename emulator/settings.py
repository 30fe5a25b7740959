"""Named settings, each read from ``EMULATOR_<NAME>`` in the environment; documented in docs/settings.md."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal, get_args

Isolation = Literal["auto", "namespaces", "none", "podman", "docker"]
PeersOnFailure = Literal["finish", "stop"]


class SettingsError(ValueError):
    """A setting in the environment has a value that cannot be used; the message names it and its values."""


@dataclass(frozen=True, slots=True)
class Settings:
    data_dir: Path = Path(".emulator")
    """Everything the emulator keeps. One emulator at a time may use it."""
    host: str = "127.0.0.1"
    """Address to listen on. Any other than loopback demands signed requests with ``access_key_id``."""
    port: int = 4570
    """Port to listen on; 0 takes a free one."""
    account: str = "123456789012"
    """Account of callers whose access key id does not name one (an access key id of 12 digits is an account)."""
    region: str = "us-east-1"
    """Region of callers whose request is not signed."""
    access_key_id: str = ""
    """With ``secret_access_key``: the only credentials accepted. Empty accepts any, on loopback only."""
    secret_access_key: str = ""
    """The key that goes with ``access_key_id``."""
    implicit_roles: bool = True
    """Roles that were never created exist all the same, trust SageMaker and may do everything; callers act under one
    (``SageMakerExecutionRole``), as in a notebook. false: as on AWS, and callers are the root user."""
    containers_dir: Path = Path("containers")
    """Folder of image definitions: the image ``…/NAME:TAG`` is built from ``containers_dir/NAME``."""
    image_map: str = ""
    """Image URIs that mean other images: ``PATTERN=NAME, …``, a folder of ``containers_dir`` or a stand-in's name."""
    cache_dir: Path = Path()
    """Where built image environments are kept; by default ``$XDG_CACHE_HOME/sagemaker-emulator``."""
    isolation: Isolation = "auto"
    """``namespaces``, or ``none`` (path redirection, one job at a time); ``auto`` prefers the former. ``podman`` and
    ``docker`` run jobs in containers of that engine."""
    warm: bool = True
    """Fork Python of an image from a process that has its libraries imported."""
    max_parallel_jobs: int = 0
    """Jobs that run at the same time; others wait as they would for capacity. 0: twice the processors, at least 4."""
    max_hosts_per_job: int = 20
    """Instances that one Training or Processing job may ask for (AWS: 20); each is a sandbox of its own."""
    job_memory_mib: int = 0
    """Resident memory a job may use before it is killed as out of memory. 0: nine tenths of the machine's."""
    instance_limits: bool = False
    """Give a job no more memory and processors than its instance type has (docs/metrics.md); false: the machine's."""
    metrics_interval_seconds: float = 10.0
    """Between samples of what a running job uses, and of metrics in its log (AWS: 60). 0: one, when it has ended."""
    max_pipeline_executions: int = 20
    """Pipeline executions that run at the same time in an account and region (AWS: 20). 0: any number."""
    stop_grace_seconds: float = 120.0
    """Between SIGTERM and SIGKILL when a job is stopped (AWS: 120 seconds)."""
    log_limit_mib: int = 64
    """Bytes kept of one log stream; of a longer one the first part and the last MiB are kept."""
    peers_on_failure: PeersOnFailure = "finish"
    """What steps already running do when a step of the execution fails; AWS does not document it."""

    @classmethod
    def load(cls, environ: Mapping[str, str] | None = None, **overrides: Any) -> Settings:
        """Settings from the environment; ``overrides`` that are not None win.

        Raises:
            SettingsError: a value cannot be read as its setting's type.
        """
        environ = os.environ if environ is None else environ
        values = {
            field.name: _parse(field.name, str(field.type), text)
            for field in fields(cls)
            if (text := environ.get(f"EMULATOR_{field.name.upper()}")) is not None
        }
        values |= {name: value for name, value in overrides.items() if value is not None}
        values.setdefault("cache_dir", _default_cache(environ))
        return cls(**values)

    @property
    def url(self) -> str:
        """Where programs on this machine reach the emulator, without a slash at the end."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host).strip("[]")
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    def environment(self) -> dict[str, str]:
        """The settings as the environment variables that ``load`` reads, for a process of their own."""
        return {f"EMULATOR_{field.name.upper()}": str(getattr(self, field.name)) for field in fields(self)}


def _default_cache(environ: Mapping[str, str]) -> Path:
    base = environ.get("XDG_CACHE_HOME") or str(Path(environ.get("HOME", "/tmp")) / ".cache")
    return Path(base) / "sagemaker-emulator"


def _parse(name: str, kind: str, text: str) -> Any:
    try:
        match kind:
            case "Path":
                return Path(text)
            case "int":
                return int(text)
            case "float":
                return float(text)
            case "bool":
                return {"1": True, "true": True, "0": False, "false": False}[text.lower()]
            case "Isolation" | "PeersOnFailure":
                choices = get_args({"Isolation": Isolation, "PeersOnFailure": PeersOnFailure}[kind])
                if text not in choices:
                    raise ValueError(f"one of {', '.join(choices)}")
                return text
            case _:
                return text
    except (ValueError, KeyError) as error:
        raise SettingsError(f"EMULATOR_{name.upper()}={text!r} is not a valid {kind}: {error}") from error
