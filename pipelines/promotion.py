"""Promoting a model package: the same model, from the registry of one environment into that of another.

Everything that the package refers to in S3 is copied into the other environment's bucket, its image into the other
account's ECR, and the copy says in its metadata where it comes from. What decides there is that environment's own
approval, so the copy waits for it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pipelines.aws_errors import error_code, is_missing
from pipelines.connection import Connection
from pipelines.errors import UsageError
from pipelines.image_copy import copy_image
from pipelines.images import ECR_IMAGE
from pipelines.object_copy import copy_objects
from pipelines.registry import describe_package, list_packages

CARRIED = (
    *("ModelPackageDescription", "InferenceSpecification", "AdditionalInferenceSpecifications", "ModelMetrics"),
    *("DriftCheckBaselines", "Domain", "Task", "SamplePayloadUrl", "SkipModelValidation", "ModelCard"),
    *("MetadataProperties", "CustomerMetadataProperties"),
)
"""Members of DescribeModelPackage that CreateModelPackage takes, too."""
DROPPED = ("ModelDataETag",)
"""What a copy of the data has anew."""
SOURCE, COMMIT, APPROVED_BY = "pipelines:source", "pipelines:source-commit", "pipelines:source-approval"

Report = Callable[[str], None]


@dataclass(frozen=True)
class Promotion:
    """What a promotion did; ``action`` is ``promoted`` or ``unchanged``."""

    action: str
    source: str
    arn: str


def promote(
    source: Connection, target: Connection, package: str, *, replaced: Mapping[str, str], report: Report
) -> Promotion:
    """Copy an approved package to another environment; a package that has been copied before stays as it is.

    ``replaced`` gives images of others (AWS's own) that have another URI there.

    Raises:
        UsageError: it is not there, not approved, or an image of another region has no replacement.
    """
    described = describe_package(source, package)
    arn = str(described["ModelPackageArn"])
    if described.get("ModelApprovalStatus") != "Approved":
        option = f" --env {source.target.environment.name}"
        status = described.get("ModelApprovalStatus", "not a version of a group")
        raise UsageError(
            f"{arn} is {status}, and only what is approved is promoted. Next: pipelines approve {arn}{option}"
        )
    group = str(described["ModelPackageGroupName"])
    _ensure_group(target, group)
    if earlier := _copy_of(target, group, arn):
        return Promotion("unchanged", arn, earlier)
    carried = {member: described[member] for member in CARRIED if described.get(member)}
    moved = _Mover(source, target, arn, replaced, report).move(carried)
    moved["CustomerMetadataProperties"] = _provenance(described, moved)
    answer = target.sagemaker.create_model_package(
        ModelPackageGroupName=group,
        ModelApprovalStatus="PendingManualApproval",
        ClientToken=hashlib.sha256(arn.encode()).hexdigest()[:36],
        **moved,
    )
    return Promotion("promoted", arn, str(answer["ModelPackageArn"]))


class _Mover:
    """Copies what a document refers to, once each, and gives the document that refers to the copies."""

    def __init__(
        self, source: Connection, target: Connection, arn: str, replaced: Mapping[str, str], report: Report
    ) -> None:
        self._source = source
        self._target = target
        self._base = "promoted/" + "/".join(arn.split(":")[3:5]) + "/" + arn.rpartition("model-package/")[2]
        self._moved: dict[str, str] = dict(replaced)
        self._report = report

    def move(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self.move(item) for key, item in value.items() if key not in DROPPED}
        if isinstance(value, list):
            return [self.move(item) for item in value]
        return self._text(value) if isinstance(value, str) else value

    def _text(self, text: str) -> str:
        if text not in self._moved:
            if text.startswith("s3://"):
                self._moved[text] = self._objects(text)
            elif image := ECR_IMAGE.fullmatch(text):
                self._moved[text] = self._image(image)
        return self._moved.get(text, text)

    def _objects(self, uri: str) -> str:
        bucket = self._target.target.environment.bucket
        folder = f"{self._base}/{hashlib.sha256(uri.encode()).hexdigest()[:8]}"
        copied, size, place = copy_objects(self._source, self._target, uri, bucket, folder)
        self._report(f"{'copied' if copied else 'unchanged'} {uri}  {size:,} bytes")
        return place

    def _image(self, image: re.Match[str]) -> str:
        here, there = self._source.target.environment, self._target.target.environment
        if image["account"] != here.account:
            if image["region"] == there.region:
                return image[0]  # one of AWS's own, or shared by a third account
            message = f"{image[0]} is of another account, and in {image['region']} instead of {there.region}"
            raise UsageError(f"{message}. Say what it is there: --image {image[0]}=URI")
        reference = image["tag"] or image["digest"] or "latest"
        digest = copy_image(self._source, self._target, image["name"], reference)
        self._report(f"{'copied' if digest else 'unchanged'} image {image['name']}:{reference}")
        separator = "@" if image["digest"] else ":"
        return f"{there.registry}/{image['name']}{separator}{reference}"


def _provenance(described: Mapping[str, Any], moved: Mapping[str, Any]) -> dict[str, str]:
    """The package's own metadata, and where it comes from."""
    commit = (described.get("MetadataProperties") or {}).get("CommitId", "")
    found = {
        SOURCE: str(described["ModelPackageArn"]),
        COMMIT: commit,
        APPROVED_BY: str(described.get("ApprovalDescription") or ""),
    }
    own: dict[str, str] = moved.get("CustomerMetadataProperties") or {}
    return own | {key: text[:256] for key, text in found.items() if text}


def _ensure_group(connection: Connection, group: str) -> None:
    from botocore.exceptions import ClientError

    environment = connection.target.environment
    tags = [{"Key": key, "Value": value} for key, value in environment.tags.items()]
    try:
        connection.sagemaker.describe_model_package_group(ModelPackageGroupName=group)
    except ClientError as error:
        if not is_missing(error):
            raise
        try:
            optional = {"Tags": tags} if tags else {}
            connection.sagemaker.create_model_package_group(ModelPackageGroupName=group, **optional)
        except ClientError as taken:
            if error_code(taken) not in ("ConflictException", "ValidationException", "ResourceInUse"):
                raise
            connection.sagemaker.describe_model_package_group(ModelPackageGroupName=group)  # made in between


def _copy_of(connection: Connection, group: str, arn: str) -> str | None:
    """The package of a group that says it comes from another."""
    for summary in list_packages(connection, group):
        found = describe_package(connection, summary["ModelPackageArn"])
        if (found.get("CustomerMetadataProperties") or {}).get(SOURCE) == arn:
            return str(found["ModelPackageArn"])
    return None
