"""Run a ``python …`` command line in a forked process exactly as a new interpreter would run it.

Where that cannot be promised (an option or variable that only a starting interpreter reads, a local module that
hides an imported one, packages changed by pip) the process executes a real interpreter instead: slower, same result.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import io
import itertools
import os
import runpy
import signal
import sys
import threading
import time
import types
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.machinery import SourceFileLoader
from typing import Any, NoReturn

from . import kernel
from .process import execute

# Read by libraries or the interpreter when they are loaded: too late to set in a process that has them loaded.
_READ_AT_LOAD = (
    "ARROW_ BLIS_ CUDA_ GLIBC_ GOMP_ GOTO_ JAX_ JOBLIB_ KMP_ LD_ LOKY_ MALLOC_ MKL_ MPL NPY_ NUMBA_ NUMEXPR_ "
    "NUMPY_ OMP_ OPENBLAS_ PANDAS_ POLARS_ PYTORCH_ RAYON_ SCIPY_ SKLEARN_ TF_ TORCH_ VECLIB_ XGB XLA_"
)
_AT_LOAD_PREFIXES = tuple(_READ_AT_LOAD.split())
_HONOURED = {"PYTHONUNBUFFERED", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "PYTHONIOENCODING", "PYTHONNOUSERSITE"}
_PACKAGE = __name__.rpartition(".")[0]
_OWN_MODULES = [_PACKAGE, *(f"{_PACKAGE}.{name}" for name in ("init", "interpreter", "kernel", "memory", "process"))]
_OWN_MODULES += [f"{_PACKAGE}.{name}" for name in ("root", "warden", "wire", "zygote")]
_NOT_WRITTEN = 120  # CPython's exit code where standard output could not be flushed
_LOCALE = ("LC_ALL", "LC_CTYPE", "LANG")


@dataclass(slots=True)
class _Imported:
    """What the zygote had when it was ready; a job that differs in what matters runs cold."""

    environ: dict[str, str] = field(default_factory=lambda: dict(os.environ))
    """Before the imports."""
    set_by_imports: dict[str, str] = field(default_factory=dict)
    path: list[str] = field(default_factory=list)
    last_module: str = ""
    top_level: frozenset[str] = frozenset()
    packages: dict[str, tuple[int, frozenset[str]]] = field(default_factory=dict)
    """Folder of installed packages to its modification time and its entries."""


_imported = _Imported()


def remember() -> None:
    """Note the state of this process, once everything is imported."""
    before = _imported.environ
    _imported.set_by_imports = {name: value for name, value in os.environ.items() if before.get(name) != value}
    added = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    _imported.path = [folder for folder in sys.path if folder not in added]
    _imported.last_module = next(reversed(sys.modules))
    _imported.top_level = frozenset(name for name in sys.modules if "." not in name)
    folders = [folder for folder in sys.path if folder.startswith(sys.prefix + "/") and os.path.isdir(folder)]
    _imported.packages = {folder: (os.stat(folder).st_mtime_ns, frozenset(os.listdir(folder))) for folder in folders}


@dataclass(slots=True)
class CommandLine:
    """``python [-u] [-B] (script | -m module | -c code) args…``"""

    mode: str
    target: str
    arguments: list[str]
    unbuffered: bool = False
    no_bytecode: bool = False

    @classmethod
    def parse(cls, arguments: list[str]) -> CommandLine | None:
        """None where only a new interpreter can do what is asked."""
        line = cls("", "", [])
        rest = list(arguments)
        while rest:
            word = rest.pop(0)
            if word == "-u":
                line.unbuffered = True
            elif word == "-B":
                line.no_bytecode = True
            elif word in ("-m", "-c") and rest:
                line.mode, line.target, line.arguments = word, rest[0], rest[1:]
                return line
            elif word == "--" or word.startswith("-"):
                return None
            else:
                line.mode, line.target, line.arguments = "script", word, rest
                return line
        return None


def run(payload: dict[str, Any]) -> int:
    """Be the program of ``payload`` and return its exit code; the caller ends the process with it."""
    command, env, workdir = payload["command"], payload["env"], payload["workdir"]
    with contextlib.suppress(OSError):
        os.chdir(workdir)
    line = CommandLine.parse(command[1:])
    if line is None or not _fits(line, env):
        _run_cold(payload)
    _take_environment(env)
    _take_line(line, command)
    _make_streams(line, env)
    _forget_zygote()
    _reseed()
    return _finish(_execute(line))


def _run_cold(payload: dict[str, Any]) -> NoReturn:
    """The real interpreter, told by ``argv[0]`` that it is the environment's."""
    command = [sys.executable, *payload["command"][1:]]
    execute(command, payload["env"], payload["workdir"], sys._base_executable)  # type: ignore[attr-defined]


def _fits(line: CommandLine, env: dict[str, str]) -> bool:
    """Whether this process, as it is, can be what a new interpreter would become."""
    return (
        _environment_fits(env)
        and _packages_fit()
        and (line.mode != "script" or _is_source(line.target))
        and not any(_hides_imported(folder) for folder in _leading_folders(line, env))
    )


def _is_source(path: str) -> bool:
    return os.path.isfile(path) and not path.endswith((".pyc", ".zip", ".pyz"))


def _environment_fits(env: dict[str, str]) -> bool:
    at_start = _imported.environ
    for name in env.keys() | at_start.keys():
        if env.get(name) == at_start.get(name):
            continue
        if name.startswith(_AT_LOAD_PREFIXES) or (name.startswith("PYTHON") and name not in _HONOURED):
            return False
    return _locale(env) in ("C", "POSIX") or _locale(env).replace("-", "").endswith("UTF8")


def _locale(env: dict[str, str]) -> str:
    return next((env[name] for name in _LOCALE if env.get(name)), "C").upper()


def _packages_fit() -> bool:
    """pip may have added packages since, not replaced or removed one, nor added a ``.pth`` file."""
    for folder, (changed, before) in _imported.packages.items():
        if os.stat(folder).st_mtime_ns == changed:
            continue
        now = set(os.listdir(folder))
        if not before <= now or any(name.endswith(".pth") for name in now - before):
            return False
        importlib.invalidate_caches()
    return True


def _leading_folders(line: CommandLine, env: dict[str, str]) -> list[str]:
    """The folders that a new interpreter searches before the standard library."""
    first = os.path.dirname(os.path.realpath(line.target)) if line.mode == "script" else os.getcwd()
    return [first, *filter(None, env.get("PYTHONPATH", "").split(os.pathsep))]


def _hides_imported(folder: str) -> bool:
    """Whether a module in ``folder`` has the name of one that is imported already."""
    try:
        entries = os.listdir(folder)
    except OSError:
        return False
    for entry in entries:
        name, _, suffix = entry.partition(".")
        is_module = suffix.rpartition(".")[2] in ("py", "pyc", "so") or os.path.isfile(f"{folder}/{entry}/__init__.py")
        if is_module and name in _imported.top_level and name not in sys.builtin_module_names:
            return True
    return False


def _take_environment(env: dict[str, str]) -> None:
    os.environ.clear()
    os.environ.update(_imported.set_by_imports | env)
    time.tzset()


def _take_line(line: CommandLine, command: list[str]) -> None:
    first = {"script": os.path.dirname(os.path.realpath(line.target)), "-m": os.getcwd(), "-c": ""}[line.mode]
    added = [folder or os.getcwd() for folder in os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    sys.path[:] = [first, *(added if os.environ.get("PYTHONPATH") else []), *_imported.path]
    sys.argv[:] = [line.target if line.mode == "script" else line.mode, *line.arguments]
    sys.orig_argv[:] = [sys.executable, *command[1:]]
    if line.no_bytecode or os.environ.get("PYTHONDONTWRITEBYTECODE"):
        sys.dont_write_bytecode = True


def _make_streams(line: CommandLine, env: dict[str, str]) -> None:
    """Standard streams as a new interpreter opens them on a pipe."""
    encoding, _, errors = env.get("PYTHONIOENCODING", "").partition(":")
    unbuffered = line.unbuffered or bool(env.get("PYTHONUNBUFFERED"))
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        raw: Any = io.FileIO(number, "rb" if number == 0 else "wb", closefd=False)
        raw.name = f"<{name}>"
        buffer = raw if unbuffered and number else (io.BufferedReader(raw) if number == 0 else io.BufferedWriter(raw))
        stream = io.TextIOWrapper(
            buffer,
            encoding=encoding or "utf-8",
            errors="backslashreplace" if number == 2 else (errors or _stream_errors(env)),
            line_buffering=number == 2 or (number == 1 and os.isatty(1)),
            write_through=unbuffered and number > 0,
        )
        stream.mode = "r" if number == 0 else "w"  # type: ignore[misc]
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)


def _stream_errors(env: dict[str, str]) -> str:
    """PEP 538, PEP 540: in the C locale, bytes that are not UTF-8 pass through."""
    return "surrogateescape" if _locale(env) in ("C", "POSIX", "C.UTF-8", "C.UTF8") else "strict"


def _forget_zygote() -> None:
    """Take the sandbox's own modules out of a program's sight; what runs keeps them alive."""
    for name in _OWN_MODULES:
        sys.modules.pop(name, None)
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _reseed() -> None:
    """Every process its own random numbers. ``random`` does it by itself at a fork."""
    if numpy_random := sys.modules.get("numpy.random"):
        numpy_random.seed()
    if torch := sys.modules.get("torch"):
        torch.seed()


def _execute(line: CommandLine) -> int:
    """Run the program; an uncaught error is reported and turned into an exit code as the interpreter does it."""
    try:
        {"script": _run_script, "-m": _run_module, "-c": _run_code}[line.mode](line.target)
    except SystemExit as stop:
        return _exit_code(stop.code)
    except BaseException as error:  # noqa: BLE001  this is the interpreter's outermost frame: report and end
        return _report(error)
    return 0


def _new_main() -> types.ModuleType:
    main = types.ModuleType("__main__")
    main.__dict__.update(__builtins__=sys.modules["builtins"], __annotations__={})
    sys.modules["__main__"] = main
    return main


def _run_script(path: str) -> None:
    main = _new_main()
    path = os.path.abspath(path)
    main.__dict__.update(__file__=path, __loader__=SourceFileLoader("__main__", path), __cached__=None)
    with io.open_code(path) as file:
        code = compile(file.read(), path, "exec", dont_inherit=True)
    exec(code, main.__dict__)  # noqa: S102  what an interpreter is for


def _run_module(name: str) -> None:
    _new_main()
    runpy._run_module_as_main(name)  # type: ignore[attr-defined]  # what ``python -m`` itself calls


def _run_code(text: str) -> None:
    exec(compile(text, "<string>", "exec", dont_inherit=True), _new_main().__dict__)  # noqa: S102  what an interpreter is for


def _exit_code(code: object) -> int:
    if code is None:
        return 0
    if isinstance(code, int):
        return code & 0xFF
    print(code, file=sys.stderr)
    return 1


def _report(error: BaseException) -> int:
    """Through ``sys.excepthook``, without the frames of this module."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_globals.get("__name__") == __name__:
        trace = trace.tb_next
    sys.excepthook(type(error), error, trace)
    if isinstance(error, KeyboardInterrupt):
        _finish(130)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    return 1


def _finish(code: int) -> int:
    """What an interpreter does at its end: wait for threads, call exit handlers, close what the program left open.

    Then the process ends at once: taking down the imported libraries costs more than many jobs take.
    """
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    written = _flush_streams()
    _clear_program()
    gc.collect()
    written = _flush_streams() and written
    kernel.flush_stdio()
    return code if written else _NOT_WRITTEN


def _flush_streams() -> bool:
    written = True
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None and not stream.closed:
                stream.flush()
        except (OSError, ValueError):
            written = written and stream is not sys.stdout
    return written


def _clear_program() -> None:
    """Let go of the program's own globals, so that open files are flushed and finalizers run."""
    sys.setswitchinterval(1000)  # threads that are still there (daemons) are not to run on cleared globals
    threading.excepthook = lambda _: None
    for module in [sys.modules.get("__main__"), *_programs_modules()]:
        if isinstance(module, types.ModuleType):
            for key in [key for key in module.__dict__ if not key.startswith("__")]:
                module.__dict__[key] = None


def _programs_modules() -> Iterator[types.ModuleType]:
    """The modules that came from the program's own folders.

    Looks at those imported last only: every object that is looked at is a page of memory copied from the zygote.
    """
    for name in reversed(list(itertools.takewhile(lambda name: name != _imported.last_module, reversed(sys.modules)))):
        file = getattr(sys.modules[name], "__file__", None)
        if file and not file.startswith(tuple(_imported.path)):
            yield sys.modules[name]
