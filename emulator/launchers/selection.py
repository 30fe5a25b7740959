"""Which launcher this machine allows, found out by starting a sandbox."""

from __future__ import annotations

import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from emulator.images.engine import Engine
from emulator.images.environment import Environment
from emulator.launchers.containers import ContainerLauncher
from emulator.launchers.launcher import Launch, Launcher, LaunchError
from emulator.launchers.namespaces import NamespaceLauncher
from emulator.launchers.redirect import RedirectLauncher
from emulator.launchers.trash import remove_tree
from emulator.settings import Settings, SettingsError

_PROBE_SECONDS = 20.0


def select_launcher(settings: Settings) -> Launcher:
    """The best launcher that works here and that the settings allow; its ``description`` says which and why.

    Raises:
        SettingsError: ``isolation`` demands namespaces or a container engine, and this machine does not have them.
    """
    if engine := Engine.chosen(settings):
        label = str(settings.data_dir.absolute())
        return ContainerLauncher(engine, label, select_launcher(replace(settings, isolation="auto")))
    if settings.isolation == "none":
        return RedirectLauncher("EMULATOR_ISOLATION=none")
    launcher = NamespaceLauncher(settings.data_dir / "sandbox", warm=settings.warm)
    refusal = why_not_namespaces(settings.data_dir)
    if refusal is None:
        return launcher
    launcher.close()
    if settings.isolation == "namespaces":
        raise SettingsError(
            f"EMULATOR_ISOLATION=namespaces, but this machine refuses them: {refusal}. Run as root, or allow "
            "unprivileged user namespaces (see docs/decisions/004-isolation-fallback.md), or unset the variable."
        )
    return RedirectLauncher(refusal)


def why_not_namespaces(folder: Path) -> str | None:
    """What refuses, when a program is run in a sandbox whose files lie in ``folder``; None if nothing does."""
    if sys.platform != "linux":
        return "namespaces are Linux's"
    folder.mkdir(parents=True, exist_ok=True)
    directory = Path(tempfile.mkdtemp(prefix="probe-", dir=folder))
    launcher = NamespaceLauncher(directory / "template", warm=False)
    python = Path(sys.executable)
    environment = Environment("probe", python, python.parent, [Path(sys.prefix), Path(sys.base_prefix)])
    said: list[bytes] = []
    launch = Launch("probe", directory, environment, ["true"], {}, "probe", [], [], False, 0, said.append)
    try:
        process = launcher.launch(launch)
        ended = process.wait(_PROBE_SECONDS)
        if ended is None or ended.code != 0:
            return f"a sandbox starts, but cannot run 'true': {ended}, {b''.join(said).decode(errors='replace')}"
        return None
    except LaunchError as error:
        return str(error)
    finally:
        launcher.close()
        remove_tree(directory)  # the overlay has left a folder that not even its owner may enter
