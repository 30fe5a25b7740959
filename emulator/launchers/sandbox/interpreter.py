"""Run a ``python …`` command line in a forked process exactly as a new interpreter would run it.

Every object that is looked at here is a page of memory copied from the zygote, at some microseconds each: hence the
care to look at few.
"""

from __future__ import annotations

import atexit
import codecs
import contextlib
import gc
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
from importlib.machinery import SourceFileLoader
from typing import Any, NoReturn

from . import kernel
from .command_line import CommandLine
from .fit import fits, imported, locale_of, python_path
from .process import execute, find_program

_NOT_WRITTEN = 120  # CPython's exit code where standard output could not be flushed
_KEYBOARD_INTERRUPT = -signal.SIGINT


def run(payload: dict[str, Any]) -> int:
    """Be the program of ``payload``; its exit code, or the negative number of the signal it is to end by."""
    with contextlib.suppress(OSError):
        os.chdir(payload["workdir"])
    _know_base()
    line = CommandLine.parse(payload["command"][1:])
    if line is None or not fits(line, payload["env"]):
        _run_cold(payload)
    _take_environment(payload["env"])
    _take_line(line, payload["command"])
    _make_streams(line, payload["env"])
    _forget_zygote()
    _reseed()
    return _finish(_execute(line))


def _know_base() -> None:
    """Before Python 3.11 an environment's interpreter takes itself for the base one, which would lead back here."""
    if tuple(sys.version_info) < (3, 11):
        name = "python{}.{}".format(*sys.version_info)
        sys._base_executable = os.path.join(sys.base_prefix, "bin", name)  # type: ignore[attr-defined]


def _run_cold(payload: dict[str, Any]) -> NoReturn:
    """The real interpreter, told by ``argv[0]`` that it is the environment's."""
    command, env = payload["command"], payload["env"]
    python = find_program(command[0], env) or sys.executable
    base: str = sys._base_executable  # type: ignore[attr-defined]
    execute([python, *command[1:]], env, payload["workdir"], base)


def _take_environment(env: dict[str, str]) -> None:
    os.environ.clear()
    os.environ.update(imported.set_by_imports | env)
    time.tzset()


def _take_line(line: CommandLine, command: list[str]) -> None:
    sys.executable = find_program(command[0], dict(os.environ)) or sys.executable
    sys.path[:] = [line.folder, *python_path(os.environ), *imported.path]
    sys.argv[:] = [line.target if line.mode == "script" else line.mode, *line.arguments]
    sys.orig_argv[:] = command
    if line.no_bytecode or os.environ.get("PYTHONDONTWRITEBYTECODE"):
        sys.dont_write_bytecode = True


def _make_streams(line: CommandLine, env: dict[str, str]) -> None:
    """Standard streams as a new interpreter opens them on a pipe."""
    encoding, _, errors = env.get("PYTHONIOENCODING", "").partition(":")
    encoding = codecs.lookup(encoding).name if encoding else "utf-8"
    # PEP 538, PEP 540: in the C locale, bytes that are not UTF-8 pass through
    errors = errors or ("surrogateescape" if locale_of(env) in ("C", "POSIX", "C.UTF-8", "C.UTF8") else "strict")
    unbuffered = line.unbuffered or bool(env.get("PYTHONUNBUFFERED"))
    _set_stream("stdin", io.BufferedReader(_raw(0, "rb")), encoding, errors)
    for number, name in ((1, "stdout"), (2, "stderr")):
        raw = _raw(number, "wb")
        handling = errors if number == 1 else "backslashreplace"
        by_line = number == 2 or os.isatty(1)
        _set_stream(name, raw if unbuffered else io.BufferedWriter(raw), encoding, handling, by_line, unbuffered)


def _raw(number: int, mode: str) -> io.FileIO:
    raw = io.FileIO(number, mode, closefd=False)
    raw.name = ("<stdin>", "<stdout>", "<stderr>")[number]
    return raw


def _set_stream(
    name: str, buffer: Any, encoding: str, errors: str, by_line: bool = False, write_through: bool = False
) -> None:
    stream = io.TextIOWrapper(buffer, encoding, errors, None, by_line, write_through)
    stream.mode = "r" if name == "stdin" else "w"  # type: ignore[misc]
    setattr(sys, name, stream)
    setattr(sys, f"__{name}__", stream)


def _forget_zygote() -> None:
    """Take the sandbox's own modules out of a program's sight; what runs keeps them alive."""
    for name in imported.own_modules:
        sys.modules.pop(name, None)
    if signal.getsignal(signal.SIGINT) != signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _reseed() -> None:
    """Every process its own random numbers. ``random`` does it by itself at a fork."""
    if numpy_random := sys.modules.get("numpy.random"):
        numpy_random.seed()
    if torch := sys.modules.get("torch"):
        torch.seed()


def _execute(line: CommandLine) -> int:
    """Run the program; an uncaught error is reported and turned into an exit code as the interpreter does it."""
    main = types.ModuleType("__main__")
    main.__dict__.update(__builtins__=sys.modules["builtins"], __annotations__={})
    sys.modules["__main__"] = main
    try:
        if line.code is None:
            runpy._run_module_as_main(line.target)  # type: ignore[attr-defined]  # what ``python -m`` itself calls
        else:
            _run_code(line, main)
    except SystemExit as stop:
        return _exit_code(stop.code)
    except BaseException as error:  # noqa: BLE001  this is the interpreter's outermost frame: report and end
        return _report(error)
    return 0


def _run_code(line: CommandLine, main: types.ModuleType) -> None:
    assert line.code is not None
    if line.mode == "script":
        loader = SourceFileLoader("__main__", line.path)
        main.__dict__.update(__file__=line.path, __loader__=loader, __cached__=None)
    try:
        exec(line.code, main.__dict__)  # noqa: S102  what an interpreter is for
    finally:
        if line.mode == "script":
            _flush_streams()  # as CPython does it before it reports an error


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
    sys.excepthook(type(error), error.with_traceback(trace), trace)
    return _KEYBOARD_INTERRUPT if isinstance(error, KeyboardInterrupt) else 1


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
    """The modules that came from the program's own folders; they are among those imported last."""
    new = itertools.takewhile(lambda name: name != imported.last_module, reversed(sys.modules))
    for module in [sys.modules[name] for name in reversed(list(new))]:
        file = getattr(module, "__file__", None)
        if file and not file.startswith(tuple(imported.path)):
            yield module
