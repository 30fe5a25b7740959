"""Tags of objects and buckets: put, get, delete."""

from __future__ import annotations

from emulator.aws.errors import AwsError
from emulator.aws.operations import Request, Response, operation
from emulator.services.context import Context
from emulator.services.s3.headers import version_shown
from emulator.services.s3.lookup import find_object
from emulator.services.s3.tags import MAX_BUCKET_TAGS, MAX_OBJECT_TAGS, parse_set, tag_set
from emulator.store.object_events import Cause


@operation("s3", "PutObjectTagging", blocking=True)
def put_object_tagging(request: Request, context: Context) -> Response:
    stored = find_object(request, context)
    tags = parse_set(request["Tagging"]["TagSet"], MAX_OBJECT_TAGS, "Object tags")
    context.app.objects.index.set_tags(stored, tags, Cause("Put", context.request_id, context.address))
    return {"VersionId": version_shown(stored, context)}


@operation("s3", "GetObjectTagging")
def get_object_tagging(request: Request, context: Context) -> Response:
    stored = find_object(request, context)
    return {"TagSet": tag_set(stored.tags), "VersionId": version_shown(stored, context)}


@operation("s3", "DeleteObjectTagging", blocking=True)
def delete_object_tagging(request: Request, context: Context) -> Response:
    stored = find_object(request, context)
    context.app.objects.index.set_tags(stored, {}, Cause("Delete", context.request_id, context.address))
    return {"VersionId": version_shown(stored, context)}


@operation("s3", "PutBucketTagging", blocking=True)
def put_bucket_tagging(request: Request, context: Context) -> Response:
    tags = parse_set(request["Tagging"]["TagSet"], MAX_BUCKET_TAGS, "Bucket tag count")
    context.app.objects.bucket_table.set_tags(request["Bucket"], tags)
    return {"ResponseMetadata": {"HTTPStatusCode": 204}}


@operation("s3", "GetBucketTagging")
def get_bucket_tagging(request: Request, context: Context) -> Response:
    bucket = context.app.objects.bucket_table.require(request["Bucket"])
    if not bucket.tags:
        raise AwsError("The TagSet does not exist", code="NoSuchTagSet", status=404, extra={"BucketName": bucket.name})
    return {"TagSet": tag_set(bucket.tags)}


@operation("s3", "DeleteBucketTagging", blocking=True)
def delete_bucket_tagging(request: Request, context: Context) -> Response:
    context.app.objects.bucket_table.set_tags(request["Bucket"], {})
    return {}
