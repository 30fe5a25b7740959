"""The model registry: groups, their versions, approval."""

from __future__ import annotations

import re
from typing import Any

from pipelines.aws_errors import is_missing
from pipelines.connection import Connection
from pipelines.errors import UsageError
from pipelines.policy import resource_arn
from pipelines.tables import Rows, moment

PACKAGE = re.compile(r"(?P<group>[a-zA-Z0-9-]{1,63})/(?P<version>\d+)")


def list_groups(connection: Connection) -> list[dict[str, Any]]:
    """Summaries of the account's groups, newest first."""
    pages = connection.sagemaker.get_paginator("list_model_package_groups").paginate(
        SortBy="CreationTime", SortOrder="Descending"
    )
    return [item for page in pages for item in page["ModelPackageGroupSummaryList"]]


def list_packages(connection: Connection, group: str) -> list[dict[str, Any]]:
    """Summaries of a group's versions, newest first."""
    pages = connection.sagemaker.get_paginator("list_model_packages").paginate(
        ModelPackageGroupName=group, SortBy="CreationTime", SortOrder="Descending"
    )
    return [item for page in pages for item in page["ModelPackageSummaryList"]]


def set_approval(connection: Connection, package: str, status: str, reason: str) -> tuple[str, str]:
    """Approve or reject a version; its ARN and the status it had.

    Raises:
        UsageError: there is none.
    """
    described = describe_package(connection, package)
    arn, before = str(described["ModelPackageArn"]), described["ModelApprovalStatus"]
    optional = {"ApprovalDescription": reason} if reason else {}
    connection.sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus=status, **optional)
    return arn, str(before)


def describe_package(connection: Connection, package: str) -> dict[str, Any]:
    """DescribeModelPackage of an ARN or ``GROUP/VERSION``.

    Raises:
        UsageError: there is none.
    """
    from botocore.exceptions import ClientError

    try:
        answer: dict[str, Any] = connection.sagemaker.describe_model_package(
            ModelPackageName=package_arn(connection, package)
        )
    except ClientError as error:
        if not is_missing(error):
            raise
        environment = connection.target.environment.name
        raise UsageError(
            f"There is no model package {package} in environment {environment}. Next: pipelines models"
        ) from error
    return answer


def package_arn(connection: Connection, text: str) -> str:
    """ARN of a model package, from itself or from ``GROUP/VERSION``."""
    if text.startswith("arn:"):
        return text
    environment = connection.target.environment
    if not PACKAGE.fullmatch(text):
        raise UsageError(f"{text!r} is neither the ARN of a model package nor GROUP/VERSION. Next: pipelines models")
    return resource_arn(environment, "sagemaker", f"model-package/{text}")


def group_rows(groups: list[dict[str, Any]]) -> Rows:
    """A table of groups."""
    rows: Rows = [("GROUP", "CREATED", "DESCRIPTION")]
    for item in groups:
        description = item.get("ModelPackageGroupDescription", "")
        rows.append((item["ModelPackageGroupName"], moment(item["CreationTime"]), description))
    return rows


def package_rows(packages: list[dict[str, Any]]) -> Rows:
    """A table of versions."""
    rows: Rows = [("VERSION", "APPROVAL", "STATUS", "CREATED", "DESCRIPTION")]
    for item in packages:
        approval, description = item.get("ModelApprovalStatus", ""), item.get("ModelPackageDescription", "")
        status = item.get("ModelPackageStatus", "")
        rows.append(
            (str(item.get("ModelPackageVersion", "")), approval, status, moment(item["CreationTime"]), description)
        )
    return rows
