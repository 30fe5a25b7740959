"""Building and pushing images with podman or docker, whichever answers; both take the same words nearly everywhere."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pipelines.errors import AwsCallError, BuildError, EndpointError
from pipelines.images import ContainerImage

NAMES = ("podman", "docker")
PLATFORM = "linux/amd64"
"""What SageMaker's instances are, whatever this machine is."""
LOCAL = "sagemaker-pipelines"
"""Under which an image is kept here until it is pushed, whichever environments it goes to."""
ANSWER_SECONDS = 30
NO_ATTESTATIONS = {"BUILDX_NO_DEFAULT_ATTESTATIONS": "1"}
"""With them docker makes a list of images, which SageMaker does not take."""


@dataclass(frozen=True)
class Engine:
    """An engine that has answered. ``login`` are further words for commands that need a registry."""

    name: str
    program: str
    login: tuple[str, ...] = field(default=())

    def has(self, reference: str) -> bool:
        """Whether the engine keeps an image of this name."""
        return self._ask("image", "inspect", reference).returncode == 0

    def build(self, image: ContainerImage) -> bool:
        """Build an image unless it is there; False if it was.

        Raises:
            BuildError: the engine refuses the Dockerfile; what it says has gone to standard error.
        """
        local = local_reference(image)
        if self.has(local):
            return False
        form = ("--format", "docker") if self.name == "podman" else ()
        if self._show("build", "--platform", PLATFORM, *form, "--tag", local, str(image.folder)):
            again = f"{self.name} build {image.folder}"
            raise BuildError(
                f"{self.name} could not build containers/{image.name}/Dockerfile. To see it alone: {again}"
            )
        return True

    def push(self, image: ContainerImage, target: str) -> None:
        """Push an image that is here to ``host/name:tag``.

        Raises:
            AwsCallError: the registry refuses it; what was said has gone to standard error.
        """
        local = local_reference(image)
        if not self.has(local):
            raise BuildError(f"Image {image.reference} is not built here. Next: pipelines images build {image.name}")
        self._ask("tag", local, target)
        if self._show("push", *self.login, target):
            raise AwsCallError(f"{self.name} could not push {target}. Layers that arrived stay: repeat the command.")

    def _ask(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([self.program, *words], capture_output=True, text=True, check=False)

    def _show(self, *words: str) -> int:
        """Run a command whose progress goes to standard error; its exit code."""
        environ = os.environ | NO_ATTESTATIONS
        return subprocess.run([self.program, *words], stdout=2, env=environ, check=False).returncode


def local_reference(image: ContainerImage) -> str:
    """The name of an image on this machine."""
    return f"{LOCAL}/{image.reference}"


def find_engine(wanted: str = "") -> Engine:
    """The engine of that name, or the first that answers.

    Raises:
        EndpointError: none does; the message says what each lacks.
    """
    reasons = []
    for name in (wanted,) if wanted else NAMES:
        program = shutil.which(name)
        reason = "it is not installed" if program is None else _complaint(program)
        if program is not None and not reason:
            return Engine(name, program)
        reasons.append(f"  {name}: {reason}")
    lines = "\n".join(reasons)
    raise EndpointError(f"No container engine answers:\n{lines}\nInstall podman (https://podman.io), or start docker.")


@contextmanager
def logged_in(engine: Engine, endpoint: str, user: str, password: str) -> Iterator[Engine]:
    """The engine with a login to the registry at ``endpoint`` (a URL); podman's is forgotten afterwards."""
    host = endpoint.partition("://")[2]
    with tempfile.TemporaryDirectory(prefix="pipelines-login-") as folder:
        options: tuple[str, ...] = ()
        if engine.name == "podman":
            options = ("--authfile", str(Path(folder, "auth.json")))
            options += ("--tls-verify=false",) if endpoint.startswith("http://") else ()
        words = [engine.program, "login", *options, "--username", user, "--password-stdin", host]
        done = subprocess.run(words, input=password, capture_output=True, text=True, check=False)
        if done.returncode:
            raise AwsCallError(f"{engine.name} could not log in to {host}: {done.stderr.strip()}")
        yield Engine(engine.name, engine.program, options)


def _complaint(program: str) -> str:
    """Why an engine does not answer; empty if it does. docker's client alone is no engine."""
    try:
        done = subprocess.run([program, "info"], capture_output=True, text=True, check=False, timeout=ANSWER_SECONDS)
    except subprocess.TimeoutExpired:
        return f"it did not answer within {ANSWER_SECONDS} seconds"
    last = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
    return (last or [f"`{program} info` ended with code {done.returncode}"])[0] if done.returncode else ""
