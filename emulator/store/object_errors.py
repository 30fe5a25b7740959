"""What can go wrong with buckets and objects, in S3's words (Amazon S3 API Reference, "Error responses")."""

from __future__ import annotations

import errno
import sqlite3

from emulator.aws.errors import AwsError

_OF_AWS = ("jumpstart-cache-", "sagemaker-example-files-", "sagemaker-sample-data-", "sagemaker-sample-files")
"""How the names of public buckets begin that AWS's sample programs and SDKs read."""
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def no_such_bucket(bucket: str) -> AwsError:
    message = "The specified bucket does not exist"
    if bucket.startswith(_OF_AWS):
        message += (
            f". {bucket} is a public bucket of AWS's, which the emulator does not reach: make a bucket of that name and"
            f" copy into it what the program reads (aws s3 mb s3://{bucket})"
        )
    return AwsError(message, code="NoSuchBucket", status=404, extra={"BucketName": bucket})


def no_such_key(key: str) -> AwsError:
    return AwsError("The specified key does not exist.", code="NoSuchKey", status=404, extra={"Key": key})


def no_such_version(key: str, version_id: str) -> AwsError:
    return AwsError(
        "The specified version does not exist.",
        code="NoSuchVersion",
        status=404,
        extra={"Key": key, "VersionId": version_id},
    )


def no_such_upload(upload_id: str) -> AwsError:
    return AwsError(
        "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or"
        " completed.",
        code="NoSuchUpload",
        status=404,
        extra={"UploadId": upload_id},
    )


def invalid_bucket_name(bucket: str) -> AwsError:
    return AwsError("The specified bucket is not valid.", code="InvalidBucketName", extra={"BucketName": bucket})


def bucket_not_empty(bucket: str) -> AwsError:
    return AwsError(
        "The bucket you tried to delete is not empty", code="BucketNotEmpty", status=409, extra={"BucketName": bucket}
    )


def key_too_long(size: int, limit: int) -> AwsError:
    return AwsError(
        "Your key is too long", code="KeyTooLongError", extra={"Size": str(size), "MaxSizeAllowed": str(limit)}
    )


def is_disk_full(error: BaseException) -> bool:
    """Whether a write failed because the disk, or the user's share of it, is full."""
    if isinstance(error, OSError):
        return error.errno in _FULL
    return isinstance(error, sqlite3.OperationalError) and error.sqlite_errorcode == sqlite3.SQLITE_FULL


def disk_full(folder: object) -> AwsError:
    """What a write answers on a full disk; 507 because clients repeat 500 and 503, which would not help."""
    return AwsError(
        f"The disk of the emulator's data folder {folder} is full; nothing was stored."
        " Free some space, or delete objects or the folder's old jobs, then send the request again.",
        code="InsufficientStorage",
        status=507,
    )
