"""The build's own process: runs the SDK offline and writes the result; started by :mod:`pipelines.build`.

Reads requests as JSON from standard input (see :class:`BuildRequest`), all for one environment. For each it writes
``definition.json``, ``assets/`` and ``manifest.json`` into the request's ``output`` folder, or ``error.json`` there.
What the SDK prints goes to the standard streams and means nothing.

Importing the SDK takes seconds. For several requests it is imported once, and each is built in a fork of this process,
so that no pipeline sees what another has changed.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import random
import sys
import traceback
import uuid
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any

import pipelines
from pipelines.assets import Asset, AssetGroups, strip_root
from pipelines.capture import Capture
from pipelines.environment import Environment
from pipelines.errors import BuildError
from pipelines.inputs import hash_reads
from pipelines.overlay import apply_environment
from pipelines.purity import find_impurities
from pipelines.quick_sdk import do_once
from pipelines.request import BuildRequest, from_json
from pipelines.sources import Sources

SDK = "sagemaker.mlops.workflow"
"""What every pipeline imports; it imports nearly all of the SDK."""

PICKLED_FUNCTION = "/payload.pkl"
"""Key of the upload that the SDK makes of a ``@step`` function."""


def main() -> None:
    requests = from_json(sys.stdin.read())
    _make_repeatable()
    environment = _environment(requests[0])
    capture = Capture(environment)
    capture.install()
    _import_from(requests[0].root)
    do_once()
    if len(requests) == 1:
        sys.exit(not compile_or_report(requests[0], environment, capture))
    with suppress(ImportError):  # then each build says so
        importlib.import_module(SDK)
    sys.exit(_wait_for([_fork(request, environment, capture) for request in requests]))


def compile_or_report(request: BuildRequest, environment: Environment, capture: Capture) -> bool:
    """Build the pipeline of a request; False if it could not be, which ``error.json`` then explains."""
    sources = Sources(Path(request.root))
    sources.watch_files()
    try:
        compile_pipeline(request, environment, capture, sources)
    except BaseException as error:  # noqa: BLE001 — whatever the pipeline's code raises is what there is to tell
        report = {"type": type(error).__name__, "message": str(error)} | sources.explain(error)
        Path(request.output, "error.json").write_text(json.dumps(report))
        traceback.print_exc()
        return False
    return True


def compile_pipeline(request: BuildRequest, environment: Environment, capture: Capture, sources: Sources) -> None:
    """Build the pipeline of a request and write its files.

    Raises:
        BuildError: what the pipeline's code made cannot be a pure definition; its own exceptions come through.
    """
    module = importlib.import_module(request.module)
    if "sagemaker.mlops.workflow.steps" in sys.modules:
        sources.watch_steps()
    pipeline = _call_build(request, module, environment.with_session(lambda: _session(environment)))
    definition = strip_root(json.loads(pipeline.definition()), request.root)
    _check_capture(capture)
    groups = AssetGroups(request.pipeline, environment.bucket, capture.uploads, request.root)
    definition = apply_environment(groups.rewrite(definition), environment)
    if impurities := find_impurities(definition, [request.root, str(Path.home())]):
        raise BuildError("; ".join(impurities))
    _write(request, definition, sorted(groups.assets.values(), key=lambda asset: asset.key), sources)


def _fork(request: BuildRequest, environment: Environment, capture: Capture) -> int:
    """Build in a child process; its id. The SDK has started no threads, so all that it is made of is there."""
    if child := os.fork():
        return child
    done = compile_or_report(request, environment, capture)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(not done)


def _wait_for(children: list[int]) -> int:
    """1 if one of them failed."""
    statuses = [os.waitpid(child, 0)[1] for child in children]
    return int(any(statuses))


def _environment(request: BuildRequest) -> Environment:
    given = request.environment
    lists = {key: tuple(given[key]) for key in ("subnets", "security_groups")}
    return Environment(**given | lists, root=Path(request.root))


def _make_repeatable() -> None:
    """Draw what the SDK makes up (suffixes, tokens) from a fixed seed; this process does nothing else."""
    random.seed(0)
    source = random.Random(0)
    uuid.uuid4 = lambda: uuid.UUID(int=source.getrandbits(128), version=4)


def _import_from(root: str) -> None:
    """Import ``pipelines.<name>`` and ``steps`` from the checkout, and the tool from where it is."""
    sys.path.insert(0, root)
    folder = str(Path(root, "pipelines"))
    if folder not in pipelines.__path__:
        pipelines.__path__.insert(0, folder)


def _session(environment: Environment) -> Any:
    import boto3
    from sagemaker.core.workflow.pipeline_context import PipelineSession

    boto_session = boto3.Session(region_name=environment.region)
    return PipelineSession(boto_session=boto_session, default_bucket=environment.bucket)


def _call_build(request: BuildRequest, module: ModuleType, environment: Environment) -> Any:
    if not callable(getattr(module, "build", None)):
        raise BuildError(f"{request.module} has no function build(environment) that returns the Pipeline")
    pipeline = module.build(environment)
    if not hasattr(pipeline, "definition"):
        raise BuildError(f"build() returned {type(pipeline).__name__}, not a sagemaker.mlops.workflow Pipeline")
    if pipeline.name != request.pipeline:
        folder = request.module.split(".")[1]
        raise BuildError(f"pipelines/{folder} builds a pipeline named {pipeline.name!r}: name it {request.pipeline!r}")
    return pipeline


def _check_capture(capture: Capture) -> None:
    if capture.refused:
        raise BuildError(f"the build called {', '.join(sorted(set(capture.refused)))}, and a build is offline")
    if any(key.endswith(PICKLED_FUNCTION) for _, key in capture.uploads):
        raise BuildError(
            "@step functions cannot be built offline yet: the SDK finds their pickles by the time of the build and "
            "signs them with a key that it draws anew; make a ProcessingStep or TrainingStep of the function"
        )
    if capture.overwritten:
        keys = ", ".join(sorted(key for _, key in capture.overwritten))
        raise BuildError(
            f"two uploads with different content went to the same place ({keys}), one would replace the other: "
            "give their trainers or processors different base_job_name"
        )


def _write(request: BuildRequest, definition: Any, assets: list[Asset], sources: Sources) -> None:
    output = Path(request.output)
    for asset in assets:
        path = output / asset.key.removeprefix(f"{request.pipeline}/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(asset.content)
    text = json.dumps(definition, indent=2, ensure_ascii=False) + "\n"
    output.joinpath("definition.json").write_text(text)
    reads = [path for path in sources.reads() if not path.startswith(tuple(request.usual))]
    manifest = {
        "pipeline": request.pipeline,
        "environment": request.environment,
        "inputs": request.inputs,
        "reads": hash_reads(Path(request.root), reads),
        "definition": hashlib.sha256(text.encode()).hexdigest(),
        "steps": dict(sorted(sources.steps.items())),
        "assets": [_describe(asset) for asset in assets],
    }
    output.joinpath("manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")


def _describe(asset: Asset) -> dict[str, Any]:
    return {"key": asset.key, "size": len(asset.content), "sha256": hashlib.sha256(asset.content).hexdigest()}


if __name__ == "__main__":
    main()
