"""A botocore client plugin: calls with a hard-coded AWS address go to ``AWS_ENDPOINT_URL`` as all others do.

The SageMaker SDKs (v2 and v3) call STS at ``https://sts.<region>.amazonaws.com`` explicitly, which overrides
``AWS_ENDPOINT_URL``. ``emulator env`` and ``emulator exec`` name this module in ``BOTOCORE_EXPERIMENTAL__PLUGINS`` and
put its folder, which holds nothing else, on ``PYTHONPATH``. It runs in the user's own Python environment, so it imports
nothing but the standard library. Where botocore cannot find it or is too old to look, nothing changes.

SDK v2 of before 2.200 refuses the configuration that ``emulator env`` names, for it has no telemetry to switch off and
no member for it. It makes its clients before it reads any configuration, so this is where it can be told not to.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

AWS_SUFFIXES = (".amazonaws.com", ".amazonaws.com.cn")
SDK_CONFIG_VARIABLES = ("SAGEMAKER_ADMIN_CONFIG_OVERRIDE", "SAGEMAKER_USER_CONFIG_OVERRIDE")
SDK_CONFIG = "sagemaker-sdk.yaml"


def initialize_client_plugin(client: Any) -> None:
    """Called by botocore for each client it makes. An S3 address may carry a bucket's name, so S3 is left alone."""
    _spare_an_old_sdk()
    if client.meta.service_model.service_name != "s3":
        client.meta.events.register("before-call", _to_emulator)


def _spare_an_old_sdk() -> None:
    """Take the emulator's SDK configuration away from an SDK whose schema does not know what is in it."""
    schema = sys.modules.get("sagemaker.config.config_schema")
    if schema is None or hasattr(schema, "TELEMETRY_OPT_OUT"):
        return
    for variable in SDK_CONFIG_VARIABLES:
        if Path(os.environ.get(variable, "")).name == SDK_CONFIG:  # else it is the user's own
            del os.environ[variable]


def _to_emulator(params: dict[str, Any], **_: Any) -> None:
    """Rewrite scheme and host before the request is signed."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL", "")
    url = urlsplit(params["url"])
    if endpoint and (url.hostname or "").endswith(AWS_SUFFIXES):
        target = urlsplit(endpoint)
        params["url"] = urlunsplit((target.scheme, target.netloc, url.path, url.query, url.fragment))
