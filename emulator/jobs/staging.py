"""Inputs as files: which objects an input means, and laying them out below ``/opt/ml`` without copying them.

An input that nothing writes back is a link farm, mounted under an overlay by the launcher. Where an output or a
checkpoint folder covers the same place its files must be the job's own, so they are copied; so is an input of a few
small files, a step's script for instance, because that is quicker than a mount. What is streamed through named pipes
is no file: here it is only made sure that it is there.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from emulator.aws.errors import AwsError
from emulator.jobs.archives import unpack
from emulator.jobs.failures import JobFailure, download_failed, nothing_found
from emulator.jobs.hosts import Host
from emulator.jobs.plan import Input, Plan, Source, below_root, overlap
from emulator.launchers.launcher import Mount
from emulator.store.objects import ObjectStore, parse_s3_uri
from emulator.store.stored_objects import StoredObject

Placed = tuple[StoredObject, str]
T = TypeVar("T")
_SMALL_FILES, _SMALL_BYTES = 8, 256 * 1024
"""What is copied in less time than an overlay is mounted, some 2 ms."""


@dataclass(frozen=True, slots=True)
class Stage:
    """Where the parts of one job go: ``ml`` becomes ``/opt/ml``, ``farms`` holds the link farms."""

    objects: ObjectStore
    region: str
    ml: Path
    farms: Path

    def lay_out(self, plan: Plan) -> list[Mount]:
        """Bring every input in place; what the launcher has to mount.

        Raises:
            JobFailure: an input cannot be had, with AWS's reason.
        """
        try:
            return self._lay_out(plan)
        except AwsError as error:
            raise download_failed(error.message) from error
        except OSError as error:
            raise download_failed(f"Failed to download data. {error.strerror}: {error.filename}") from error

    def _lay_out(self, plan: Plan) -> list[Mount]:
        for item in plan.inputs:
            if item.stream is not None:
                self._require(item, plan)
        files = [i for i in plan.inputs if i.stream is None]
        unpacked = [i for i in files if i.unpacked]
        copied = [i for i in files if any(overlap(i.path, output.path) for output in plan.outputs)]
        mounted = [i for i in files if i not in copied and i not in unpacked]
        mounts = []
        for number, group in enumerate(nested(mounted)):
            placed = list(self._placed(group, plan))
            if _are_small(placed):
                self.objects.copy(placed, self.ml / below_root(group[0].path))
                continue
            farm = self.farms / str(number)
            self.objects.link(placed, farm)
            mounts.append(Mount(target=group[0].path, source=farm))
        for item in copied:
            self.objects.copy(self.select(item, plan.host, plan.role), self.ml / below_root(item.path))
        for item in unpacked:
            with self.objects.open(self.objects.require(*parse_s3_uri(item.source.uri))) as stream:
                unpack(stream, self.ml / below_root(item.path), item.source.uri)
        return mounts

    def _placed(self, group: list[Input], plan: Plan) -> Iterable[Placed]:
        top = below_root(group[0].path)
        for item in group:
            inner = below_root(item.path).relative_to(top)
            prefix = "" if item is group[0] else f"{inner}/"
            for stored, relative in self.select(item, plan.host, plan.role):
                yield stored, prefix + relative

    def _require(self, item: Input, plan: Plan) -> None:
        if item.source.data_type == "AugmentedManifestFile":
            self.objects.require(*parse_s3_uri(item.source.uri))
        else:
            self.select(item, plan.host, plan.role)

    def select(self, item: Input, host: Host, role: str, epoch: int = 0) -> list[Placed]:
        """The objects of an input that this host gets, each with its path below the input's folder.

        Raises:
            JobFailure: there are none, though the input is required.
        """
        found = resolve(self.objects, item.source)
        if not found and item.required:
            bucket, _ = parse_s3_uri(item.source.uri)
            raise download_failed(nothing_found(item.source.uri, bucket, self.region, role))
        return dealt(found, item.source, host, epoch)


def dealt(found: Sequence[T], source: Source, host: Host, epoch: int) -> list[T]:
    """What a host gets of an input in an epoch, in order: shuffled anew for each epoch, then shared out.

    So shuffling deals what is sharded to other hosts in each epoch (API reference, "Channel", ShuffleConfig).
    """
    order = list(found)
    if source.seed is not None:
        random.Random(f"{source.seed}/{epoch}").shuffle(order)
    if source.distribution == "ShardedByS3Key":
        hosts = source.hosts or host.names
        return order[hosts.index(host.name) :: len(hosts)]
    return order


def _are_small(placed: Sequence[Placed]) -> bool:
    return len(placed) <= _SMALL_FILES and sum(stored.size for stored, _ in placed) <= _SMALL_BYTES


def nested(inputs: list[Input]) -> list[list[Input]]:
    """Inputs grouped so that one mount serves all that lie within another; the outermost comes first."""
    groups: list[list[Input]] = []
    for item in sorted(inputs, key=lambda i: len(below_root(i.path).parts)):
        group = next((g for g in groups if overlap(g[0].path, item.path)), None)
        if group is None:
            groups.append([item])
        else:
            group.append(item)
    return groups


def resolve(objects: ObjectStore, source: Source) -> list[Placed]:
    """The objects a source means and their relative paths, in key order."""
    if source.data_type == "ManifestFile":
        return _from_manifest(objects, source.uri)
    return _from_prefix(objects, source.uri)


def exists(objects: ObjectStore, uri: str) -> bool:
    """Whether at least one object's key starts with what ``uri`` says."""
    bucket, prefix = parse_s3_uri(uri)
    return objects.bucket(bucket) is not None and bool(objects.list_objects(bucket, prefix, limit=1))


def _from_prefix(objects: ObjectStore, uri: str) -> list[Placed]:
    """Every key that starts with the prefix; below it where it names a folder, else by its own last part."""
    bucket, prefix = parse_s3_uri(uri)
    if objects.bucket(bucket) is None:
        return []
    folder = prefix if not prefix or prefix.endswith("/") else f"{prefix}/"
    parent = prefix[: prefix.rfind("/") + 1]
    placed = []
    for stored in objects.list_objects(bucket, prefix):
        key = stored.key
        if key.endswith("/"):
            continue
        relative = key[len(folder) :] if key.startswith(folder) else key[len(parent) :]
        placed.append((stored, _safe(stored, relative)))
    return placed


def _safe(stored: StoredObject, relative: str) -> str:
    if relative.startswith("/") or ".." in relative.split("/"):
        raise JobFailure(
            f"ClientError: Data download failed:s3://{stored.bucket}/{stored.key} cannot be a file of the input: its"
            f" path {relative!r} leads out of the input's folder."
        )
    return relative


def _from_manifest(objects: ObjectStore, uri: str) -> list[Placed]:
    """``[{"prefix": "s3://b/p/"}, "one", "two"]`` (API reference, "S3DataSource")."""
    bucket, key = parse_s3_uri(uri)
    entries = _manifest(objects.read(bucket, key), uri)
    placed: list[Placed] = []
    prefix = ""
    for entry in dict.fromkeys(json.dumps(e) for e in entries):
        match json.loads(entry):
            case {"prefix": str(given)}:
                prefix = given
            case str(relative) if prefix or relative.startswith("s3://"):
                stored = objects.require(*parse_s3_uri(prefix + relative))
                placed.append((stored, _safe(stored, relative if prefix else stored.key.rsplit("/", 1)[-1])))
            case other:
                raise download_failed(f"Manifest {uri} has an entry that is no key: {json.dumps(other)[:200]}")
    return placed


def _manifest(data: bytes, uri: str) -> list[Any]:
    try:
        entries = json.loads(data)
    except ValueError as error:
        raise download_failed(f"Manifest {uri} is not JSON: {error}") from error
    if not isinstance(entries, list):
        raise download_failed(f"Manifest {uri} is not a JSON list.")
    return entries
