"""The model registry: versions of a group with their approval and what their evaluation reports say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from studio.addresses import split_uri
from studio.aws import Aws
from studio.reports import Report, read_report

APPROVALS = ("Approved", "PendingManualApproval", "Rejected")


@dataclass(frozen=True, slots=True)
class Package:
    """A model package, with its evaluation report where it has one that can be read."""

    group: str
    version: int
    arn: str
    document: Mapping[str, Any]
    report: Report | None

    @property
    def approval(self) -> str:
        return str(self.document.get("ModelApprovalStatus", ""))

    @property
    def status(self) -> str:
        return str(self.document.get("ModelPackageStatus", ""))

    @property
    def created(self) -> datetime | None:
        return self.document.get("CreationTime")

    @property
    def description(self) -> str:
        return str(self.document.get("ModelPackageDescription") or "")

    @property
    def containers(self) -> list[Mapping[str, Any]]:
        return list((self.document.get("InferenceSpecification") or {}).get("Containers") or [])

    @property
    def metric_uris(self) -> list[tuple[str, str]]:
        """The reports that the package names: (``ModelQuality Statistics``, S3 URI)."""
        return _metric_uris(self.document)


def package_arn(aws: Aws, group: str, version: int) -> str:
    answer = aws.sagemaker("describe_model_package_group", ModelPackageGroupName=group)
    return f"{answer['ModelPackageGroupArn'].replace(':model-package-group/', ':model-package/')}/{version}"


def load_package(aws: Aws, arn: str) -> Package:
    """Read a model package and its report.

    Raises:
        Problem: AWS refused, or there is no such package.
    """
    document = aws.sagemaker("describe_model_package", ModelPackageName=arn)
    document.pop("ResponseMetadata", None)
    group, version = document.get("ModelPackageGroupName", ""), document.get("ModelPackageVersion", 0)
    return Package(group, version, arn, document, _report(aws, document))


def _metric_uris(document: Mapping[str, Any]) -> list[tuple[str, str]]:
    found = []
    for kind, files in (document.get("ModelMetrics") or {}).items():
        for name, file in (files or {}).items():
            if isinstance(file, Mapping) and file.get("S3Uri"):
                found.append((f"{kind} {name}", file["S3Uri"]))
    return found


def _report(aws: Aws, document: Mapping[str, Any]) -> Report | None:
    for name, uri in _metric_uris(document):
        if name.startswith("ModelQuality") and uri.startswith("s3://"):
            place = split_uri(uri)
            if report := aws.optional(partial(read_report, aws, *place), None):
                return report
    return None
