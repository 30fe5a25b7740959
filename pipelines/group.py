"""The click group of the command ``pipelines``, and what makes a function one of its commands."""

from __future__ import annotations

import functools
import json
import os
import sys
from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

import click

from pipelines.completion import environment_names, pipeline_names
from pipelines.errors import PipelinesError
from pipelines.workspace import Workspace

F = TypeVar("F", bound=Callable[..., Any])

EXIT_CODES = """\b
Exit codes:
  0  done; of a followed execution: it succeeded
  1  the execution failed
  2  wrong usage, wrong file of the checkout, or the pipeline cannot be built;
     validate: there are errors; plan: there is a change (its errors have 1)
  3  no emulator is running, or nothing answers at the endpoint
  4  the execution was stopped
  5  AWS refused a call
  130  interrupted; an execution that was followed goes on"""


ORDER = (
    *("list", "new", "build", "show", "validate", "plan", "seed", "upsert", "start", "run", "train", "follow"),
    "executions",
    *("steps", "logs", "why", "stop", "history", "diff", "rollback", "delete", "models", "approve", "reject"),
    *("promote", "images", "cost", "policy"),
)


class Group(click.Group):
    """Renders the errors that a user can do something about as a message and an exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order in which one uses them."""
        return sorted(self.commands, key=ORDER.index)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except PipelinesError as error:
            _fail(error)
        except BrokenPipeError:
            os._exit(0)  # the reader of our output has gone; flushing it again would fail again
        except Exception as error:
            from pipelines.aws_errors import translate

            workspace: Workspace | None = ctx.meta.get("workspace")
            translated = translate(error, workspace.target if workspace else None)
            if translated is None:
                raise
            _fail(translated)


def _fail(error: PipelinesError) -> None:
    click.echo(f"Error: {error}", err=True)
    sys.exit(error.exit_code)


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]}, epilog=EXIT_CODES)
@click.version_option(package_name="sagemaker-pipelines")
def main() -> None:
    """Build SageMaker pipelines and run them, on the emulator of this machine or on AWS.

    EXECUTION is an ARN, an id, or the name of a pipeline for its latest execution.
    """


def command_of(group: click.Group) -> Callable[[F], F]:
    """What makes a function a command of a group; it is given the :class:`Workspace` of its ``--env``."""

    def register(function: F) -> F:
        @group.command(function.__name__.rstrip("_"))
        @click.option(
            "--env",
            "environment",
            default="local",
            show_default=True,
            shell_complete=environment_names,
            help="A table of environments.toml.",
        )
        @click.option(
            "--suffix", default="", metavar="TEXT", help="Ending of the deployed name; @branch: git's branch."
        )
        @click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of text.")
        @click.pass_context
        @functools.wraps(function)
        def run(ctx: click.Context, /, environment: str, suffix: str, as_json: bool, **arguments: Any) -> None:
            complain = functools.partial(click.echo, err=True)
            workspace = Workspace(
                environment, _silent if as_json else click.echo, complain, suffix, print_json if as_json else None
            )
            ctx.meta["workspace"] = workspace
            function(workspace, **arguments)

        return function

    return register


command = command_of(main)
parameter_option = click.option(
    "-p", "--parameter", "parameters", multiple=True, metavar="NAME=VALUE", help="Value of a parameter; repeatable."
)


def names_argument(function: F) -> F:
    """``[NAME]... | --all``: the pipelines that a command is about, for :meth:`Workspace.chosen`."""
    every = click.option("--all", "every", is_flag=True, help="Every pipeline of this checkout.")
    names = click.argument("names", nargs=-1, metavar="[NAME]...", shell_complete=pipeline_names)
    return names(every(function))


name_argument = click.argument("name", shell_complete=pipeline_names)
"""``NAME``: the one pipeline that a command is about."""


def _silent(line: str) -> None:
    """What is for people is not printed where a program reads."""


def print_json(document: Any) -> None:
    """A document on standard output; times in ISO 8601."""
    click.echo(json.dumps(document, indent=2, default=_plain))


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
