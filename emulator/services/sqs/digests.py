"""MD5 sums by which clients check that a message arrived whole (SQS Developer Guide, "Calculating the MD5 message
digest for message attributes")."""

from __future__ import annotations

import base64
import hashlib
import struct
from typing import Any

BINARY = "BinaryValue"
STRING = "StringValue"


def of_text(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def of_attributes(attributes: dict[str, Any]) -> str | None:
    """The sum of stored attributes, None where there are none."""
    if not attributes:
        return None
    digest = hashlib.md5(usedforsecurity=False)
    for name in sorted(attributes):
        attribute = attributes[name]
        binary = BINARY in attribute
        value = base64.b64decode(attribute[BINARY]) if binary else attribute[STRING].encode()
        digest.update(_counted(name.encode()) + _counted(attribute["DataType"].encode()))
        digest.update((b"\2" if binary else b"\1") + _counted(value))
    return digest.hexdigest()


def _counted(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data
