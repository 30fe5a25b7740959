"""Every module that registers S3 operations; importing this one registers them all."""

from emulator.services.s3 import (
    acls,
    attributes,
    bucket_settings,
    buckets,
    completion,
    copying,
    deletion,
    listing,
    multipart,
    notifications,
    objects,
    tagging,
    unmodelled,
    uploads,
    versioning,
)

__all__ = [
    "acls",
    "attributes",
    "bucket_settings",
    "buckets",
    "completion",
    "copying",
    "deletion",
    "listing",
    "multipart",
    "notifications",
    "objects",
    "tagging",
    "unmodelled",
    "uploads",
    "versioning",
]
