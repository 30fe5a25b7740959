"""boto clients of an environment, each made when it is first used.

botocore costs a third of a second, most of it in importing and in reading the model of SageMaker, so it is imported
here and nowhere else, and both happen while the endpoint is looked up.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pipelines.endpoint import EndpointLookup
from pipelines.environments import Target

if TYPE_CHECKING:
    from botocore.session import Session

CONNECT_TIMEOUT_SECONDS = 5
READ_TIMEOUT_SECONDS = 60

CREDENTIAL_VARIABLES = ("AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE")
NO_INSTANCE = "AWS_EC2_METADATA_DISABLED"
"""Spares botocore a look-up of the credentials of the instance, which an endpoint other than AWS does not know."""
NO_CRT = "BOTO_DISABLE_CRT"
"""Tells botocore to do without a library that it does not need here."""


class Connection:
    """The way to one environment's AWS API."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self._lookup = EndpointLookup(target)

    @cached_property
    def sagemaker(self) -> Any:
        return self._client("sagemaker")

    @cached_property
    def s3(self) -> Any:
        return self._client("s3")

    @cached_property
    def logs(self) -> Any:
        return self._client("logs")

    @cached_property
    def ecr(self) -> Any:
        return self._client("ecr")

    @property
    def endpoint_url(self) -> str | None:
        """Where calls go; None for AWS itself."""
        return self._lookup.variables.get("AWS_ENDPOINT_URL") or os.environ.get("AWS_ENDPOINT_URL")

    @cached_property
    def _session(self) -> Session:
        from botocore.session import Session

        own = self.target.environment.profile
        chosen = any(os.environ.get(name) for name in CREDENTIAL_VARIABLES)
        return Session(profile=own if own and not chosen and not self.endpoint_url else None)

    def _client(self, service: str) -> Any:
        os.environ.setdefault(NO_CRT, "true")
        with _no_garbage_collection():
            _import_botocore()
            return self._make_client(service)

    def _make_client(self, service: str) -> Any:
        from botocore.config import Config

        self._session.get_component("data_loader").load_service_model(service, "service-2")
        variables = self._lookup.variables  # only now, as it waits for the look-up's end
        if self.endpoint_url:
            os.environ.setdefault(NO_INSTANCE, "true")
        config = Config(
            connect_timeout=CONNECT_TIMEOUT_SECONDS,
            read_timeout=READ_TIMEOUT_SECONDS,
            retries={"mode": "standard", "max_attempts": 3},
            s3={"addressing_style": "path"} if self.endpoint_url else None,
        )
        return self._session.create_client(
            service,
            region_name=self.target.environment.region,
            endpoint_url=variables.get("AWS_ENDPOINT_URL"),
            aws_access_key_id=variables.get("AWS_ACCESS_KEY_ID"),
            aws_secret_access_key=variables.get("AWS_SECRET_ACCESS_KEY"),
            aws_session_token=variables.get("AWS_SESSION_TOKEN"),
            config=config,
        )


def _import_botocore() -> None:
    """Without the library that it would import before it sees that it is not to use it: a fifth of the time."""
    unused = os.environ.get(NO_CRT) == "true" and not {"awscrt", "botocore.compat"} & set(sys.modules)
    if unused:
        sys.modules["awscrt"] = None  # type: ignore[assignment]
    try:
        import botocore.compat  # noqa: F401
    finally:
        if unused:
            del sys.modules["awscrt"]


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Reading a service model makes very many objects that all stay: not looking for garbage saves a tenth."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.freeze()
            gc.enable()
