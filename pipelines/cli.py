"""The command ``pipelines``: build, upsert, start and follow SageMaker pipelines on the emulator or on AWS.

Nothing heavy is imported at the top: ``--help`` and the commands that only read answer at once.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from pipelines import deployment_commands, image_commands, model_commands, train_command  # noqa: F401  (commands)
from pipelines.completion import pipeline_names
from pipelines.errors import EXIT_INTERRUPTED, EXIT_USAGE
from pipelines.group import command, main, name_argument, names_argument, parameter_option, print_json
from pipelines.workspace import Workspace


@command
def list_(workspace: Workspace) -> None:
    """List the pipelines of this checkout."""
    from pipelines.catalog import list_pipelines

    sources = list_pipelines(workspace.root)
    workspace.answer([{"name": source.name, "summary": source.summary} for source in sources])
    if not sources:
        workspace.write(f"No pipelines in {workspace.root / 'pipelines'}: a pipeline is a folder with a pipeline.py")
    width = max((len(source.name) for source in sources), default=0)
    for source in sources:
        workspace.write(f"{source.name:<{width}}  {source.summary}".rstrip())


@command
@names_argument
@click.option("--output", type=click.Path(file_okay=False, path_type=Path), help="Folder for builds.  [default: build]")
def build(workspace: Workspace, names: tuple[str, ...], every: bool, output: Path | None) -> None:
    """Build the definitions of pipelines and their assets, offline; the SDK is imported once for all of them."""
    documents = []
    for built in workspace.build_all(workspace.chosen(names, every), output.resolve() if output else None):
        state = "unchanged" if built.cached else "built"
        assets = built.manifest["assets"]
        documents.append({"pipeline": built.name, "state": state, "folder": str(built.folder), "assets": assets})
        workspace.write(f"{state} {built.folder}  {len(assets)} assets")
    workspace.answer(documents)


@command
@name_argument
@click.option("--deployed", is_flag=True, help="Show what is deployed rather than what is built.")
def show(workspace: Workspace, name: str, deployed: bool) -> None:
    """Draw the graph of pipeline NAME: its steps, branches and parameters."""
    from pipelines.graph import draw

    if deployed:
        from pipelines.deployed import deployed_pipeline

        definition = json.loads(deployed_pipeline(workspace.connection, workspace.deployed(name))["PipelineDefinition"])
    else:
        definition = workspace.build(name).definition
    workspace.answer(definition)
    for line in draw(name, definition):
        workspace.write(line)


@command
@click.argument("names", nargs=-1, metavar="[NAME]...", shell_complete=pipeline_names)
@click.option("--format", "form", type=click.Choice(["text", "json", "sarif"]), default="text", show_default=True)
@click.option("--strict", is_flag=True, help="Warnings fail, too.")
@click.option("--list", "listing", is_flag=True, help="List the checks and end.")
def validate(workspace: Workspace, names: tuple[str, ...], form: str, strict: bool, listing: bool) -> None:
    """Check pipelines (all, or NAME...) without AWS: what would fail there is said here, with its line."""
    from pipelines import validate as validation

    if listing:
        workspace.write("\n".join(validation.list_checks()))
        workspace.answer(validation.check_documents())
        return
    chosen = list(names) or list(workspace.names())
    findings = workspace.validate(chosen)
    match "json" if workspace.for_programs else form:
        case "text":
            for line in [*validation.as_text(findings), validation.summary(findings, chosen)]:
                workspace.write(line)
        case "json":
            print_json(validation.as_documents(findings))
        case _:
            workspace.write(validation.as_sarif(findings))
    if any(strict or item.level == "error" for item in findings):
        sys.exit(EXIT_USAGE)


@command
@name_argument
def seed(workspace: Workspace, name: str) -> None:
    """Upload the sample data of pipeline NAME to where its parameter InputDataUri points."""
    workspace.answer(workspace.seed(workspace.build(name), again=True))


@command
@names_argument
def upsert(workspace: Workspace, names: tuple[str, ...], every: bool) -> None:
    """Build pipelines, upload what is missing, and create or update them; starts nothing."""
    done = [workspace.upsert(built) for built in workspace.build_all(workspace.chosen(names, every))]
    workspace.answer([vars(each) for each in done])


@command
@name_argument
@parameter_option
@click.option("--wait", is_flag=True, help="Follow the execution to its end.")
def start(workspace: Workspace, name: str, parameters: tuple[str, ...], wait: bool) -> None:
    """Start the deployed pipeline NAME."""
    arn = workspace.start(name, parameters)
    if wait:
        sys.exit(_follow(workspace, arn))
    workspace.answer({"arn": arn})


@command
@name_argument
@parameter_option
@click.option("--keep", is_flag=True, help="Leave an emulator running that this command started.")
def run(workspace: Workspace, name: str, parameters: tuple[str, ...], keep: bool) -> None:
    """Seed, build, upsert, start and follow pipeline NAME; starts an emulator for it if none is running."""
    from pipelines.run import run_pipeline

    sys.exit(run_pipeline(workspace, name, parameters, keep=keep, follow=_follow))


@command
@click.argument("execution")
def follow(workspace: Workspace, execution: str) -> None:
    """Follow EXECUTION, or a training job by its ARN, to its end."""
    arn = workspace.find(execution)
    follow_it = train_command.follow if train_command.is_training_job(arn) else _follow
    sys.exit(follow_it(workspace, arn))


@command
@name_argument
@click.option("--limit", type=click.IntRange(1, 100), default=20, show_default=True, help="At most so many.")
def executions(workspace: Workspace, name: str, limit: int) -> None:
    """List the latest executions of pipeline NAME, newest first."""
    from pipelines.execution import list_executions
    from pipelines.tables import execution_rows, render

    found = list_executions(workspace.connection, workspace.deployed(name), limit)
    workspace.answer(found)
    for line in render(execution_rows(found)) if found else [f"Pipeline {name} has no execution yet"]:
        workspace.write(line)


@command
@click.argument("execution")
def steps(workspace: Workspace, execution: str) -> None:
    """List the steps of EXECUTION."""
    from pipelines.execution import list_steps
    from pipelines.tables import render, step_rows

    found = list_steps(workspace.connection, workspace.find(execution))
    workspace.answer(found)
    for line in render(step_rows(found)) if found else ["No step has begun yet"]:
        workspace.write(line)


@command
@click.argument("execution")
@click.argument("step", required=False)
@click.option("--tail", type=click.IntRange(1, 10000), help="Only the last so many lines of each step.")
def logs(workspace: Workspace, execution: str, step: str | None, tail: int | None) -> None:
    """Print the logs of EXECUTION: of one STEP, or of all, a failed step's first."""
    from pipelines.tables import as_lines, step_logs

    found = step_logs(workspace.connection, workspace.find(execution), step, tail)
    if workspace.for_programs:
        workspace.answer([vars(log) | {"lines": list(log.lines)} for log in found])
        return
    for line in as_lines(found, headings=step is None):
        workspace.write(line)


@command
@click.argument("execution")
@click.argument("step")
def why(workspace: Workspace, execution: str, step: str) -> None:
    """Say why STEP of EXECUTION ran, or from where its cached result is."""
    from pipelines.why import explain

    lines = list(explain(workspace.connection, workspace.find(execution), step))
    workspace.write("\n".join(lines))
    workspace.answer({"step": step, "explanation": lines})


@command
@click.argument("execution")
def stop(workspace: Workspace, execution: str) -> None:
    """Stop EXECUTION, whose running jobs are told to end, or a training job by its ARN."""
    from pipelines.execution import stop_execution
    from pipelines.train_follow import stop_training

    arn = workspace.find(execution)
    stop_it = stop_training if train_command.is_training_job(arn) else stop_execution
    stop_it(workspace.connection, arn)
    workspace.write(f"stopping {arn}")
    workspace.answer({"arn": arn})


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
