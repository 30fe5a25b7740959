"""Commands from a build to a deployed pipeline and back: plan, history, diff, rollback, delete, cost, policy, new."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict

import click

from pipelines.errors import EXIT_CHANGE, EXIT_FAILED, PipelinesError, UsageError
from pipelines.group import command, name_argument, names_argument, print_json
from pipelines.workspace import Workspace


@contextmanager
def _errors_apart() -> Iterator[None]:
    """Give errors another code than a change has: a script has to tell them apart."""
    try:
        yield
    except PipelinesError as error:
        if error.exit_code == EXIT_CHANGE:
            error.exit_code = EXIT_FAILED
        raise


@command
@names_argument
@click.option("--format", "form", type=click.Choice(["text", "markdown", "json"]), default="text", show_default=True)
def plan(workspace: Workspace, names: tuple[str, ...], every: bool, form: str) -> None:
    """Show what an upsert of pipelines would change; code 2 if it would, 0 if nothing, 1 on errors."""
    from pipelines import plan as planning

    with _errors_apart():
        builds = workspace.build_all(workspace.chosen(names, every))
        made = [planning.make_plan(built, workspace.connection) for built in builds]
    match "json" if workspace.for_programs else form:
        case "text":
            workspace.write("\n".join(line for each in made for line in planning.as_text(each)))
        case "markdown":
            workspace.write("\n".join(line for each in made for line in planning.as_markdown(each)))
        case _:
            print_json([planning.as_document(each) for each in made])
    if any(each.is_change for each in made):
        sys.exit(EXIT_CHANGE)


@command
@name_argument
@click.option("--limit", type=click.IntRange(1, 100), default=20, show_default=True, help="At most so many.")
def history(workspace: Workspace, name: str, limit: int) -> None:
    """List the versions of the deployed pipeline NAME, newest first, with their commits."""
    from pipelines.tables import render
    from pipelines.versions import list_versions, version_rows

    found = list_versions(workspace.connection, workspace.deployed(name), limit)
    workspace.answer([item | {"Record": vars(item["Record"])} for item in found])
    workspace.write("\n".join(render(version_rows(found))))


@command
@name_argument
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
    changes = compare(before, after)
    workspace.answer([asdict(change) for change in changes])
    lines = difference_lines(changes)
    workspace.write("\n".join(lines or [f"Versions {old} and {new} of {deployed} are the same"]))


@command
@name_argument
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
    workspace.answer({"pipeline": deployed, "content_of": version, "version": number})


@command
@names_argument
@click.option("--yes", is_flag=True, help="Do not ask.")
def delete(workspace: Workspace, names: tuple[str, ...], every: bool, yes: bool) -> None:
    """Delete deployed pipelines with their versions and executions; their assets and outputs stay in S3."""
    from pipelines.deployed import delete_pipeline, deployed_pipeline, describe

    deployed = [workspace.deployed(name) for name in workspace.chosen(names, every)]
    if every:  # those that were never deployed here are gone as well
        found = [answer for name in deployed if (answer := describe(workspace.connection, name))]
    else:
        found = [deployed_pipeline(workspace.connection, name) for name in deployed]
    for answer in found:
        if not yes:
            click.confirm(f"Delete {answer['PipelineArn']}?", abort=True, err=True)
        delete_pipeline(workspace.connection, answer["PipelineName"])
        workspace.write(f"deleted {answer['PipelineArn']}")
    workspace.answer([{"arn": answer["PipelineArn"]} for answer in found])


@command
@click.argument("what", metavar="NAME|EXECUTION")
@click.option("--like", metavar="EXECUTION", help="Of NAME: jobs take as long as those of this execution.")
def cost(workspace: Workspace, what: str, like: str | None) -> None:
    """Estimate what pipeline NAME costs (per hour, or --like an execution), or what EXECUTION has cost."""
    from pipelines import cost as costs

    if what in workspace.names():
        found = workspace.planned_costs(what)
        if like:
            found = costs.expected_costs(found, workspace.execution_costs(workspace.find(like)))
    else:
        found = workspace.execution_costs(workspace.find(what))
    if not found:
        raise UsageError(f"{what} runs no jobs on instances of its own: nothing to estimate")
    workspace.write("\n".join(costs.lines(found)))
    workspace.answer(costs.as_document(found))


@command
@name_argument
@click.option("--role", type=click.Choice(["execution", "ci"]), default="execution", show_default=True)
@click.option("--branches", is_flag=True, help="CI may also deploy and delete copies for branches (NAME-*).")
def policy(workspace: Workspace, name: str, role: str, branches: bool) -> None:
    """Print the least-privilege IAM policy for pipeline NAME: of the role that executes it, or of CI's."""
    from pipelines import policy as policies
    from pipelines.ci_policy import ci_statements

    built, environment = workspace.build(name), workspace.target.environment
    if role == "execution":
        statements = policies.execution_statements(built.definition, environment)
        for step, kind in policies.unknown_steps(built.definition).items():
            workspace.complain(f"Step {step} is of type {kind}: what it needs is not known here, add it")
    else:
        statements = ci_statements(built.definition, built.name, built.deployed_name, environment, branches=branches)
    print_json(policies.document(statements))


@command
@click.argument("name")
def new(workspace: Workspace, name: str) -> None:
    """Write a pipeline NAME with a step, its script, sample data and tests: it runs, and its tests pass."""
    from pipelines.scaffold import write_scaffold

    paths = write_scaffold(workspace.root, name)
    for path in paths:
        workspace.write(f"wrote {path}")
    workspace.answer({"pipeline": name, "wrote": paths})
    workspace.write(f"Next: pipelines run {name}")
