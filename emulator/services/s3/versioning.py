"""Versioning of buckets: put and get its status."""

from __future__ import annotations

from emulator.aws.errors import NotImplementedHere
from emulator.aws.operations import Request, Response, operation
from emulator.services.context import Context
from emulator.services.s3.errors import malformed_xml


@operation("s3", "PutBucketVersioning", blocking=True)
def put_bucket_versioning(request: Request, context: Context) -> Response:
    configuration = request["VersioningConfiguration"]
    if configuration.get("MFADelete") == "Enabled":
        raise NotImplementedHere("The emulator does not have MFA delete in Amazon S3 yet.")
    status = configuration.get("Status")
    if status not in ("Enabled", "Suspended"):
        raise malformed_xml()
    context.app.objects.bucket_table.set_versioning(request["Bucket"], status)
    return {}


@operation("s3", "GetBucketVersioning")
def get_bucket_versioning(request: Request, context: Context) -> Response:
    bucket = context.app.objects.bucket_table.require(request["Bucket"])
    return {"Status": bucket.versioning or None}
