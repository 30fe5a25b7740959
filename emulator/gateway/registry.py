"""Importing every service module, so that its operations are registered."""

from __future__ import annotations

import importlib
import pkgutil

from emulator import services


def load_services() -> None:
    """Import all modules under ``emulator.services``; a new operation needs no entry in any list."""
    for module in pkgutil.walk_packages(services.__path__, f"{services.__name__}."):
        importlib.import_module(module.name)
