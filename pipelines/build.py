"""Building a pipeline: offline, in a process of its own, and only when something it is made of has changed."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pipelines.catalog import PipelineSource
from pipelines.environment import Environment
from pipelines.errors import BuildError
from pipelines.inputs import BUILD_FIELDS, hash_inputs, hash_reads, usual_prefixes
from pipelines.request import BuildRequest

SDK_CONFIG = "SchemaVersion: '1.0'\nSageMaker:\n  PythonSDK:\n    Modules:\n      TelemetryOptOut: true\n"
ADMIN_CONFIG = "SchemaVersion: '1.0'\n"
KEPT_VARIABLES = ("PATH", "TMPDIR", "LD_LIBRARY_PATH", "SYSTEMROOT")


@dataclass(frozen=True)
class BuiltPipeline:
    """A finished build: ``folder`` holds definition.json, manifest.json and assets/."""

    folder: Path
    cached: bool = False
    suffix: str = ""

    @cached_property
    def manifest(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads((self.folder / "manifest.json").read_text())
        return document

    @cached_property
    def definition(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads((self.folder / "definition.json").read_text())
        return document

    @property
    def name(self) -> str:
        """Name of the pipeline."""
        return str(self.manifest["pipeline"])

    @property
    def deployed_name(self) -> str:
        """Name that the pipeline has in its environment."""
        return self.name + self.suffix

    def asset_path(self, key: str) -> Path:
        """The file of an asset, given its key in the bucket."""
        return self.folder / key.removeprefix(f"{self.name}/")


def build_folder(output: Path, environment: Environment, source: PipelineSource) -> Path:
    """Where the build of a pipeline for an environment is kept."""
    return output / environment.name / source.name


def build_pipeline(
    source: PipelineSource, environment: Environment, output: Path, report: Callable[[str], None]
) -> BuiltPipeline:
    """The build of ``source`` in ``output/<environment>/<name>``: the one that is there if its inputs are unchanged.

    Raises:
        BuildError: the pipeline's code failed; the message names pipeline, step and source line.
    """
    folder = build_folder(output, environment, source)
    inputs = hash_inputs(source, environment)
    if _is_current(folder, environment.root, inputs):
        return BuiltPipeline(folder, cached=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _locked(folder.with_name(f".{folder.name}.lock")):
        if _is_current(folder, environment.root, inputs):
            return BuiltPipeline(folder, cached=True)
        report(f"building {source.name} (importing the SageMaker SDK takes some seconds)")
        with (
            tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as scratch,
            tempfile.TemporaryDirectory(prefix="pipelines-build-") as home,
        ):
            _replace(folder, _compile(source, environment, inputs, Path(scratch, "output"), Path(home)))
    return BuiltPipeline(folder)


def _is_current(folder: Path, root: Path, inputs: str) -> bool:
    """Whether a build has these inputs and all of its files as it left them."""
    try:
        manifest = json.loads((folder / "manifest.json").read_text())
        if manifest["inputs"] != inputs or manifest["reads"] != hash_reads(root, manifest["reads"]):
            return False
        definition = (folder / "definition.json").read_bytes()
        prefix = f"{manifest['pipeline']}/"
        sizes = [(folder / asset["key"].removeprefix(prefix)).stat().st_size for asset in manifest["assets"]]
    except (OSError, ValueError, KeyError):
        return False
    expected = [asset["size"] for asset in manifest["assets"]]
    return hashlib.sha256(definition).hexdigest() == manifest["definition"] and sizes == expected


def _compile(source: PipelineSource, environment: Environment, inputs: str, output: Path, home: Path) -> Path:
    output.mkdir()
    fields = {key: getattr(environment, key) for key in BUILD_FIELDS}
    request = BuildRequest(
        root=str(environment.root),
        pipeline=source.name,
        module=source.module,
        environment=fields,
        output=str(output),
        inputs=inputs,
        usual=usual_prefixes(source),
    )
    process = subprocess.run(
        [sys.executable, "-P", "-m", "pipelines.compile"],
        input=request.to_json(),
        env=_sealed_environment(environment, home),
        cwd=environment.root,
        capture_output=True,
        text=True,
        check=False,
    )
    if process.returncode or not (output / "manifest.json").exists():
        raise BuildError(_explain_failure(source, output / "error.json", process))
    return output


def _sealed_environment(environment: Environment, home: Path) -> dict[str, str]:
    """Variables of the build's process: nothing of the user's AWS set-up, so that every machine builds the same."""
    for name, text in (("config.yaml", SDK_CONFIG), ("admin.yaml", ADMIN_CONFIG), ("aws", "")):
        (home / name).write_text(text)
    kept = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
    return kept | {
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "PYTHONHASHSEED": "0",
        "PYTHONPATH": str(Path(__file__).resolve().parent.parent),
        "AWS_DEFAULT_REGION": environment.region,
        "AWS_REGION": environment.region,
        "AWS_ACCESS_KEY_ID": "offline",
        "AWS_SECRET_ACCESS_KEY": "offline",
        "AWS_CONFIG_FILE": str(home / "aws"),
        "AWS_SHARED_CREDENTIALS_FILE": str(home / "aws"),
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_REQUEST_CHECKSUM_CALCULATION": "when_required",
        "SAGEMAKER_USER_CONFIG_OVERRIDE": str(home / "config.yaml"),
        "SAGEMAKER_ADMIN_CONFIG_OVERRIDE": str(home / "admin.yaml"),
    }


def _explain_failure(source: PipelineSource, path: Path, process: subprocess.CompletedProcess[str]) -> str:
    if not path.exists():
        tail = "\n".join(process.stderr.strip().splitlines()[-15:])
        return f"pipeline {source.name}: the build ended with code {process.returncode} and said:\n{tail}"
    report = json.loads(path.read_text())
    if report["type"] == "ModuleNotFoundError" and "sagemaker" in report["message"]:
        return f"pipeline {source.name}: the SageMaker SDK is not installed; next: pip install 'sagemaker>=3.27'"
    where = f"{report['where']}: " if report["where"] else ""
    step = f", step {report['step']}" if report["step"] else ""
    line = f"\n    {report['line']}" if report["line"] else ""
    kind = "" if report["type"] == "BuildError" else f"{report['type']}: "
    again = f"\nThen: pipelines build {source.name}"
    return f"{where}pipeline {source.name}{step}: {kind}{report['message']}{line}{again}"


def _replace(folder: Path, finished: Path) -> None:
    """Put a finished build in its place; readers see the old one or the new one."""
    if folder.exists():
        shutil.rmtree(folder.rename(finished.with_name("replaced")))
    finished.rename(folder)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield
