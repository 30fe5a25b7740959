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
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pipelines.catalog import PipelineSource
from pipelines.environment import Environment
from pipelines.errors import BuildError
from pipelines.inputs import BUILD_FIELDS, hash_inputs, hash_reads, usual_prefixes
from pipelines.request import BuildRequest, to_json

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
    (built,) = build_pipelines([source], environment, output, report)
    if isinstance(built, BuildError):
        raise built
    return built


def build_pipelines(
    sources: Sequence[PipelineSource], environment: Environment, output: Path, report: Callable[[str], None]
) -> list[BuiltPipeline | BuildError]:
    """The builds of several pipelines, or why one could not be built; the SDK is imported once for all of them."""
    wanted = [
        _Wanted(source, build_folder(output, environment, source), hash_inputs(source, environment))
        for source in sources
    ]
    stale = [each for each in wanted if not _is_current(each.folder, environment.root, each.inputs)]
    failures: dict[str, BuildError] = {}
    if stale:
        stale[0].folder.parent.mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack:
            for each in sorted(stale, key=lambda it: it.folder):
                stack.enter_context(_locked(each.folder.with_name(f".{each.folder.name}.lock")))
            stale = [each for each in stale if not _is_current(each.folder, environment.root, each.inputs)]
            failures = _build(stale, environment, report) if stale else {}
    built = {each.source.name for each in stale}
    return [
        failures.get(each.source.name) or BuiltPipeline(each.folder, cached=each.source.name not in built)
        for each in wanted
    ]


@dataclass(frozen=True)
class _Wanted:
    """A pipeline to build: into which folder, and the hash of what it is made of."""

    source: PipelineSource
    folder: Path
    inputs: str

    def request(self, environment: Environment, output: Path) -> BuildRequest:
        return BuildRequest(
            root=str(environment.root),
            pipeline=self.source.name,
            module=self.source.module,
            environment={key: getattr(environment, key) for key in BUILD_FIELDS},
            output=str(output),
            inputs=self.inputs,
            usual=usual_prefixes(self.source),
        )


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


def _build(stale: list[_Wanted], environment: Environment, report: Callable[[str], None]) -> dict[str, BuildError]:
    """Build pipelines, each in its folder's place if it succeeds; the errors of the others by name."""
    names = ", ".join(each.source.name for each in stale)
    report(f"building {names} (importing the SageMaker SDK takes some seconds)")
    failures = {}
    parent = stale[0].folder.parent
    with (
        tempfile.TemporaryDirectory(prefix=".build.", dir=parent) as scratch,
        tempfile.TemporaryDirectory(prefix="pipelines-build-") as home,
    ):
        outputs = [Path(scratch, each.folder.name) for each in stale]
        process = _compile(stale, outputs, environment, Path(home))
        for each, finished in zip(stale, outputs, strict=True):
            if (finished / "manifest.json").exists():
                _replace(each.folder, finished)
            else:
                failures[each.source.name] = BuildError(_explain_failure(each.source, finished / "error.json", process))
    return failures


def _compile(
    stale: list[_Wanted], outputs: list[Path], environment: Environment, home: Path
) -> subprocess.CompletedProcess[str]:
    for output in outputs:
        output.mkdir()
    requests = [each.request(environment, output) for each, output in zip(stale, outputs, strict=True)]
    return subprocess.run(
        [sys.executable, "-P", "-m", "pipelines.compile"],
        input=to_json(requests),
        env=_sealed_environment(environment, home),
        cwd=environment.root,
        capture_output=True,
        text=True,
        check=False,
    )


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
    """Put a finished build in its place; a reader sees the old one or the new one whole, for an instant none."""
    if folder.exists():
        shutil.rmtree(folder.rename(finished.with_name(f"{finished.name}.replaced")))
    finished.rename(folder)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield
