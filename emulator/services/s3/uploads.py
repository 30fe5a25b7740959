"""Listing multipart uploads under way: ListParts, ListMultipartUploads."""

from __future__ import annotations

from emulator.aws.operations import Request, Response, operation
from emulator.services.context import Context
from emulator.services.s3.buckets import owner_of
from emulator.services.s3.checks import member_name
from emulator.services.s3.listing import Encode, encoder, page_size
from emulator.store.multipart import Upload


@operation("s3", "ListParts")
def list_parts(request: Request, context: Context) -> Response:
    uploads = context.app.objects.uploads
    upload = uploads.require(request["Bucket"], request["Key"], request["UploadId"])
    marker, limit = request.get("PartNumberMarker", 0), page_size(request, "MaxParts", "max-parts")
    rest = uploads.parts(upload.id, marker, limit + 1)
    page = rest[:limit]
    name = member_name(upload.algorithm) if upload.algorithm else ""
    owner = owner_of(upload.account)
    return {
        "Bucket": upload.bucket,
        "Key": upload.key,
        "UploadId": upload.id,
        "PartNumberMarker": marker,
        "NextPartNumberMarker": page[-1].number if page else 0,
        "MaxParts": limit,
        "IsTruncated": len(rest) > limit,
        "Initiator": owner,
        "Owner": owner,
        "StorageClass": upload.attributes.system.get("StorageClass", "STANDARD"),
        "ChecksumAlgorithm": upload.algorithm or None,
        "ChecksumType": upload.checksum_kind if upload.algorithm else None,
        "Parts": [
            {
                "PartNumber": part.number,
                "LastModified": part.modified,
                "ETag": f'"{part.etag}"',
                "Size": part.size,
                **({name: part.checksum} if name and part.checksum else {}),
            }
            for part in page
        ],
    }


@operation("s3", "ListMultipartUploads", blocking=True)
def list_multipart_uploads(request: Request, context: Context) -> Response:
    encode = encoder(request)
    limit = page_size(request, "MaxUploads", "max-uploads")
    items = _items(request, context)
    page, truncated = items[:limit], len(items) > limit
    last = page[-1] if truncated and page else None
    return {
        "Bucket": request["Bucket"],
        "KeyMarker": encode(request.get("KeyMarker", "")),
        "UploadIdMarker": request.get("UploadIdMarker", ""),
        "NextKeyMarker": encode(last.key if isinstance(last, Upload) else last) if last else None,
        "NextUploadIdMarker": last.id if isinstance(last, Upload) else None,
        "Prefix": encode(request.get("Prefix", "")),
        "Delimiter": encode(request["Delimiter"]) if request.get("Delimiter") else None,
        "EncodingType": request.get("EncodingType") or None,
        "MaxUploads": limit,
        "IsTruncated": truncated,
        "Uploads": [_entry(item, encode) for item in page if isinstance(item, Upload)],
        "CommonPrefixes": [{"Prefix": encode(item)} for item in page if isinstance(item, str)],
    }


def _items(request: Request, context: Context) -> list[Upload | str]:
    """Uploads after the marker, and common prefixes, in key order. Uploads are few: there is no index to jump in."""
    prefix, delimiter = request.get("Prefix", ""), request.get("Delimiter", "")
    key_marker, id_marker = request.get("KeyMarker", ""), request.get("UploadIdMarker", "")
    uploads = context.app.objects.uploads.of_bucket(request["Bucket"], prefix)
    marked = next((upload for upload in uploads if upload.id == id_marker), None)
    items: list[Upload | str] = []
    for upload in uploads:
        end = upload.key.find(delimiter, len(prefix)) if delimiter else -1
        common = upload.key[: end + len(delimiter)] if end >= 0 else None
        if common is not None:
            if common > key_marker and (not items or items[-1] != common):
                items.append(common)
        elif upload.key > key_marker or _follows(upload, marked):
            items.append(upload)
    return items


def _follows(upload: Upload, marked: Upload | None) -> bool:
    if marked is None or upload.key != marked.key:
        return False
    return (upload.initiated, upload.id) > (marked.initiated, marked.id)


def _entry(upload: Upload, encode: Encode) -> Response:
    owner = owner_of(upload.account)
    return {
        "UploadId": upload.id,
        "Key": encode(upload.key),
        "Initiated": upload.initiated,
        "StorageClass": upload.attributes.system.get("StorageClass", "STANDARD"),
        "Owner": owner,
        "Initiator": owner,
        "ChecksumAlgorithm": upload.algorithm or None,
        "ChecksumType": upload.checksum_kind if upload.algorithm else None,
    }
