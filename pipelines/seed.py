"""A pipeline's sample data: ``pipelines/<name>/seed.py`` writes it, here it goes to where the pipeline reads it.

A marker beside the data (never below its prefix, where a job would take it for data) says what a seed has put there.
It is written as begun before the data and as done after it: so an interrupted seed is told from a finished one, and
data that someone else put there from both.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pipelines
from pipelines.build import BuiltPipeline
from pipelines.catalog import PipelineSource
from pipelines.connection import Connection
from pipelines.definition import parameters
from pipelines.errors import UsageError
from pipelines.fingerprint import source_files
from pipelines.storage import ensure_bucket, parse_uri, put_files, read_json, stored_sizes

SEED_PARAMETER = "InputDataUri"
"""The parameter whose default value is where the sample data goes."""


@dataclass(frozen=True)
class Seed:
    """Where a pipeline's sample data goes."""

    pipeline: str
    bucket: str
    prefix: str

    @property
    def uri(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}"

    @property
    def marker(self) -> str:
        """Key of the marker, in the same bucket."""
        return f"{self.pipeline}/seeds/{hashlib.sha256(self.uri.encode()).hexdigest()[:16]}.json"


def has_seed(source: PipelineSource) -> bool:
    """Whether a pipeline brings sample data."""
    return (source.folder / "seed.py").is_file()


def find_seed(built: BuiltPipeline) -> Seed:
    """Where the sample data of a built pipeline goes.

    Raises:
        UsageError: no parameter says it.
    """
    found = {parameter.name: parameter.default for parameter in parameters(built.definition)}
    uri = found.get(SEED_PARAMETER)
    if not isinstance(uri, str):
        raise UsageError(
            f"Pipeline {built.name} has no parameter {SEED_PARAMETER} with a default value: no place to seed"
        )
    bucket, prefix = parse_uri(uri)
    if not prefix.strip("/"):
        raise UsageError(f"Pipeline {built.name}: {SEED_PARAMETER} = {uri} is a whole bucket; give it a prefix to seed")
    return Seed(built.name, bucket, prefix)


def is_seeded(seed: Seed, connection: Connection) -> bool:
    """Whether there is data at the seed's place that no interrupted seed left."""
    if not stored_sizes(connection, seed.bucket, seed.prefix):
        return False
    marker = read_json(connection, f"s3://{seed.bucket}/{seed.marker}")
    return marker is None or marker.get("status") == "done"


def upload_seed(
    source: PipelineSource, seed: Seed, connection: Connection, report: Callable[[str], None]
) -> dict[str, int]:
    """Make the sample data and upload it, replacing what an earlier seed put there; sizes by key.

    Raises:
        UsageError: the pipeline has no seed.py, or it has no ``seed(folder)``, or that wrote nothing.
    """
    with tempfile.TemporaryDirectory(prefix="seed-") as scratch:
        _call_seed(source, Path(scratch))
        base = seed.prefix if seed.prefix.endswith("/") else f"{seed.prefix}/"
        files = {base + name: path for name, path in source_files(Path(scratch))}
        if not files:
            raise UsageError(f"pipelines/{source.folder.name}/seed.py: seed(folder) wrote no file into the folder")
        sizes = {key: path.stat().st_size for key, path in files.items()}
        report(f"uploading {len(files)} files, {sum(sizes.values()) / 1e6:.1f} MB, to {seed.uri}")
        ensure_bucket(connection, seed.bucket, connection.target.environment.region)
        earlier = read_json(connection, f"s3://{seed.bucket}/{seed.marker}") or {}
        _mark(connection, seed, "begun", sorted({*files, *earlier.get("keys", ())}))
        put_files(connection, seed.bucket, files)
        for key in sorted(set(earlier.get("keys", ())) - set(files)):
            connection.s3.delete_object(Bucket=seed.bucket, Key=key)
        _mark(connection, seed, "done", sorted(files))
    return sizes


def _mark(connection: Connection, seed: Seed, status: str, keys: list[str]) -> None:
    body = json.dumps({"status": status, "uri": seed.uri, "keys": keys}, indent=2).encode()
    connection.s3.put_object(Bucket=seed.bucket, Key=seed.marker, Body=body, ContentType="application/json")


def _call_seed(source: PipelineSource, folder: Path) -> None:
    where = f"pipelines/{source.folder.name}/seed.py"
    if not has_seed(source):
        raise UsageError(f"Pipeline {source.name} has no sample data: {where} with seed(folder) is not there")
    function: Any = getattr(_import_seed(source), "seed", None)
    if not callable(function):
        raise UsageError(f"{where} has no function seed(folder) that writes the sample data into a folder")
    try:
        function(folder)
    except OSError as error:
        raise UsageError(f"{where}: {error}") from error


def _import_seed(source: PipelineSource) -> Any:
    folder = str(source.folder.parent)
    if folder not in pipelines.__path__:
        pipelines.__path__.insert(0, folder)
        sys.path.insert(0, str(source.folder.parent.parent))
    try:
        return importlib.import_module(f"pipelines.{source.folder.name}.seed")
    except ModuleNotFoundError as error:
        raise UsageError(
            f"pipelines/{source.folder.name}/seed.py needs {error.name}, which is not installed. "
            "Next: pip install -e '.[data]'"
        ) from error
