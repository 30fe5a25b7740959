"""One emulator: its parts put together, served, and closed.

The parts stand on each other as the layers say. The engine runs steps by calling operations, and the gateway knows the
operations, so ``App.invoke`` and ``Engine.bind`` are set last.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from emulator.gateway.gateway import Gateway, create_gateway, demands_signatures
from emulator.gateway.invoke import make_invoke
from emulator.gateway.registry import load_services
from emulator.services.context import App
from emulator.services.neighbours import Neighbours
from emulator.settings import Settings, SettingsError
from emulator.store.database import Database
from emulator.store.resources import SCHEMA, Resources, Scope

if TYPE_CHECKING:
    from emulator.launchers.launcher import Launcher

KEEP_ALIVE_SECONDS = 75
SHUTDOWN_SECONDS = 3
"""How long open requests may take to end when the emulator is told to stop; nothing depends on their end."""


class Emulator(NamedTuple):
    """An emulator that was put together; whoever builds one closes it."""

    app: App
    gateway: Gateway
    launcher: Launcher

    def close(self) -> None:
        """End the engine, the jobs and their processes, then close the stores; state stays as it is."""
        app = self.app
        for part in (self.gateway, app.neighbours, app.engine, app.jobs, self.launcher, app.objects):
            part.close()
        self.app.resources.database.close()


def build(settings: Settings) -> Emulator:
    """The parts of an emulator on ``settings.data_dir``, with its ASGI application; nothing is taken up yet.

    Raises:
        SettingsError: the settings contradict each other.
    """
    demands_signatures(settings)
    from emulator.engine.engine import Engine
    from emulator.images.selection import select_images
    from emulator.jobs.jobs import Jobs
    from emulator.launchers import select_launcher
    from emulator.store.log_streams import LogStreams
    from emulator.store.objects import ObjectStore
    from emulator.store.trial_metrics import TrialMetrics

    load_services()
    database = Database(_state_of(settings), SCHEMA)
    resources = Resources(database)
    objects = ObjectStore(settings.data_dir / "objects")
    logs = LogStreams(settings.data_dir / "logs", database, settings.log_limit_mib * 2**20)
    images = select_images(settings)
    launcher = select_launcher(settings)
    jobs = Jobs(settings, resources, objects, logs, images, launcher)
    engine = Engine(resources, objects, settings)
    app = App(settings, resources, objects, logs, jobs, engine, invoke=_not_bound)
    app.invoke = make_invoke(app)
    app.metrics = jobs.metrics
    app.trial_metrics = TrialMetrics(database)
    app.neighbours = Neighbours(app)
    engine.bind(app.invoke, jobs.warm_up)
    jobs.bind(app.invoke)
    return Emulator(app, create_gateway(app, launcher.description), launcher)


def run(settings: Settings, on_ready: Callable[[str], None]) -> None:
    """Serve until a signal says stop; ``on_ready`` gets the URL once requests are answered.

    Runs in the main thread. Executions and jobs that an earlier emulator left unfinished are taken up again before
    the first request is answered.

    Raises:
        SettingsError: the port is in use, or the settings contradict each other.
    """
    with _listen(settings) as listener:
        settings = replace(settings, port=listener.getsockname()[1])
        is_new = not _state_of(settings).exists()
        emulator = build(settings)
        try:
            if is_new:
                _furnish(emulator.app)
            emulator.app.engine.recover()
            emulator.app.jobs.recover()
            emulator.app.neighbours.recover()
            _serve(emulator.gateway, listener, lambda: on_ready(settings.url))
        finally:
            emulator.close()


def _state_of(settings: Settings) -> Path:
    return settings.data_dir / "state.db"


def _furnish(app: App) -> None:
    """Make what an account has that SageMaker was used in before: the bucket that its SDKs take where none is named.

    They make it themselves, but not where a ``default_bucket_prefix`` is set.
    """
    account, region = app.settings.account, app.settings.region
    app.objects.create_bucket(Scope(account, region), f"sagemaker-{region}-{account}")


def _listen(settings: Settings) -> socket.socket:
    """The listening socket, taken before anything else is done.

    The protocol is named because asyncio sets TCP_NODELAY only on sockets that name it; without, every answer of two
    segments waits 40 ms for a delayed acknowledgement.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host.strip("[]"), settings.port))
    except (OSError, OverflowError) as error:
        listener.close()
        if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
            raise SettingsError(
                f"Port {settings.port} on {settings.host} is in use by another program; `ss -ltnp 'sport = :"
                f"{settings.port}'` says by which. Take a free one: emulator start --port 0"
            ) from error
        raise SettingsError(f"Cannot listen on {settings.host} port {settings.port}: {error}. Try --port 0") from error
    return listener


def _serve(gateway: Gateway, listener: socket.socket, ready: Callable[[], None]) -> None:
    import uvicorn

    from emulator.gateway.transport import OneSegmentProtocol

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            ready()

    config = uvicorn.Config(
        gateway,
        http=OneSegmentProtocol,
        ws="none",
        loop="asyncio",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
    )
    Server(config).run(sockets=[listener])


def _not_bound(scope: Scope, service: str, operation: str, request: dict[str, Any]) -> NoReturn:
    raise AssertionError("operations are called before the gateway is there")
