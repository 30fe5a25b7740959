"""What an operation may use: for whom it runs, and the parts of the emulator it stands on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from emulator.store.resources import Scope

if TYPE_CHECKING:
    from emulator.engine.engine import Engine
    from emulator.jobs.jobs import Jobs
    from emulator.services.neighbours import Neighbours
    from emulator.settings import Settings
    from emulator.store.log_streams import LogStreams
    from emulator.store.metrics import Metrics
    from emulator.store.objects import ObjectStore
    from emulator.store.resources import Resources
    from emulator.store.trial_metrics import TrialMetrics


class Invoke(Protocol):
    """Call an operation from inside, with the validation a request over the wire would get."""

    def __call__(self, scope: Scope, service: str, operation: str, request: dict[str, Any]) -> dict[str, Any]: ...


@dataclass(slots=True)
class App:
    """The parts of one running emulator, put together by ``emulator.server``."""

    settings: Settings
    resources: Resources
    objects: ObjectStore
    logs: LogStreams
    jobs: Jobs
    engine: Engine
    invoke: Invoke
    metrics: Metrics = field(init=False, repr=False)
    trial_metrics: TrialMetrics = field(init=False, repr=False)
    neighbours: Neighbours = field(init=False, repr=False)
    """Set once the rest is put together: they work in the background by ``invoke``."""


@dataclass(frozen=True, slots=True)
class Context:
    """One call: the caller's account and region, the request's id, and the emulator it reached."""

    scope: Scope
    request_id: str
    app: App
    access_key_id: str = ""
    """Who signed the request; empty for unsigned ones and for calls from inside."""
    address: str = "127.0.0.1"
    """Where the request came from."""

    @property
    def account(self) -> str:
        return self.scope.account

    @property
    def region(self) -> str:
        return self.scope.region
