"""The command ``train``: one training job without a pipeline."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipelines.errors import EXIT_INTERRUPTED, UsageError
from pipelines.group import command
from pipelines.workspace import Workspace

if TYPE_CHECKING:
    from pipelines.train import Order


@command
@click.option("--script", metavar="FILE", help="Your training program, in Python.")
@click.option(
    "--source-dir",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="Folder that goes with the script (modules, requirements.txt); FILE is a path below it.",
)
@click.option("--algorithm", metavar="NAME[:VERSION]", help="Built-in algorithm instead of a script: xgboost.")
@click.option(
    "--framework",
    metavar="NAME[:VERSION]",
    help="Image for the script: sklearn, xgboost, pytorch, tensorflow.  [default: what it imports]",
)
@click.option("--image", metavar="URI|NAME", help="Your own image: its URI, or a folder of containers/.")
@click.option("--channel", "channels", multiple=True, metavar="NAME=PATH|S3URI", help="Data; repeatable.")
@click.option(
    "--content-type",
    "content_types",
    multiple=True,
    metavar="[NAME=]TYPE",
    help="Of a channel, or of all.  [default: by the name of the first file]",
)
@click.option("--hyperparameter", "-H", "hyperparameters", multiple=True, metavar="NAME=VALUE", help="Repeatable.")
@click.option("--metric", "metrics", multiple=True, metavar="NAME=REGEX", help="Read from the log; repeatable.")
@click.option("--instance-type", default="ml.m5.large", show_default=True, metavar="TYPE")
@click.option("--instance-count", type=click.IntRange(1), default=1, show_default=True)
@click.option("--volume-size", type=click.IntRange(1), default=30, show_default=True, metavar="GB")
@click.option("--max-runtime", type=click.IntRange(1), default=86_400, show_default=True, metavar="SECONDS")
@click.option(
    "--output", default="", metavar="S3URI", help="Where the model goes.  [default: the environment's bucket]"
)
@click.option("--name", default="", help="Of the job.  [default: the script's or image's, and the time]")
@click.option("--wait", is_flag=True, help="Follow the job to its end; starts an emulator for it if none is running.")
@click.option("--keep", is_flag=True, help="Leave an emulator running that --wait started.")
def train(workspace: Workspace, name: str, wait: bool, keep: bool, **options: Any) -> None:
    """Train once, without a pipeline: a script or the built-in XGBoost algorithm on channels of data."""
    from pipelines.endpoint import running_endpoint

    order = _order(workspace, options)
    if not wait:
        arn = _start(workspace, name, order)
        workspace.write(f"Next: pipelines follow {arn}{workspace.option}")
        workspace.answer({"arn": arn})
        return
    with running_endpoint(workspace.target, keep=keep) as started:
        if started:
            workspace.write(f"started an endpoint for this job ({' '.join(workspace.target.endpoint.start_command)})")
        code = follow(workspace, _start(workspace, name, order))
    sys.exit(code)


def _start(workspace: Workspace, name: str, order: Order) -> str:
    from pipelines.train import base_of, job_name, start_training

    name = name or job_name(base_of(order))
    arn = start_training(workspace.connection, workspace.target.environment, name, order)
    workspace.write(f"started {arn}")
    return arn


def is_training_job(arn: str) -> bool:
    return arn.startswith("arn:") and ":training-job/" in arn


def follow(workspace: Workspace, arn: str) -> int:
    """Follow a training job to its end and sum it up; the exit code that says how it ended.

    Ctrl-C ends the following only.
    """
    from pipelines.train_follow import EXIT_CODES, follow_training, summary

    shown = workspace.complain if workspace.for_programs else workspace.write
    try:
        job = follow_training(workspace.connection, arn, shown)
    except KeyboardInterrupt:
        click.echo("\nNo longer following the job; it goes on. Next:", err=True)
        for verb in ("follow", "stop"):
            click.echo(f"  pipelines {verb} {arn}{workspace.option}", err=True)
        return EXIT_INTERRUPTED
    for line in summary(job):
        workspace.write(line)
    workspace.answer({"arn": arn, "status": job["TrainingJobStatus"], "job": _plain(job)})
    return EXIT_CODES[job["TrainingJobStatus"]]


def _plain(job: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in job.items() if name != "ResponseMetadata"}


def _order(workspace: Workspace, options: dict[str, Any]) -> Order:
    from pipelines.train import Order
    from pipelines.train_inputs import CODE_CHANNEL, pairs, read_channels

    program = _program(options)
    channels = read_channels(options["channels"], options["content_types"])
    image, by_toolkit = _image(workspace, options)
    if not by_toolkit and program and any(channel.name == CODE_CHANNEL for channel in channels):
        raise UsageError(f"Channel {CODE_CHANNEL!r} is where the program itself goes: choose another name")
    return Order(
        image=image,
        by_toolkit=by_toolkit,
        program=program,
        channels=channels,
        hyperparameters=pairs(options["hyperparameters"], "Hyperparameter"),
        metrics=pairs(options["metrics"], "Metric"),
        instance_type=options["instance_type"],
        instance_count=options["instance_count"],
        volume_gb=options["volume_size"],
        max_runtime=options["max_runtime"],
        output=options["output"],
    )


def _program(options: dict[str, Any]) -> Any:
    """The user's program, if there is to be one."""
    from pipelines.train_inputs import Program

    script, folder = options["script"], options["source_dir"]
    if script is None:
        if folder is not None:
            raise UsageError("--source-dir goes with --script, the program to start in it")
        return None
    program = Program(script, folder)
    if not program.path.is_file():
        raise UsageError(f"--script {program.path} does not exist")
    return program


def _image(workspace: Workspace, options: dict[str, Any]) -> tuple[str, bool]:
    """The image's URI, and whether it is AWS's, with a toolkit that runs scripts."""
    from pipelines import train_image

    chosen = [name for name in ("algorithm", "framework", "image") if options[name]]
    if len(chosen) > 1:
        raise UsageError(f"--{chosen[0]} and --{chosen[1]} each say which image to run: give one of them")
    if options["algorithm"] and options["script"]:
        raise UsageError("--algorithm has its own program: give --framework xgboost to run a script in its image")
    if not chosen and not options["script"]:
        raise UsageError("Say what to train: --script FILE, --algorithm xgboost, or --image with a program of its own")
    if options["framework"] and not options["script"]:
        raise UsageError("--framework is for a script: give --script FILE")
    environment = workspace.target.environment
    if options["image"]:
        return train_image.own_image(options["image"], environment), False
    known = train_image.ALGORITHMS if options["algorithm"] else tuple(train_image.FRAMEWORKS)
    wanted = options["algorithm"] or options["framework"] or train_image.guess_framework(_program(options).path)
    uri = train_image.aws_image(wanted, known, environment.region, options["instance_type"])
    workspace.write(f"image {uri}")
    return uri, True
