"""Whether a process forked from the zygote can be what a new interpreter would become.

Where it cannot (a variable that only a starting process reads, a local module that hides an imported one, a package
that pip has replaced) the program runs in a real interpreter instead: slower, same result.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field

from .command_line import CommandLine

# Read by libraries or the interpreter when they are loaded: too late to set in a process that has them loaded.
_AT_LOAD_PREFIXES = (
    "ARROW_", "BLIS_", "CUDA_", "GLIBC_", "GOMP_", "GOTO_", "JAX_", "JOBLIB_", "KMP_", "LD_", "LOKY_", "MALLOC_",
    "MKL_", "MPL", "NPY_", "NUMBA_", "NUMEXPR_", "NUMPY_", "OMP_", "OPENBLAS_", "PANDAS_", "POLARS_", "PYTORCH_",
    "RAYON_", "SCIPY_", "SKLEARN_", "TF_", "TORCH_", "VECLIB_", "XGB", "XLA_",
)  # fmt: skip
_HONOURED = {"PYTHONUNBUFFERED", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "PYTHONIOENCODING", "PYTHONNOUSERSITE"}
_LOCALE = ("LC_ALL", "LC_CTYPE", "LANG")


@dataclass(slots=True)
class Imported:
    """What the zygote had when it was ready."""

    environ: dict[str, str] = field(default_factory=lambda: dict(os.environ))
    """Before the imports."""
    set_by_imports: dict[str, str] = field(default_factory=dict)
    path: list[str] = field(default_factory=list)
    own_modules: list[str] = field(default_factory=list)
    """The sandbox's, which no program is to find."""
    last_module: str = ""
    top_level: frozenset[str] = frozenset()
    packages: dict[str, tuple[int, frozenset[str]]] = field(default_factory=dict)
    """Folder of installed packages to its modification time and its entries."""


imported = Imported()


def remember() -> None:
    """Note the state of this process, once everything is imported."""
    before = imported.environ
    imported.set_by_imports = {name: value for name, value in os.environ.items() if before.get(name) != value}
    added = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    imported.path = [folder for folder in sys.path if folder not in added]
    own = __name__.rpartition(".")[0]
    imported.own_modules = [name for name in sys.modules if name == own or name.startswith(own + ".")]
    imported.last_module = next(name for name in reversed(sys.modules) if name not in imported.own_modules)
    imported.top_level = frozenset(name for name in sys.modules if "." not in name)
    folders = [folder for folder in sys.path if folder.startswith(sys.prefix + "/") and os.path.isdir(folder)]
    imported.packages = {folder: (os.stat(folder).st_mtime_ns, frozenset(os.listdir(folder))) for folder in folders}


def fits(line: CommandLine, env: Mapping[str, str]) -> bool:
    """Whether ``line`` with ``env`` may run in this process. Looks at as little as it can: see ``interpreter``."""
    leading = [line.folder or os.getcwd(), *python_path(env)]
    return _environment_fits(env) and _packages_fit() and not any(_hides_imported(folder) for folder in leading)


def python_path(env: Mapping[str, str]) -> list[str]:
    """The folders of ``PYTHONPATH`` as ``site`` makes them absolute."""
    value = env.get("PYTHONPATH")
    return list(dict.fromkeys(map(os.path.abspath, value.split(os.pathsep)))) if value else []


def locale_of(env: Mapping[str, str]) -> str:
    return next((env[name] for name in _LOCALE if env.get(name)), "C").upper()


def _environment_fits(env: Mapping[str, str]) -> bool:
    before, after = imported.environ, imported.set_by_imports
    for name in env.keys() | before.keys():
        if env.get(name) in (before.get(name), after.get(name, before.get(name))):
            continue
        if name.startswith(_AT_LOAD_PREFIXES) or (name.startswith("PYTHON") and name not in _HONOURED):
            return False
    return locale_of(env) == locale_of(before)


def _packages_fit() -> bool:
    """pip may have added packages since, not replaced or removed one, nor added a ``.pth`` file."""
    for folder, (changed, before) in imported.packages.items():
        if os.stat(folder).st_mtime_ns == changed:
            continue
        now = set(os.listdir(folder))
        if not before <= now or any(name.endswith(".pth") for name in now - before):
            return False
        importlib.invalidate_caches()
    return True


def _hides_imported(folder: str) -> bool:
    """Whether a module in ``folder`` has the name of one that is imported already."""
    try:
        entries = os.listdir(folder)
    except OSError:
        return False
    for entry in entries:
        name, _, suffix = entry.partition(".")
        is_module = suffix.rpartition(".")[2] in ("py", "pyc", "so") or os.path.isfile(f"{folder}/{entry}/__init__.py")
        if is_module and name in imported.top_level and name not in sys.builtin_module_names:
            return True
    return False
