"""What a training job of its own reads: channels from S3 or from this machine, and the user's program.

What lies on this machine goes to the environment's bucket under the hash of its content, so it goes there once.
"""

from __future__ import annotations

import io
import re
import tarfile
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.archives import normalize_archive
from pipelines.connection import Connection
from pipelines.errors import UsageError
from pipelines.fingerprint import hash_files, source_files
from pipelines.storage import parse_uri, put_files, stored_sizes

PREFIX = "train"
"""Below which everything of ``pipelines train`` lies in the bucket."""
CODE_CHANNEL = "code"
HASH_LENGTH = 16
CONTENT_TYPES = {
    ".csv": "text/csv",
    ".libsvm": "text/libsvm",
    ".svm": "text/libsvm",
    ".parquet": "application/x-parquet",
    ".pq": "application/x-parquet",
    ".pbr": "application/x-recordio-protobuf",
    ".rec": "application/x-recordio-protobuf",
    ".jsonl": "application/jsonlines",
    ".json": "application/json",
}
_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")


@dataclass(frozen=True)
class Channel:
    """``source`` is an S3 URI or a path of this machine."""

    name: str
    source: str
    content_type: str | None = None

    @property
    def is_remote(self) -> bool:
        return self.source.startswith("s3://")


def pairs(given: Iterable[str], what: str) -> dict[str, str]:
    """``NAME=VALUE`` of an option that may be given often.

    Raises:
        UsageError: one has no name, or two have the same.
    """
    found: dict[str, str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not name or not equals:
            raise UsageError(f"{what} {text!r} is not of the form NAME=VALUE")
        if name in found:
            raise UsageError(f"{what} {name!r} is given twice")
        found[name] = value
    return found


def read_channels(given: Iterable[str], content_types: Iterable[str]) -> list[Channel]:
    """The channels of a command line; a content type is ``NAME=TYPE``, or ``TYPE`` for all.

    Raises:
        UsageError: a channel is wrong, or its file is not there; or a content type is of none of them.
    """
    sources = pairs(given, "Channel")
    for_all = [text for text in content_types if "=" not in text]
    by_name = pairs((text for text in content_types if "=" in text), "Content type")
    if unknown := by_name.keys() - sources.keys():
        raise UsageError(f"Content type {sorted(unknown)[0]!r} is of no channel; there are: {', '.join(sources)}")
    default = for_all[-1] if for_all else None
    return [_channel(name, source, by_name.get(name, default)) for name, source in sources.items()]


def _channel(name: str, source: str, content_type: str | None) -> Channel:
    if not _NAME.fullmatch(name):
        raise UsageError(f"Channel {name!r}: a name is made of letters, digits, dots, hyphens and underscores")
    channel = Channel(name, source, content_type)
    if channel.is_remote:
        parse_uri(source)
    elif not Path(source).exists():
        raise UsageError(f"Channel {name!r}: {source} does not exist here; S3 is named as s3://bucket/key")
    return channel


def upload_channel(connection: Connection, bucket: str, channel: Channel) -> dict[str, Any]:
    """The channel as CreateTrainingJob takes it, its files in S3."""
    uri = channel.source
    content_type = channel.content_type or _content_type(connection, channel)
    if not channel.is_remote:
        uri = upload(connection, bucket, "inputs", _files(Path(channel.source)))
    source = {"S3DataType": "S3Prefix", "S3Uri": uri, "S3DataDistributionType": "FullyReplicated"}
    members = {"ChannelName": channel.name, "DataSource": {"S3DataSource": source}, "ContentType": content_type}
    return {name: value for name, value in members.items() if value is not None}


def _content_type(connection: Connection, channel: Channel) -> str | None:
    """By the name of the first file."""
    if channel.is_remote:
        bucket, prefix = parse_uri(channel.source)
        first = connection.s3.list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=10).get("Contents", [])
        names = [item["Key"] for item in first]
    else:
        names = sorted(_files(Path(channel.source)))
    return next((found for name in names if (found := CONTENT_TYPES.get(Path(name).suffix.lower()))), None)


def _files(path: Path) -> dict[str, Path]:
    """The files of a channel or a program by their paths below it, by-products left out."""
    if path.is_file():
        return {path.name: path}
    found = dict(source_files(path))
    if not found:
        raise UsageError(f"{path} has no files")
    return found


def upload(connection: Connection, bucket: str, kind: str, files: Mapping[str, Path]) -> str:
    """Put files that are not there yet; the URI of the prefix that has them, and nothing else."""
    prefix = f"{PREFIX}/{kind}/{hash_files(sorted(files.items()))[:HASH_LENGTH]}/"
    stored = stored_sizes(connection, bucket, prefix)
    missing = {prefix + name: path for name, path in files.items() if stored.get(prefix + name) != path.stat().st_size}
    put_files(connection, bucket, missing)
    return f"s3://{bucket}/{prefix}"


@dataclass(frozen=True)
class Program:
    """The user's script, with the folder that goes with it if there is one."""

    script: str
    folder: Path | None = None

    @property
    def path(self) -> Path:
        return Path(self.script) if self.folder is None else self.folder / self.script

    @property
    def entry(self) -> str:
        """The script's path among the files."""
        return self.path.name if self.folder is None else Path(self.script).as_posix()

    @property
    def files(self) -> dict[str, Path]:
        return _files(self.folder or self.path)


def upload_archive(connection: Connection, bucket: str, program: Program) -> str:
    """The program as ``sourcedir.tar.gz``, as script mode takes it; its URI."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, path in program.files.items():
            archive.add(path, name)
    with tempfile.TemporaryDirectory(prefix="pipelines-train-") as scratch:
        path = Path(scratch, "sourcedir.tar.gz")
        path.write_bytes(normalize_archive(packed.getvalue()))
        return upload(connection, bucket, "code", {path.name: path}) + path.name
