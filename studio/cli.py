"""The command ``studio``: serve the pipeline view of whatever AWS the environment names."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from studio.pages.page import Options
    from studio.security import Access

PORT = 4571


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="sagemaker-pipelines")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=PORT,
    envvar="STUDIO_PORT",
    show_default=True,
    help="0 takes a free one.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Another than this machine's own needs the token.")
@click.option("--token", envvar="STUDIO_TOKEN", help="What a reader must know.  [default: random if not loopback]")
@click.option("--read-only", is_flag=True, help="Change nothing: no starts, stops, approvals, deletions.")
@click.option("--region", help="AWS region.  [default: the environment's]")
@click.option("--profile", help="Profile of the AWS configuration.")
@click.option(
    "--prices",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help='JSON of dollars an hour by instance type, as {"ml.m5.large": 0.115}.  [default: a dated, unofficial table]',
)
@click.option("--while-process", type=int, hidden=True, help="End when this process has ended.")
def main(
    port: int,
    host: str,
    token: str | None,
    read_only: bool,
    region: str | None,
    profile: str | None,
    prices: Path | None,
    while_process: int | None,
) -> None:
    """The pipeline view in the browser: of AWS with ordinary credentials, of the emulator with its environment.

    \b
    emulator exec -- studio
    """
    from studio.costs import read_prices, usual_prices
    from studio.pages.page import Options
    from studio.security import Access, is_loopback

    try:
        known = read_prices(prices) if prices else usual_prices()
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    if not token and not is_loopback(host):
        token = secrets.token_urlsafe(24)
    if while_process:
        _end_with(while_process)
    access = Access(token=token or "", read_only=read_only)
    serve(host, port, access, Options(read_only, known), region, profile)


def serve(host: str, port: int, access: Access, options: Options, region: str | None, profile: str | None) -> None:
    """Serve until a signal ends it; the address is printed once it answers."""
    import uvicorn
    from botocore.exceptions import BotoCoreError

    from studio.app import create_app
    from studio.aws import Aws

    try:
        listener = _listen(host, port)
    except OSError as error:
        raise click.ClickException(
            f"Cannot listen on {host}:{port}: {error.strerror}. Another port: --port 0"
        ) from error
    with listener:
        try:
            aws = Aws(region, profile)
            app = create_app(aws, access, options)
        except BotoCoreError as error:
            raise click.ClickException(f"{error} Name a profile or a region: --profile, --region") from error
        _announce(listener, host, access, aws.endpoint)
        config = uvicorn.Config(app, log_level="warning", server_header=False, timeout_graceful_shutdown=1)
        try:
            uvicorn.Server(config).run(sockets=[listener])
        except KeyboardInterrupt:
            pass  # Ctrl-C is how one ends it
        finally:
            aws.close()


def _end_with(pid: int) -> None:
    """End this process once another has: the emulator that started it, however that ends."""

    def watch() -> None:
        while _is_alive(pid):
            time.sleep(1)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _announce(listener: socket.socket, host: str, access: Access, endpoint: str) -> None:
    name = f"[{host}]" if ":" in host else host
    token = f"/?token={access.token}" if access.token else ""
    # In one piece: who starts studio in the background reads the first line and hears no more.
    click.echo(
        f"Studio at http://{name}:{listener.getsockname()[1]}{token}\n"
        f"shows {endpoint}{', changes nothing' if access.read_only else ''}. Ctrl-C ends it."
    )


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(128)
    except OSError:
        listener.close()
        raise
    return listener


if __name__ == "__main__":
    main()
