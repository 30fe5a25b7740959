"""Commands on the model registry: models, approve, reject."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import click

from pipelines.group import command, json_option
from pipelines.workspace import Workspace


@command
@click.argument("group", required=False)
@json_option
def models(workspace: Workspace, group: str | None, as_json: bool) -> None:
    """List the model package groups, or the versions in GROUP, newest first."""
    from pipelines.registry import group_rows, list_groups, list_packages, package_rows
    from pipelines.tables import render

    found = list_packages(workspace.connection, group) if group else list_groups(workspace.connection)
    if as_json:
        workspace.write(json.dumps(found, default=_plain))
    elif not found:
        workspace.write(f"Group {group} has no version yet" if group else "There is no model package group yet")
    else:
        workspace.write("\n".join(render(package_rows(found) if group else group_rows(found))))


@command
@click.argument("package")
@click.option("--reason", default="", help="Kept with the model package.")
def approve(workspace: Workspace, package: str, reason: str) -> None:
    """Approve PACKAGE: its ARN, or GROUP/VERSION."""
    _decide(workspace, package, "Approved", reason)


@command
@click.argument("package")
@click.option("--reason", default="", help="Kept with the model package.")
def reject(workspace: Workspace, package: str, reason: str) -> None:
    """Reject PACKAGE: its ARN, or GROUP/VERSION."""
    _decide(workspace, package, "Rejected", reason)


def _decide(workspace: Workspace, package: str, status: str, reason: str) -> None:
    from pipelines.registry import set_approval

    arn, before = set_approval(workspace.connection, package, status, reason)
    workspace.write(f"{arn}  {before} -> {status}")


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
