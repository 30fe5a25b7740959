"""Content-addressed assets: what the SDK uploads under times and job names gets a name made of its content.

SDK v3 puts a time into the S3 URIs of ModelTrainer and FrameworkProcessor, so that two builds of the same sources
differ and step caches never hit. Here each group of uploads that the definition refers to becomes
``s3://<bucket>/<pipeline>/assets/<sha256 of the group>/<last part of its old name>``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pipelines.archives import SUFFIXES, member_contents, normalize_archive
from pipelines.errors import BuildError
from pipelines.fingerprint import hash_contents, is_ignored

S3_URI = re.compile(r"s3://([a-z0-9][a-z0-9.-]+)/([^\s\"'\\,]+)")
OUTPUT_FIELD = re.compile(r"Output")
"""Fields of a request that say where something is written; an upload below such a prefix is not an asset of it."""

Location = tuple[str, str]
SDK_GENERATED = ("sourcecode.json", "distributed.json")
"""Files that the SDK writes itself and puts local paths into."""


@dataclass(frozen=True)
class Asset:
    """One object to have in the bucket: its key there and its content."""

    key: str
    content: bytes


class AssetGroups:
    """The uploads of one build, and the groups of them that its definition refers to."""

    def __init__(self, pipeline: str, bucket: str, uploads: dict[Location, bytes], root: str) -> None:
        self.pipeline = pipeline
        self.bucket = bucket
        self.uploads = {
            location: clean_content(location[1], content, root)
            for location, content in uploads.items()
            if not any(is_ignored(part) for part in location[1].split("/"))
        }
        self.assets: dict[str, Asset] = {}
        self._owned: dict[Location, set[str]] = {}
        """For every reference to a prefix: the keys that belong to it and to no longer reference."""

    def rewrite(self, definition: Any) -> Any:
        """The definition with every reference to an upload replaced by its content-addressed one.

        Raises:
            BuildError: nothing refers to an upload, so that whoever looks for it would not find it.
        """
        self._assign(_references(definition))
        owned = {(bucket, key) for (bucket, _), keys in self._owned.items() for key in keys}
        if lost := sorted(set(self.uploads) - owned):
            raise BuildError(f"the build uploaded s3://{'/'.join(lost[0])}, and nothing in the definition refers to it")
        return _map_strings(definition, lambda text: S3_URI.sub(self._replace, text))

    def _assign(self, references: set[Location]) -> None:
        for bucket, key in self.uploads:
            owners = [prefix for owner, prefix in references if owner == bucket and _covers(prefix, key)]
            if owners:
                self._owned.setdefault((bucket, max(owners, key=len)), set()).add(key)

    def _replace(self, match: re.Match[str]) -> str:
        reference = (match[1], match[2])
        keys = self._owned.get(reference)
        if not keys:
            return match[0]
        bucket, prefix = reference
        if keys == {prefix}:
            folder, slash, names = prefix.rpartition("/")[2], "", {prefix: ""}
        else:
            folder, slash = prefix.rstrip("/").rpartition("/")[2], "/" if prefix.endswith("/") else ""
            names = {key: key[len(prefix.rstrip("/")) :] for key in keys}
        contents = {folder + name: self.uploads[bucket, key] for key, name in names.items()}
        base = f"{self.pipeline}/assets/{hash_contents(contents)}/"
        self.assets |= {base + name: Asset(base + name, content) for name, content in contents.items()}
        return f"s3://{self.bucket}/{base}{folder}{slash}"


def clean_content(key: str, content: bytes, root: str) -> bytes:
    """Content without the time of the build and the folder of the checkout.

    Raises:
        BuildError: the path of the checkout is in a file that the pipeline's author wrote or made.
    """
    name = key.rpartition("/")[2]
    if name.endswith(SUFFIXES):
        content = normalize_archive(content)
        leaks = [member for member, data in member_contents(content).items() if root.encode() in data]
    elif name in SDK_GENERATED:
        plain = _map_strings(json.loads(content), lambda text: without_root(text, root))
        return json.dumps(plain, indent=2).encode()
    else:
        leaks = [name] if root.encode() in content else []
    if leaks:
        raise BuildError(
            f"the uploaded file {leaks[0]} contains the path of this checkout ({root}), which is nowhere else: "
            "make the path relative"
        )
    return content


def without_root(text: str, root: str) -> str:
    """``text`` with paths in the checkout made relative to it."""
    return "." if text == root else text.replace(root + "/", "")


def strip_root(definition: Any, root: str) -> Any:
    """The definition with paths in the checkout made relative to it (the SDK's ``@step`` describes itself by one)."""
    return _map_strings(definition, lambda text: without_root(text, root))


def _covers(prefix: str, key: str) -> bool:
    return key == prefix or key.startswith(prefix.rstrip("/") + "/")


def _references(definition: Any) -> set[Location]:
    """S3 locations in the strings of a definition, save those in fields that name outputs."""
    found: set[Location] = set()

    def visit(value: Any) -> None:
        if isinstance(value, dict):
            for key, item in value.items():
                if not OUTPUT_FIELD.search(key):
                    visit(item)
        elif isinstance(value, list):
            for item in value:
                visit(item)
        elif isinstance(value, str):
            found.update((match[1], match[2]) for match in S3_URI.finditer(value))

    visit(definition)
    return found


def _map_strings(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, dict):
        return {key: _map_strings(item, change) for key, item in value.items()}
    if isinstance(value, list):
        return [_map_strings(item, change) for item in value]
    return change(value) if isinstance(value, str) else value
