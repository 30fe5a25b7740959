"""What a job wants, whichever kind it is: image, inputs, files, outputs, environment, limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import PurePosixPath
from typing import Literal

from emulator.jobs.hosts import Host

ROOT = PurePosixPath("/opt/ml")
DEFAULT_MAX_RUNTIME = 86_400
CLIENT_PYTHON = "--client_python_version"
"""The argument by which both SDKs name the Python that pickled a function (``sagemaker.remote_function.job``)."""
DataType = Literal["S3Prefix", "ManifestFile", "AugmentedManifestFile"]
Distribution = Literal["FullyReplicated", "ShardedByS3Key"]


@dataclass(frozen=True, slots=True)
class Source:
    """Which objects an input is made of."""

    uri: str
    data_type: DataType = "S3Prefix"
    distribution: Distribution = "FullyReplicated"
    seed: int | None = None
    """Of the order in which the objects, or the lines of an augmented manifest, come; None: as S3 lists them."""
    attributes: tuple[str, ...] = ()
    """Which members of an augmented manifest's lines are wanted, in this order."""
    hosts: tuple[str, ...] = ()
    """The hosts that share it, where it is sharded; all of the job's if there are none here."""


@dataclass(frozen=True, slots=True)
class Stream:
    """How an input of mode Pipe is written to its named pipes."""

    gunzip: bool = False
    wrapped: bool = False
    """Each object, or attribute, is a record of RecordIO."""


@dataclass(frozen=True, slots=True)
class Input:
    """Objects that lie at ``path`` (in the container) before the program starts."""

    name: str
    source: Source
    path: str
    required: bool = True
    """An empty match fails the job."""
    unpacked: bool = False
    """The source is one archive, whose members are wanted."""
    stream: Stream | None = None
    """No files: named pipes ``path_0``, ``path_1``, … carry the content, one for each time that it is read."""


@dataclass(frozen=True, slots=True)
class Output:
    """A folder of the container whose files go below ``uri``."""

    path: str
    uri: str
    continuous: bool = False
    """Upload while the program runs, and however it ends."""


@dataclass(frozen=True, slots=True)
class Command:
    """What to run; None stands for what the image says, as in ``docker run``."""

    entrypoint: list[str] | None
    arguments: list[str] | None
    default_arguments: list[str] | None = None
    """Arguments where neither the request nor an entrypoint of its own gives any (Training: ``train``)."""

    @property
    def python(self) -> str:
        """The version that a function of the SDKs was made with, which its image must have; empty for all else."""
        words = self.arguments or []
        return next((value for name, value in pairwise(words) if name == CLIENT_PYTHON), "")

    def resolve(self, entrypoint: list[str], arguments: list[str]) -> list[str]:
        """The argument vector, given the image's own entrypoint and command."""
        if self.entrypoint is not None:
            return [*self.entrypoint, *(self.arguments or [])]
        if self.arguments is not None:
            return [*entrypoint, *self.arguments]
        return [*entrypoint, *(arguments if self.default_arguments is None else self.default_arguments)]


@dataclass(frozen=True, slots=True)
class Plan:
    """One host's part of a job. Paths of ``files`` and ``folders`` are relative to ``/opt/ml``."""

    image: str
    command: Command
    env: Mapping[str, str]
    role: str
    inputs: list[Input] = field(default_factory=list)
    outputs: list[Output] = field(default_factory=list)
    files: Mapping[str, bytes] = field(default_factory=dict)
    folders: list[str] = field(default_factory=list)
    network: bool = True
    max_runtime: float = DEFAULT_MAX_RUNTIME
    host: Host = field(default_factory=Host)
    port: int | None = None
    """Where the program listens if it is a server, which the job's kind drives."""


def below_root(path: str) -> PurePosixPath:
    """A container path relative to ``/opt/ml``.

    Raises:
        ValueError: it is not below it.
    """
    relative = PurePosixPath(path).relative_to(ROOT)
    if ".." in relative.parts:
        raise ValueError(f"{path} must not contain '..'")
    return relative


def overlap(one: str, other: str) -> bool:
    """Whether one of two container paths lies within the other."""
    a, b = PurePosixPath(one), PurePosixPath(other)
    return a == b or a in b.parents or b in a.parents
