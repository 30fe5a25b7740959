"""What a transform job leaves for monitoring (Developer Guide, "Capture data from batch transform job").

Below ``DestinationS3Uri`` there are manifests and no copies of data: ``input/`` names the objects that were read,
``output/`` those that were stored, each under the hour in which the job began, as ``yyyy/mm/dd/hh/``. AWS does not say
how the files are called; here by the job and the host.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from typing import Any

from emulator.store.objects import ObjectStore, parse_s3_uri
from emulator.store.resources import Resource


def inference_time(body: Mapping[str, Any], created: float) -> str | None:
    """What is appended to every answer besides its id, None where no id is asked for."""
    if not body.get("DataCaptureConfig", {}).get("GenerateInferenceId"):
        return None
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(created))


def capture(objects: ObjectStore, job: Resource, host: str, read: list[str], stored: list[str]) -> None:
    """Write the manifests of one host's objects, given by their URIs.

    Raises:
        AwsError: the bucket is not there.
    """
    config = job.body.get("DataCaptureConfig")
    if config is None:
        return
    bucket, prefix = parse_s3_uri(config["DestinationS3Uri"])
    hour = time.strftime("%Y/%m/%d/%H", time.gmtime(job.created))
    for folder, uris in (("input", read), ("output", stored)):
        key = f"{prefix.rstrip('/')}/{folder}/{hour}/{job.name}-{host}.json".lstrip("/")
        objects.put_bytes(bucket, key, json.dumps(list(_manifest(uris))).encode(), content_type="application/json")


def _manifest(uris: Iterable[str]) -> Iterable[dict[str, str] | str]:
    """``[{"prefix": "s3://b/p/"}, "one", "two"]``; a prefix holds for what follows it."""
    last = None
    for uri in uris:
        prefix, _, name = uri.rpartition("/")
        if prefix != last:
            yield {"prefix": f"{prefix}/"}
            last = prefix
        yield name
