"""Commands from a build to a deployed pipeline and back: plan, history, diff, rollback, delete, cost, policy, new."""

from __future__ import annotations

import json
import sys

import click

from pipelines.errors import EXIT_CHANGE, UsageError
from pipelines.group import command, json_option
from pipelines.workspace import Workspace


@command
@click.argument("name")
@click.option("--format", "form", type=click.Choice(["text", "markdown", "json"]), default="text", show_default=True)
def plan(workspace: Workspace, name: str, form: str) -> None:
    """Show what an upsert of pipeline NAME would change; code 2 if it would, 0 if nothing."""
    from pipelines import plan as planning

    made = planning.make_plan(workspace.build(name), workspace.connection)
    match form:
        case "text":
            workspace.write("\n".join(planning.as_text(made)))
        case "markdown":
            workspace.write("\n".join(planning.as_markdown(made)))
        case _:
            workspace.write(planning.as_json(made))
    if made.is_change:
        sys.exit(EXIT_CHANGE)


@command
@click.argument("name")
@click.option("--limit", type=click.IntRange(1, 100), default=20, show_default=True, help="At most so many.")
@json_option
def history(workspace: Workspace, name: str, limit: int, as_json: bool) -> None:
    """List the versions of the deployed pipeline NAME, newest first, with their commits."""
    from pipelines.tables import render
    from pipelines.versions import list_versions, version_rows

    found = list_versions(workspace.connection, workspace.deployed(name), limit)
    if as_json:
        plain = [item | {"Record": vars(item["Record"])} for item in found]
        workspace.write(json.dumps(plain, default=str))
        return
    workspace.write("\n".join(render(version_rows(found))))


@command
@click.argument("name")
@click.argument("old", type=int)
@click.argument("new", type=int)
def diff(workspace: Workspace, name: str, old: int, new: int) -> None:
    """Show what changed from version OLD to version NEW of the deployed pipeline NAME."""
    from pipelines.difference import compare
    from pipelines.plan import difference_lines
    from pipelines.record import unstamped
    from pipelines.versions import version

    deployed = workspace.deployed(name)
    before, after = (unstamped(version(workspace.connection, deployed, number)) for number in (old, new))
    lines = difference_lines(compare(before, after))
    workspace.write("\n".join(lines or [f"Versions {old} and {new} of {deployed} are the same"]))


@command
@click.argument("name")
@click.argument("version", type=int)
def rollback(workspace: Workspace, name: str, version: int) -> None:
    """Deploy VERSION of the deployed pipeline NAME again; the next upsert deploys the checkout again."""
    from pipelines.versions import roll_back

    deployed = workspace.deployed(name)
    number = roll_back(workspace.connection, deployed, version)
    if number is None:
        workspace.write(f"unchanged: {deployed} is as in version {version}")
    else:
        workspace.write(f"rolled {deployed} back to version {version}, as version {number}")


@command
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
def delete(workspace: Workspace, name: str, yes: bool) -> None:
    """Delete the deployed pipeline NAME with its versions and executions; its assets and outputs stay in S3."""
    from pipelines.deployed import deployed_pipeline

    deployed = workspace.deployed(name)
    arn = deployed_pipeline(workspace.connection, deployed)["PipelineArn"]
    if not yes:
        click.confirm(f"Delete {arn}?", abort=True)
    workspace.connection.sagemaker.delete_pipeline(PipelineName=deployed)
    workspace.write(f"deleted {arn}")


@command
@click.argument("what", metavar="NAME|EXECUTION")
@json_option
def cost(workspace: Workspace, what: str, as_json: bool) -> None:
    """Estimate what pipeline NAME costs per hour of its jobs, or what EXECUTION has cost."""
    from pipelines import cost as costs

    if what in workspace.names():
        found = workspace.planned_costs(what)
    else:
        found = workspace.execution_costs(workspace.find(what))
    if not found:
        raise UsageError(f"{what} runs no jobs on instances of its own: nothing to estimate")
    workspace.write(costs.as_json(found) if as_json else "\n".join(costs.lines(found)))


@command
@click.argument("name")
@click.option("--role", type=click.Choice(["execution", "ci"]), default="execution", show_default=True)
def policy(workspace: Workspace, name: str, role: str) -> None:
    """Print the least-privilege IAM policy for pipeline NAME: of the role that executes it, or of CI's."""
    from pipelines import policy as policies

    built, environment = workspace.build(name), workspace.target.environment
    if role == "execution":
        statements = policies.execution_statements(built.definition, built.name, environment)
    else:
        statements = policies.ci_statements(built.name, built.deployed_name, environment)
    workspace.write(json.dumps(policies.document(statements), indent=2))


@command
@click.argument("name")
def new(workspace: Workspace, name: str) -> None:
    """Write a pipeline NAME with a step, its script, sample data and tests: it runs, and its tests pass."""
    from pipelines.scaffold import write_scaffold

    for path in write_scaffold(workspace.root, name):
        workspace.write(f"wrote {path}")
    workspace.write(f"Next: pipelines run {name}")
