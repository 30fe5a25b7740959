"""The model registry: groups, versions side by side with their metrics, and their approval."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from starlette.responses import RedirectResponse, Response

from studio.addresses import link
from studio.charts import chart, number
from studio.commands import cli
from studio.compare import Row
from studio.lineage import package_lineage
from studio.pages.page import Aws, Page, Problem, View, Write
from studio.registry import APPROVALS, Package, load_package, package_arn

PAGE = 20
METRIC_COLUMNS = 5


def groups(view: View) -> Page:
    items, after = view.listed(
        "list_model_package_groups",
        "ModelPackageGroupSummaryList",
        NameContains=view.get("q") or None,
        SortBy="CreationTime",
        SortOrder="Descending",
        MaxResults=100,
    )
    context = {"items": items, "next": after}
    return Page("models.html", "Models", context)


def group(view: View) -> Page:
    name = view.parts["group"]
    document = view.aws.sagemaker("describe_model_package_group", ModelPackageGroupName=name)
    page = view.aws.sagemaker(
        "list_model_packages",
        ModelPackageGroupName=name,
        ModelApprovalStatus=view.get("approval") or None,
        NextToken=view.get("after") or None,
        SortBy="CreationTime",
        SortOrder="Descending",
        MaxResults=PAGE,
    )
    packages = _load(view.aws, [item["ModelPackageArn"] for item in page["ModelPackageSummaryList"]])
    chosen = [package for package in packages if str(package.version) in view.query.getlist("v")]
    names = dict.fromkeys(name for package in packages if package.report for name in package.report.figures)
    context = {
        "name": name,
        "document": document,
        "packages": packages,
        "next": page.get("NextToken"),
        "columns": list(names)[:METRIC_COLUMNS],
        "chosen": chosen,
        "rows": _rows(chosen),
        "roc": _roc(chosen),
        "approvals": APPROVALS,
    }
    return Page("group.html", name, context)


def _load(aws: Aws, arns: list[str]) -> list[Package]:
    """The versions that may be read."""
    with ThreadPoolExecutor(max_workers=8) as pool:
        found = pool.map(lambda arn: aws.optional(partial(load_package, aws, arn), None), arns)
        return [package for package in found if package]


def _rows(packages: list[Package]) -> list[Row]:
    names = dict.fromkeys(name for package in packages if package.report for name in package.report.figures)
    return [Row(name, tuple(_figure(package, name) for package in packages)) for name in names]


def _figure(package: Package, name: str) -> str | None:
    value = package.report.figures.get(name) if package.report else None
    return None if value is None else number(value)


def _roc(packages: list[Package]) -> Any:
    curves = [(f"Version {p.version}", p.report.roc) for p in packages if p.report and p.report.roc]
    return chart(curves, 300, 300, (0.0, 1.0), (0.0, 1.0)) if curves else None


def package(view: View) -> Page:
    found = load_package(view.aws, package_arn(view.aws, view.parts["group"], _version(view.parts["version"])))
    commands = {
        approval: cli("sagemaker", "UpdateModelPackage", ModelPackageArn=found.arn, ModelApprovalStatus=approval)
        for approval in APPROVALS
    }
    context = {
        "package": found,
        "roc": _roc([found]),
        "lineage": package_lineage(view.aws, found.arn, found.document),
        "approvals": APPROVALS,
        "commands": commands,
        "delete": cli("sagemaker", "DeleteModelPackage", ModelPackageName=found.arn),
    }
    return Page("package.html", f"{found.group} version {found.version}", context)


def approve(write: Write) -> Response:
    """Set the approval and the reason for it."""
    version = _version(write.parts["version"])
    status = write.form.get("status", "")
    if status not in APPROVALS:
        raise Problem("UpdateModelPackage", "ValidationException", f"The approval is one of {', '.join(APPROVALS)}.")
    write.aws.sagemaker(
        "update_model_package",
        ModelPackageArn=package_arn(write.aws, write.parts["group"], version),
        ModelApprovalStatus=status,
        ApprovalDescription=write.form.get("description", "").strip() or None,
    )
    return RedirectResponse(link("models", write.parts["group"], str(version)), 303)


def delete(write: Write) -> Response:
    arn = package_arn(write.aws, write.parts["group"], _version(write.parts["version"]))
    write.aws.sagemaker("delete_model_package", ModelPackageName=arn)
    return RedirectResponse(link("models", write.parts["group"]), 303)


def _version(text: str) -> int:
    if not text.isdecimal():
        raise Problem("DescribeModelPackage", "ResourceNotFound", f"A version is a number, not {text!r}.")
    return int(text)
