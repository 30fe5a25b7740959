"""Commands on the model registry: models, approve, reject, promote."""

from __future__ import annotations

import click

from pipelines.errors import UsageError
from pipelines.group import command
from pipelines.workspace import Workspace


@command
@click.argument("group", required=False)
def models(workspace: Workspace, group: str | None) -> None:
    """List the model package groups, or the versions in GROUP, newest first."""
    from pipelines.registry import group_rows, list_groups, list_packages, package_rows
    from pipelines.tables import render

    found = list_packages(workspace.connection, group) if group else list_groups(workspace.connection)
    workspace.answer(found)
    if not found:
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


@command
@click.argument("package")
@click.option("--from", "origin", required=True, metavar="ENV", help="The environment that has PACKAGE.")
@click.option("--image", "images", multiple=True, metavar="URI=URI", help="An image of AWS's and what it is there.")
def promote(workspace: Workspace, package: str, origin: str, images: tuple[str, ...]) -> None:
    """Copy the approved PACKAGE (its ARN, or GROUP/VERSION) of another environment here, with all it refers to."""
    from pipelines.promotion import promote as copy

    replaced = dict(read_replacement(text) for text in images)
    source = workspace.connection_to(origin)
    done = copy(source, workspace.connection, package, replaced=replaced, report=workspace.write)
    workspace.write(f"{done.action} {done.arn}")
    if done.action == "promoted":
        workspace.write(f"It waits for approval. Next: pipelines approve {done.arn}{workspace.option}")
    workspace.answer(vars(done))


def read_replacement(text: str) -> tuple[str, str]:
    """Both sides of ``OLD=NEW``."""
    old, separator, new = text.partition("=")
    if not (old and separator and new):
        raise UsageError(f"--image {text}: write --image OLD=NEW, both of them URIs of images")
    return old, new


def _decide(workspace: Workspace, package: str, status: str, reason: str) -> None:
    from pipelines.registry import set_approval

    arn, before = set_approval(workspace.connection, package, status, reason)
    workspace.write(f"{arn}  {before} -> {status}")
    workspace.answer({"arn": arn, "before": before, "now": status})
