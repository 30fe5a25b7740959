"""The command ``emulator``: start, stop and use the emulator of a folder.

Exit codes: 0 done, 1 it failed, 2 wrong usage, 3 no emulator is running on the folder; ``exec`` has its command's own.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click

from emulator import runtime
from emulator.runtime import DataDirError, Running, StartError
from emulator.settings import Settings, SettingsError

NOT_RUNNING = 3
START_PATIENCE = 30.0
"""Seconds to wait for an emulator that another command is just starting."""
F = TypeVar("F", bound=Callable[..., Any])


class Group(click.Group):
    """Renders the errors that a user can do something about as one message and exit code 1."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (StartError, DataDirError, SettingsError) as error:
            raise click.ClickException(str(error)) from error


def data_dir_option(command: F) -> F:
    return click.option(
        "--data-dir",
        type=click.Path(file_okay=False, path_type=Path),
        envvar="EMULATOR_DATA_DIR",
        default=".emulator",
        show_default=True,
        help="Folder of the emulator's state; one emulator at a time may use it.",
    )(command)


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="sagemaker-pipelines")
def main() -> None:
    """SageMaker on this machine: AWS's API in front, real sandboxed jobs behind. No AWS account, no Docker."""


@main.command()
@data_dir_option
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on; 0 takes a free one.  [default: 4570]")
@click.option("--foreground", is_flag=True, help="Stay in this terminal, with the log on it; Ctrl-C ends.")
@click.option("--studio", is_flag=True, help="Also start the pipeline view, which ends with the emulator.")
def start(data_dir: Path, port: int | None, foreground: bool, studio: bool) -> None:
    """Start the emulator; returns when it answers."""
    settings = Settings.load(data_dir=data_dir, port=port)
    if foreground:
        from emulator.daemon import serve

        def announce(url: str) -> None:
            _announce("Emulator at", url, settings)
            if studio:
                _start_studio(settings, url, os.getpid())

        serve(settings, announce)
        return
    found = _start(settings, port)
    if studio:
        _start_studio(settings, found.url, found.pid)


def _start(settings: Settings, port: int | None) -> Running:
    """Start the emulator in the background, unless it runs already, and say where it is."""
    from emulator import control

    data_dir = settings.data_dir
    found = control.answering(data_dir, START_PATIENCE)
    if found is None:
        found, started = _start_in_background(settings)
        if started:
            _announce("Emulator at", found.url, settings)
            return found
    if not found.url or port not in (None, 0, found.port):
        raise click.ClickException(
            f"An emulator (process {found.pid}) already uses {data_dir}, "
            + (f"on port {found.port}. " if found.url else "and does not answer yet. ")
            + f"To start another in its place: {_command('stop', data_dir)}, then start again."
        )
    _announce("Already running at", found.url, settings)
    return found


def _start_studio(settings: Settings, url: str, pid: int) -> None:
    """Start the command ``studio`` beside the emulator; it ends when process ``pid`` does."""
    from emulator import client_environment, control

    environment = client_environment.apply(client_environment.build(settings, url, os.environ), os.environ)
    click.echo(control.start_studio(settings.data_dir, environment, pid))


@main.command()
@data_dir_option
def stop(data_dir: Path) -> None:
    """Stop the emulator and its jobs; the state stays."""
    from emulator.control import stop as stop_running

    stopped = stop_running(data_dir)
    click.echo(f"Stopped (process {stopped.pid})." if stopped else f"No emulator is running on {data_dir}.")


@main.command()
@data_dir_option
@click.option("--json", "as_json", is_flag=True, help="Print a JSON document.")
def status(data_dir: Path, as_json: bool) -> None:
    """Say whether and where the emulator runs, how it isolates jobs, what it is busy with. Exit code 3: not running."""
    found = runtime.running(data_dir)
    document = _status(Settings.load(data_dir=data_dir), found)
    if as_json:
        import json

        click.echo(json.dumps(document, indent=2))
    else:
        for name, value in document.items():
            click.echo(f"{name + ':':<12} {_readable(name, value)}")
        if found is None:
            click.echo(f"Start it: {_command('start', data_dir)}")
    sys.exit(0 if found else NOT_RUNNING)


@main.command()
@data_dir_option
@click.option(
    "--format",
    "layout",
    type=click.Choice(["shell", "json", "dotenv", "powershell"]),
    default="shell",
    show_default=True,
    help="How to print the variables.",
)
def env(data_dir: Path, layout: str) -> None:
    """Print what a program needs in its environment: eval "$(emulator env)"."""
    from emulator import client_environment

    click.echo(client_environment.FORMATS[layout](_variables(data_dir)))


@main.command("exec", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@data_dir_option
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def execute(data_dir: Path, command: tuple[str, ...]) -> None:
    """Run COMMAND with the emulator in its environment: emulator exec -- aws sagemaker list-pipelines"""
    from emulator import client_environment

    environment = client_environment.apply(_variables(data_dir), os.environ)
    try:
        os.execvpe(command[0], command, environment)
    except FileNotFoundError:
        click.echo(f"Error: no such command: {command[0]}", err=True)
        sys.exit(127)
    except PermissionError as error:
        click.echo(f"Error: cannot run {command[0]}: {error.strerror}", err=True)
        sys.exit(126)


@main.command()
@data_dir_option
@click.option(
    "--for",
    "seconds",
    type=click.FloatRange(min=0),
    default=0.0,
    show_default=True,
    help="Seconds until there are instances again.",
)
@click.argument("job")
def interrupt(data_dir: Path, seconds: float, job: str) -> None:
    """Take the spot instances of training JOB (name or ARN) away, as EC2 does when others need them."""
    from emulator import control

    found = runtime.running(data_dir)
    if found is None or not found.url:
        _not_running(data_dir)
    try:
        arn = control.interrupt(found.url, job, seconds)
    except control.ControlError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"Interrupted: {arn}")


@main.command()
@data_dir_option
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@click.option("--force", is_flag=True, help="Stop the emulator first if it is running.")
def reset(data_dir: Path, yes: bool, force: bool) -> None:
    """Delete all state: buckets, pipelines, executions, jobs, models, logs."""
    from emulator import control

    if not control.is_data_dir(data_dir):
        click.echo(f"Nothing to reset: no emulator ever used {data_dir}.")
        return
    if not force and (found := runtime.running(data_dir)):
        raise click.ClickException(
            f"The emulator at {found.url} is running on {data_dir}."
            f" Stop it: {_command('stop', data_dir)} -- or let reset do it: --force"
        )
    if not yes:
        click.confirm(f"Delete all state in {data_dir} ({_bytes(control.size(data_dir))})?", abort=True)
    control.stop(data_dir)
    control.reset(data_dir)
    click.echo(f"{data_dir} is empty.")


def _start_in_background(settings: Settings) -> tuple[Running, bool]:
    """The emulator, and whether it was started now: another start at the same moment may have been faster."""
    from emulator import control

    try:
        return control.start(settings), True
    except StartError:
        found = control.answering(settings.data_dir, START_PATIENCE)
        if found is None:
            raise
        return found, False


def _variables(data_dir: Path) -> dict[str, str | None]:
    found = runtime.running(data_dir)
    if found is None or not found.url:
        _not_running(data_dir)
    from emulator import client_environment

    return client_environment.build(Settings.load(data_dir=data_dir), found.url, os.environ)


def _not_running(data_dir: Path) -> NoReturn:
    click.echo(f"Error: no emulator is running on {data_dir}. Start it: {_command('start', data_dir)}", err=True)
    sys.exit(NOT_RUNNING)


def _announce(what: str, url: str, settings: Settings) -> None:
    click.echo(
        f"{what} {url}  (account {settings.account}, region {settings.region}, state in {settings.data_dir})\n"
        f'Use it:  eval "$({_command("env", settings.data_dir)})"'
        f"   or   {_command('exec', settings.data_dir)} -- COMMAND\n"
        f"Stop it: {_command('stop', settings.data_dir)}"
    )


def _command(verb: str, data_dir: Path) -> str:
    """The command line for the reader to paste, with the folder only where it is not the default."""
    import shlex

    return f"emulator {verb}" + ("" if data_dir == Path(".emulator") else f" --data-dir {shlex.quote(str(data_dir))}")


def _status(settings: Settings, found: Running | None) -> dict[str, Any]:
    from emulator import control

    document: dict[str, Any] = {
        "status": "stopped",
        "data_dir": str(settings.data_dir.absolute()),
        "data_bytes": control.size(settings.data_dir),
    }
    if found is None:
        return document
    answer = control.health(found.url) if found.url else None
    return document | {
        "status": "running" if answer else "not answering" if found.url else "starting",
        "url": found.url,
        "pid": found.pid,
        "since": found.started,
        "account": settings.account,
        "region": settings.region,
        "isolation": (answer or {}).get("isolation"),
        "busy": control.busy(settings.data_dir),
    }


def _readable(name: str, value: Any) -> str:
    match name, value:
        case "data_bytes", int():
            return _bytes(value)
        case "since", float():
            return f"{time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(value))} ({time.time() - value:.0f} s ago)"
        case _, dict():
            return ", ".join(f"{count} {kind}" for kind, count in value.items()) or "nothing"
        case _:
            return str(value)


def _bytes(count: float) -> str:
    for unit in ("B", "KiB", "MiB"):
        if count < 1024:
            return f"{count:.0f} {unit}"
        count /= 1024
    return f"{count:.1f} GiB"


if __name__ == "__main__":
    main()
