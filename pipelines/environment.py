"""Where a pipeline is built for: one account, region, role and bucket."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.errors import SessionMissing
from pipelines.images import find_image

if TYPE_CHECKING:
    from sagemaker.core.workflow.pipeline_context import PipelineSession


@dataclass(frozen=True)
class Environment:
    """One environment of ``pipelines/environments.toml``; what a pipeline's ``build(environment)`` is given."""

    name: str
    account: str
    region: str
    role: str
    """Full ARN of the role that executes the pipeline and its jobs."""
    bucket: str
    """Bucket of the pipeline's assets, sample data and outputs."""
    kms_key: str = ""
    """Encrypts volumes and outputs of every job; empty for AWS's own keys."""
    subnets: tuple[str, ...] = ()
    security_groups: tuple[str, ...] = ()
    """Jobs run in these subnets and groups; both or neither."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """On the pipeline and on every job."""
    instance_types: Mapping[str, str] = field(default_factory=dict)
    """Instance types to use in place of others."""
    parameters: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    """Defaults of parameters in place of those in the pipeline's code."""
    parallelism: int = 0
    """Most steps of an execution at once; 0 leaves what is set at the pipeline."""
    suffix: str = ""
    """Appended to the names of pipelines: several of one definition live side by side."""
    profile: str = ""
    """Of ``~/.aws/config``: whose credentials are used, unless the variables of the process name some."""
    role_policy: str = ""
    """Path in the checkout of the policy document that the role has; checked by ``pipelines validate``."""
    root: Path = field(default=Path(), repr=False)
    """The checkout: the folder of ``pipelines/``, ``steps/`` and ``containers/``."""
    make_session: Callable[[], PipelineSession] | None = field(default=None, repr=False, compare=False)
    """Gives the session of a build, always the same one; None outside a build."""

    @property
    def session(self) -> PipelineSession:
        """The SDK session to pass to every processor, trainer, model and pipeline. It captures what they upload.

        Raises:
            SessionMissing: outside a build, where there is no session.
        """
        if self.make_session is None:
            raise SessionMissing(self.name)
        return self.make_session()

    def with_session(self, make_session: Callable[[], PipelineSession]) -> Environment:
        """The same environment during a build; the session is made when it is first asked for."""
        return replace(self, make_session=functools.cache(make_session))

    def image(self, name: str) -> str:
        """ECR URI of the image of ``containers/<name>``, tagged with the hash of that folder's content.

        Raises:
            ContainerNotFound: there is no such folder with a Dockerfile.
        """
        image = find_image(self.root, name)
        return f"{self.registry}/{image.name}:{image.tag}"

    @property
    def registry(self) -> str:
        """Host of the account's registry in ECR."""
        domain = "amazonaws.com.cn" if self.region.startswith("cn-") else "amazonaws.com"
        return f"{self.account}.dkr.ecr.{self.region}.{domain}"
