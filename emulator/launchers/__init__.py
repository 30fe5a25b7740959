"""Launchers: run a job's command in a sandbox that looks like its container."""

from emulator.launchers.launcher import Exit, Launch, Launcher, LaunchError, Mount, Process
from emulator.launchers.selection import select_launcher

__all__ = ["Exit", "Launch", "LaunchError", "Launcher", "Mount", "Process", "select_launcher"]
