"""The commands that are understood; every other one is refused by its name."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from . import environments, specs
from .environment_file import EnvironmentFile
from .errors import CondaError

VERSION = "24.11.3"
"""Of the conda that these commands are as of."""
_IGNORED_FLAGS = (
    "-y", "--yes", "-q", "--quiet", "-v", "--verbose", "--override-channels", "--strict-channel-priority",
    "--freeze-installed", "--prune", "--force", "--copy", "-a", "--all", "--no-capture-output", "--live-stream",
    "--no-deps", "--json",
)  # fmt: skip


def main(arguments: list[str]) -> int:
    """The program's exit code."""
    try:
        return _command(arguments)
    except CondaError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1


def _command(arguments: list[str]) -> int:
    if not arguments or arguments[0] in ("-V", "--version"):
        print(f"conda {VERSION}")
        return 0
    name, rest = arguments[0], arguments[1:]
    if name == "env" and rest:
        name, rest = f"env {rest[0]}", rest[1:]
    handlers: dict[str, Callable[[list[str]], int]] = {
        "run": _run,
        "create": _create,
        "install": _install,
        "update": _install,
        "list": _list,
        "clean": lambda _: 0,  # nothing is kept
        "config": lambda _: 0,  # channels mean nothing here
        "env create": _env_create,
        "env update": _env_update,
        "env list": _env_list,
        "env export": _env_export,
        "env remove": _env_remove,
    }
    if name not in handlers:
        raise CondaError(
            "CommandNotFoundError",
            f"conda {name} is not understood by the emulator's stand-in for conda; {', '.join(handlers)} are. A real"
            " conda is in images that run in containers (EMULATOR_ISOLATION=podman or docker).",
        )
    return handlers[name](rest)


def _run(arguments: list[str]) -> int:
    """Become the command: everything after the options is its own."""
    parser = _parser("run")
    parser.add_argument("--cwd", default="")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args(arguments)
    if not options.command:
        raise CondaError("CondaValueError", "run needs a command")
    prefix = environments.existing(environments.prefix_of(options.name, options.prefix))
    if options.cwd:
        os.chdir(options.cwd)
    _become(options.command, environments.variables_of(prefix))


def _become(command: list[str], variables: dict[str, str]) -> NoReturn:
    program = shutil.which(command[0], path=variables["PATH"])
    if program is None:
        raise CondaError("CommandNotFoundError", f"{command[0]}: command not found")
    sys.stdout.flush()
    os.execve(program, command, variables)


def _create(arguments: list[str]) -> int:
    options = _with_packages("create", arguments)
    prefix = environments.prefix_of(options.name, options.prefix)
    wanted = _wanted(options)
    environments.create(prefix)
    environments.install(prefix, wanted, Path.cwd())
    return 0


def _install(arguments: list[str]) -> int:
    options = _with_packages("install", arguments)
    prefix = environments.existing(environments.prefix_of(options.name, options.prefix))
    environments.install(prefix, _wanted(options), Path.cwd())
    return 0


def _wanted(options: argparse.Namespace) -> list[str]:
    """The packages that are named, and those of the files: lists of specs, or environment files as micromamba takes."""
    packages, pip = list(options.packages), list[str]()
    for file in map(Path, options.files):
        if file.suffix in (".yml", ".yaml"):
            found = EnvironmentFile.read(file)
            packages, pip = packages + found.specs, pip + found.pip
        else:
            lines = (line.partition("#")[0].strip() for line in file.read_text(encoding="utf-8").splitlines())
            packages += filter(None, lines)
    return [*_requirements(packages), *pip]


def _requirements(packages: list[str]) -> list[str]:
    wanted = specs.translate(packages)
    if wanted.requirements:
        print(f"conda (the emulator's stand-in): packages come from PyPI: {', '.join(wanted.requirements)}")
    if wanted.ignored:
        print(f"conda (the emulator's stand-in): this machine's own instead of: {', '.join(wanted.ignored)}")
    sys.stdout.flush()
    return wanted.requirements


def _env_create(arguments: list[str]) -> int:
    options, file = _with_file("env create", arguments)
    if not (options.name or options.prefix or file.name):
        raise CondaError("SpecNotFound", f"{options.file} has no name; say it by -n")
    prefix = environments.prefix_of(options.name or file.name, options.prefix)
    requirements = _requirements(file.specs)
    environments.create(prefix)
    return _fill(prefix, file, requirements, Path(options.file).absolute().parent)


def _env_update(arguments: list[str]) -> int:
    options, file = _with_file("env update", arguments)
    prefix = environments.existing(environments.prefix_of(options.name or file.name, options.prefix))
    return _fill(prefix, file, _requirements(file.specs), Path(options.file).absolute().parent)


def _fill(prefix: Path, file: EnvironmentFile, requirements: list[str], folder: Path) -> int:
    environments.install(prefix, [*requirements, *file.pip], folder)
    environments.remember(prefix, file.variables)
    return 0


def _env_list(arguments: list[str]) -> int:
    _parser("env list").parse_args(arguments)
    for prefix in [Path(sys.prefix), *environments.known()]:
        name = environments.BASE if prefix == Path(sys.prefix) else prefix.name
        print(f"{name:<24} {prefix}")
    return 0


def _env_remove(arguments: list[str]) -> int:
    options = _parser("env remove").parse_args(arguments)
    prefix = environments.existing(environments.prefix_of(options.name, options.prefix))
    if prefix == Path(sys.prefix):
        raise CondaError("CondaValueError", "cannot remove base")
    shutil.rmtree(prefix)
    return 0


def _env_export(arguments: list[str]) -> int:
    parser = _parser("env export")
    parser.add_argument("--no-builds", action="store_true")
    parser.add_argument("--from-history", action="store_true")
    options = parser.parse_args(arguments)
    prefix = environments.existing(environments.prefix_of(options.name, options.prefix))
    version = ".".join(map(str, sys.version_info[:3]))
    lines = [f"      - {line}" for line in _pip(prefix, "list", "--format=freeze").splitlines()]
    print(f"name: {prefix.name}\ndependencies:\n  - python={version}\n  - pip:")
    print("\n".join(lines))
    return 0


def _list(arguments: list[str]) -> int:
    options = _parser("list").parse_args(arguments)
    print(_pip(environments.existing(environments.prefix_of(options.name, options.prefix)), "list"), end="")
    return 0


def _pip(prefix: Path, *arguments: str) -> str:
    command = [str(prefix / "bin" / "python"), "-m", "pip", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def _parser(command: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"conda {command}", allow_abbrev=False)
    parser.add_argument("-n", "--name", default="")
    parser.add_argument("-p", "--prefix", default="")
    parser.add_argument("-c", "--channel", action="append")
    for flag in _IGNORED_FLAGS:
        parser.add_argument(flag, action="store_true", help=argparse.SUPPRESS)
    return parser


def _with_packages(command: str, arguments: list[str]) -> argparse.Namespace:
    parser = _parser(command)
    parser.add_argument("-f", "--file", dest="files", action="append", default=[])
    parser.add_argument("packages", nargs="*")
    return parser.parse_intermixed_args(arguments)


def _with_file(command: str, arguments: list[str]) -> tuple[argparse.Namespace, EnvironmentFile]:
    parser = _parser(command)
    parser.add_argument("-f", "--file", default="environment.yml")
    options = parser.parse_args(arguments)
    return options, EnvironmentFile.read(Path(options.file))
