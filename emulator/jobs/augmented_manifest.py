"""Augmented manifests: JSON lines whose attributes are streamed.

SageMaker Developer Guide, "Augmented Manifest Files for Training Jobs": of each line the attributes that the channel
names are streamed, in the order in which it names them. The value of one whose name ends with ``-ref`` is the URI of an
object, whose content is streamed in its place.
"""

from __future__ import annotations

import json
from typing import Any

from emulator.jobs.failures import download_failed

REFERENCE = "-ref"


def lines(manifest: bytes) -> list[bytes]:
    """The lines of a manifest that are not blank."""
    return [line for line in manifest.splitlines() if line.strip()]


def values(line: bytes, attributes: tuple[str, ...], uri: str) -> list[tuple[str, bytes | None]]:
    """What a line gives to stream: the URI of an object and None, or the attribute's name and its bytes.

    Raises:
        JobFailure: it is no JSON object, lacks an attribute, or a reference is no URI.
    """
    try:
        entry = json.loads(line)
    except ValueError as error:
        raise download_failed(f"Augmented manifest {uri} has a line that is not JSON: {error}") from error
    if not isinstance(entry, dict):
        raise download_failed(f"Augmented manifest {uri} has a line that is no JSON object: {_shown(line)}")
    missing = [name for name in attributes if name not in entry]
    if missing:
        raise download_failed(f"Augmented manifest {uri} has a line without the attribute {missing[0]}: {_shown(line)}")
    return [_value(name, entry[name], uri) for name in attributes]


def _value(name: str, value: Any, uri: str) -> tuple[str, bytes | None]:
    if not name.endswith(REFERENCE):
        text = value if isinstance(value, str) else json.dumps(value, separators=(",", ":"), ensure_ascii=False)
        return name, text.encode()
    if not isinstance(value, str) or not value.startswith("s3://"):
        shown = json.dumps(value)[:200]
        raise download_failed(f"Augmented manifest {uri}: the value of {name} must be an s3:// URI, but it is {shown}")
    return value, None


def _shown(line: bytes) -> str:
    return line[:200].decode(errors="replace")
