"""The command ``pipelines``: build, upsert, start and follow SageMaker pipelines on the emulator or on AWS.

Nothing heavy is imported at the top: ``--help`` and the commands that only read answer at once.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from pipelines import deployment_commands, model_commands  # noqa: F401  (they register their commands)
from pipelines.errors import EXIT_INTERRUPTED, EXIT_USAGE
from pipelines.group import command, json_option, main, parameter_option
from pipelines.workspace import Workspace


@command
@json_option
def list_(workspace: Workspace, as_json: bool) -> None:
    """List the pipelines of this checkout."""
    from pipelines.catalog import list_pipelines

    sources = list_pipelines(workspace.root)
    if as_json:
        workspace.write(json.dumps([{"name": source.name, "summary": source.summary} for source in sources]))
        return
    if not sources:
        workspace.write(f"No pipelines in {workspace.root / 'pipelines'}: a pipeline is a folder with a pipeline.py")
    width = max((len(source.name) for source in sources), default=0)
    for source in sources:
        workspace.write(f"{source.name:<{width}}  {source.summary}".rstrip())


@command
@click.argument("name")
@click.option("--output", type=click.Path(file_okay=False, path_type=Path), help="Folder for builds.  [default: build]")
def build(workspace: Workspace, name: str, output: Path | None) -> None:
    """Build the definition of pipeline NAME and its assets, offline."""
    built = workspace.build(name, output.resolve() if output else None)
    state = "unchanged" if built.cached else "built"
    workspace.write(f"{state} {built.folder}  {len(built.manifest['assets'])} assets")


@command
@click.argument("name")
@click.option("--deployed", is_flag=True, help="Show what is deployed rather than what is built.")
def show(workspace: Workspace, name: str, deployed: bool) -> None:
    """Draw the graph of pipeline NAME: its steps, branches and parameters."""
    from pipelines.graph import draw

    if deployed:
        from pipelines.deployed import deployed_pipeline

        definition = json.loads(deployed_pipeline(workspace.connection, workspace.deployed(name))["PipelineDefinition"])
    else:
        definition = workspace.build(name).definition
    for line in draw(name, definition):
        workspace.write(line)


@command
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--format", "form", type=click.Choice(["text", "json", "sarif"]), default="text", show_default=True)
@click.option("--strict", is_flag=True, help="Warnings fail, too.")
@click.option("--list", "listing", is_flag=True, help="List the checks and end.")
def validate(workspace: Workspace, names: tuple[str, ...], form: str, strict: bool, listing: bool) -> None:
    """Check pipelines (all, or NAME...) without AWS: what would fail there is said here, with its line."""
    from pipelines import validate as validation

    if listing:
        workspace.write("\n".join(validation.list_checks()))
        return
    chosen = list(names) or list(workspace.names())
    findings = [item for name in chosen for item in workspace.validate(name)]
    match form:
        case "text":
            for line in [*validation.as_text(findings), validation.summary(findings, chosen)]:
                workspace.write(line)
        case "json":
            workspace.write(validation.as_json(findings))
        case _:
            workspace.write(validation.as_sarif(findings))
    if any(strict or item.level == "error" for item in findings):
        sys.exit(EXIT_USAGE)


@command
@click.argument("name")
def seed(workspace: Workspace, name: str) -> None:
    """Upload the sample data of pipeline NAME to where its parameter InputDataUri points."""
    workspace.seed(workspace.build(name), again=True)


@command
@click.argument("name")
def upsert(workspace: Workspace, name: str) -> None:
    """Build pipeline NAME, upload what is missing, and create or update it; starts nothing."""
    workspace.upsert(workspace.build(name))


@command
@click.argument("name")
@parameter_option
@click.option("--wait", is_flag=True, help="Follow the execution to its end.")
def start(workspace: Workspace, name: str, parameters: tuple[str, ...], wait: bool) -> None:
    """Start the deployed pipeline NAME."""
    arn = workspace.start(name, parameters)
    if wait:
        sys.exit(_follow(workspace, arn))


@command
@click.argument("name")
@parameter_option
@click.option("--keep", is_flag=True, help="Leave an emulator running that this command started.")
def run(workspace: Workspace, name: str, parameters: tuple[str, ...], keep: bool) -> None:
    """Seed, build, upsert, start and follow pipeline NAME; starts an emulator for it if none is running."""
    from pipelines.run import run_pipeline

    sys.exit(run_pipeline(workspace, name, parameters, keep=keep, follow=_follow))


@command
@click.argument("execution")
def follow(workspace: Workspace, execution: str) -> None:
    """Follow EXECUTION to its end."""
    sys.exit(_follow(workspace, workspace.find(execution)))


@command
@click.argument("name")
@click.option("--limit", type=click.IntRange(1, 100), default=20, show_default=True, help="At most so many.")
@json_option
def executions(workspace: Workspace, name: str, limit: int, as_json: bool) -> None:
    """List the latest executions of pipeline NAME, newest first."""
    from pipelines.execution import list_executions
    from pipelines.tables import execution_rows, render

    found = list_executions(workspace.connection, workspace.deployed(name), limit)
    if as_json:
        workspace.write(json.dumps(found, default=str))
        return
    for line in render(execution_rows(found)) if found else [f"Pipeline {name} has no execution yet"]:
        workspace.write(line)


@command
@click.argument("execution")
@json_option
def steps(workspace: Workspace, execution: str, as_json: bool) -> None:
    """List the steps of EXECUTION."""
    from pipelines.execution import list_steps
    from pipelines.tables import render, step_rows

    found = list_steps(workspace.connection, workspace.find(execution))
    if as_json:
        workspace.write(json.dumps(found, default=str))
        return
    for line in render(step_rows(found)) if found else ["No step has begun yet"]:
        workspace.write(line)


@command
@click.argument("execution")
@click.argument("step", required=False)
@click.option("--tail", type=click.IntRange(1, 10000), help="Only the last so many lines of each step.")
def logs(workspace: Workspace, execution: str, step: str | None, tail: int | None) -> None:
    """Print the logs of EXECUTION: of one STEP, or of all, a failed step's first."""
    from pipelines.tables import log_lines

    for line in log_lines(workspace.connection, workspace.find(execution), step, tail):
        workspace.write(line)


@command
@click.argument("execution")
@click.argument("step")
def why(workspace: Workspace, execution: str, step: str) -> None:
    """Say why STEP of EXECUTION ran, or from where its cached result is."""
    from pipelines.why import explain

    for line in explain(workspace.connection, workspace.find(execution), step):
        workspace.write(line)


@command
@click.argument("execution")
def stop(workspace: Workspace, execution: str) -> None:
    """Stop EXECUTION; its running jobs are told to end."""
    from pipelines.execution import stop_execution

    arn = workspace.find(execution)
    stop_execution(workspace.connection, arn)
    workspace.write(f"stopping {arn}")


def _follow(workspace: Workspace, arn: str, resume: str = "") -> int:
    """Follow an execution; Ctrl-C ends the following only and says how to go on (after the command ``resume``)."""
    from pipelines.execution import execution_id

    try:
        return workspace.follow(arn)
    except KeyboardInterrupt:
        commands = [resume] if resume else []
        commands += [f"pipelines {verb} {execution_id(arn)}{workspace.option}" for verb in ("follow", "stop")]
        explanation = "it goes on when the emulator runs again" if resume else "it goes on"
        click.echo(f"\nNo longer following the execution; {explanation}. Next:", err=True)
        for line in commands:
            click.echo(f"  {line}", err=True)
        return EXIT_INTERRUPTED


if __name__ == "__main__":
    main()
