"""What can go wrong, by whose side it is on; each message ends with the next command where there is one.

PipelinesError                      exit code
├── UsageError                      2  the command line or a file of the checkout is wrong
│   ├── PipelineNotFound
│   ├── EnvironmentsFileError
│   ├── ParameterError
│   └── ContainerNotFound
├── BuildError                      2  the pipeline's own code cannot be built
├── EndpointError                   3  no emulator is running, or nothing answers at the endpoint
├── AwsCallError                    5  AWS (or the emulator) refused a call
└── SessionMissing                  2  Environment.session outside a build
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

EXIT_SUCCEEDED = 0
EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_CHANGE = 2
EXIT_NO_ENDPOINT = 3
EXIT_STOPPED = 4
EXIT_AWS = 5
EXIT_INTERRUPTED = 130


class PipelinesError(Exception):
    """An error that a user can act on: printed as it is, without a traceback."""

    exit_code = EXIT_USAGE


class UsageError(PipelinesError):
    """A wrong argument, name or file on the user's side."""


class PipelineNotFound(UsageError):
    def __init__(self, name: str, known: Iterable[str]) -> None:
        super().__init__(f"There is no pipeline {name!r}{suggest(name, known)}")


class ContainerNotFound(UsageError):
    def __init__(self, name: str, known: Iterable[str]) -> None:
        super().__init__(f"There is no image {name!r}: containers/{name}/Dockerfile is missing{suggest(name, known)}")


class EnvironmentsFileError(UsageError):
    """``pipelines/environments.toml`` is wrong; the message names the line."""


class ParameterError(UsageError):
    """A ``-p NAME=VALUE`` that the pipeline does not take."""


class BuildError(PipelinesError):
    """The pipeline's code raised, or did what a build may not do; the message names pipeline, step and source line."""


class SessionMissing(PipelinesError):
    def __init__(self, name: str) -> None:
        super().__init__(
            f"Environment {name!r} has no session: it exists only while `pipelines build` calls build(environment)"
        )


class EndpointError(PipelinesError):
    """Nothing answers where the environment says its endpoint is."""

    exit_code = EXIT_NO_ENDPOINT


class AwsCallError(PipelinesError):
    """AWS refused a call."""

    exit_code = EXIT_AWS


def suggest(name: str, known: Iterable[str]) -> str:
    """``. Did you mean 'x'? Known: x, y.`` for the end of a message about an unknown ``name``."""
    names = sorted(known)
    if not names:
        return ". None are known here."
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return f".{hint} Known: {', '.join(names)}."
