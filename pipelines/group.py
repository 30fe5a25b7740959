"""The click group of the command ``pipelines``, and what makes a function one of its commands."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable
from typing import Any, TypeVar

import click

from pipelines.errors import PipelinesError
from pipelines.workspace import Workspace

F = TypeVar("F", bound=Callable[..., Any])

EXIT_CODES = """\b
Exit codes:
  0  done; of a followed execution: it succeeded
  1  the execution failed
  2  wrong usage, wrong file of the checkout, or the pipeline cannot be built;
     validate: there are errors; plan: there is a change
  3  no emulator is running, or nothing answers at the endpoint
  4  the execution was stopped
  5  AWS refused a call
  130  interrupted; an execution that was followed goes on"""


ORDER = (
    *("list", "new", "build", "show", "validate", "plan", "seed", "upsert", "start", "run", "follow", "executions"),
    *("steps", "logs", "why", "stop", "history", "diff", "rollback", "delete", "models", "approve", "reject"),
    *("cost", "policy"),
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


def command(function: F) -> F:
    """A command of the group that is given the :class:`Workspace` of its ``--env``."""

    @main.command(function.__name__.rstrip("_"))
    @click.option("--env", "environment", default="local", show_default=True, help="A table of environments.toml.")
    @click.option("--suffix", default="", metavar="TEXT", help="Ending of the deployed name; @branch: git's branch.")
    @click.pass_context
    @functools.wraps(function)
    def run(ctx: click.Context, /, environment: str, suffix: str, **arguments: Any) -> None:
        workspace = Workspace(environment, click.echo, functools.partial(click.echo, err=True), suffix)
        ctx.meta["workspace"] = workspace
        function(workspace, **arguments)

    return function


json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
parameter_option = click.option(
    "-p", "--parameter", "parameters", multiple=True, metavar="NAME=VALUE", help="Value of a parameter; repeatable."
)


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]}, epilog=EXIT_CODES)
@click.version_option(package_name="sagemaker-pipelines")
def main() -> None:
    """Build SageMaker pipelines and run them, on the emulator of this machine or on AWS.

    EXECUTION is an ARN, an id, or the name of a pipeline for its latest execution.
    """
