"""``GET /_emulator/health``: what is running here, for the command line and for people. Touches no AWS model."""

from __future__ import annotations

import os

import emulator
from emulator.gateway.json_protocol import dump_document
from emulator.gateway.wire import WireResponse
from emulator.settings import Settings

PATH = "/_emulator/health"


def health(settings: Settings, isolation: str, *, details: bool) -> WireResponse:
    """The emulator's state; without ``details`` (a caller from another machine) only that it is up."""
    document: dict[str, object] = {"status": "ok", "version": emulator.__version__}
    if details:
        document |= {
            "pid": os.getpid(),
            "data_dir": str(settings.data_dir.absolute()),
            "isolation": isolation,
            "account": settings.account,
            "region": settings.region,
        }
    return WireResponse(200, dump_document(document), {"Content-Type": "application/json"})
