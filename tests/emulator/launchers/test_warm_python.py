"""Python from a warm process does what a new interpreter does: every case is run both ways and compared."""

# ruff: noqa: E501 - programs and commands are easier to read unbroken
import re
import shlex
import signal
import sys
import textwrap
import zipfile
from pathlib import Path

import pytest

from .workshop import PRELOAD, Workshop, environment_of_tests

SCRIPT = ["python3", "/opt/ml/s.py"]

PROGRAMS = {
    "who am I": """
        import os, sys
        print(__name__, __file__, __spec__, __package__, __doc__, type(__loader__).__name__, __builtins__)
        print(sys.argv, sys.path, sys.executable, sys.prefix, sys.base_prefix, sys.flags, sys.orig_argv[1:])
        print(os.getcwd(), oct(os.umask(0)), sorted(globals()), sorted(os.listdir("/proc/self/fd")))
    """,
    "streams": """
        import sys
        for name in ("stdin", "stdout", "stderr"):
            s = getattr(sys, name)
            print(name, s.name, s.mode, s.encoding, s.errors, s.line_buffering, s.write_through, s.fileno(), s.buffer.name)
            print(type(s.buffer).__name__, getattr(sys, f"__{name}__") is s, repr(s))
    """,
    "state of the interpreter": """
        import gc, locale, signal, sys, threading, warnings, multiprocessing
        print([str(signal.getsignal(n)).split(" at ")[0] for n in range(1, 32) if n not in (9, 19)])
        print(gc.isenabled(), gc.get_threshold(), sys.getrecursionlimit(), sys.getswitchinterval())
        print(locale.getpreferredencoding(), locale.setlocale(locale.LC_CTYPE), sys.getfilesystemencoding())
        print(threading.active_count(), threading.current_thread() is threading.main_thread())
        print(multiprocessing.current_process().name, multiprocessing.parent_process())
        print(sys.dont_write_bytecode, sys.gettrace(), sys.excepthook is sys.__excepthook__)
    """,
    "no future is inherited": "def f(x: undefined): pass",
    "annotations": "x: int = 3\nprint(__annotations__)",
    "traceback": "def f(n):\n    return 1 / n\n\nf(0)",
    "chained traceback": "try:\n    {}['x']\nexcept KeyError as e:\n    raise RuntimeError('no x') from e",
    "exception group": "raise ExceptionGroup('two', [ValueError(1), TypeError(2)])",
    "syntax error": "print('never')\nfor x in\n",
    "indentation error": "if True:\nprint(1)\n",
    "null byte": "print(1)\n\0",
    "own excepthook": "import sys\nsys.excepthook = lambda *a: print('mine', a[1])\n1/0",
    "exit without code": "import sys; sys.exit()",
    "exit with text": "import sys; sys.exit('because')",
    "exit with a large code": "import sys; sys.exit(259)",
    "exit with a negative code": "import sys; sys.exit(-1)",
    "exit with an object": "import sys; sys.exit([1, 2])",
    "raise SystemExit": "raise SystemExit(4)",
    "os._exit": "import os; print('lost', end=''); os._exit(7)",
    "keyboard interrupt": "raise KeyboardInterrupt",
    "abort": "import os; os.abort()",
    "atexit": "import atexit; atexit.register(print, 'bye'); print('hi')",
    "atexit that fails": "import atexit; atexit.register(lambda: 1 / 0); print('hi')",
    "thread goes on": "import threading, time\nthreading.Thread(target=lambda: (time.sleep(.2), print('late'))).start()",
    "error in a thread": "import threading; t = threading.Thread(target=lambda: 1 / 0, name='t'); t.start(); t.join()",
    "daemon thread": """
        import threading, time
        def forever():
            while True: time.sleep(0.001)
        threading.Thread(target=forever, daemon=True).start()
        print("done")
    """,
    "file left open": "f = open('/opt/ml/left', 'w'); f.write('all of it'); print('written')",
    "object dies at the end": "class A:\n    def __del__(self): print('deleted')\na = A()\nprint('end')",
    "cycle dies at the end": "class A:\n    def __del__(self): print('deleted')\na = A(); a.a = a",
    "weakref finalizer": "import weakref\nclass A: pass\na = A(); weakref.finalize(a, print, 'finalized')",
    "temporary folder": "import tempfile, os; d = tempfile.TemporaryDirectory(); print(os.path.isdir(d.name))",
    "print without newline": "print('half', end='')",
    "stdout closed": "import sys; sys.stdout.close()",
    "stdout replaced": "import sys, io; sys.stdout = io.StringIO(); print('swallowed')",
    "output of C": "import ctypes; ctypes.CDLL(None).printf(b'from C, no newline')",
    "logging": "import logging; logging.basicConfig(level='INFO'); logging.info('told'); logging.getLogger('x').warning('w')",
    "warning": "import warnings; warnings.warn('look out'); warnings.warn('old', DeprecationWarning)",
    "pickle of main": "import pickle\nclass P: x = 1\nprint(pickle.loads(pickle.dumps(P())).x, P.__module__)",
    "inspect": "import inspect\ndef f(): return 1\nprint(inspect.getsource(f), inspect.getfile(f))",
    "recursion": "def f(n): return f(n + 1)\ntry:\n    f(0)\nexcept RecursionError as e:\n    print(e)",
    "asyncio": "import asyncio\nasync def m():\n    await asyncio.sleep(0.01)\n    return 5\nprint(asyncio.run(m()))",
    "time zone": "import time; print(time.strftime('%H', time.localtime(0)))",
    "local modules": "import helper; from package import part; print(helper.x, part.y, helper.__file__)",
    "a local module hides an installed one": "import xgboost; print(xgboost.mine)",
}
FILES = {
    "local modules": {"helper.py": "x = 1", "package/__init__.py": "", "package/part.py": "y = 2"},
    "a local module hides an installed one": {"xgboost/__init__.py": "mine = True"},
}
ENVIRONMENTS = {"time zone": {"TZ": "Asia/Tokyo"}}

MODULE = "import sys; print(__name__, __file__, sys.argv, sys.path[0], __spec__.name, __package__)"
TREE = {
    "work/pkg/__init__.py": "", "work/pkg/__main__.py": MODULE, "work/mod.py": MODULE, "work/fail.py": "1/0",
    "work/app/__main__.py": "import sys; print('app', sys.argv, sys.path[0])", "work/plain": "print('no suffix')",
    "work/other/lib.py": "z = 9",
}  # fmt: skip

COMMANDS = [
    "python3 -m pkg a -b",
    "python3 -m mod --x",
    "python3 -m fail",
    "python3 -m nothing.there",
    "python3 -c 'import sys; print(sys.argv, sys.path[0], __name__, sorted(globals()))' x -c",
    "python3 -c 'raise ValueError(1)'",
    "python3 -c 'import mod' && echo imported",
    "python3 -u -c 'import sys; print(sys.stdout.write_through)'",
    "python3 -B -c 'import mod; import os; print(os.path.exists(\"__pycache__\"))'",
    "python3 mod.py",
    "python3 ./mod.py -x",
    "python3 plain",
    "python3 app",
    "python3 missing.py",
    "python3 .",
    "python3 -V",
    "python3 -c 'print(1)' < /dev/null",
    "echo 'print(6 * 7)' | python3",
    "echo 'print(6 * 7)' | python3 -",
    "echo data | python3 -c 'import sys; print(sys.stdin.read())'",
    "python3 -W error -c 'import warnings; warnings.warn(\"x\")'",
    "python3 -I -c 'import sys; print(sys.flags.isolated)'",
    "python3 -X utf8 -c 'import sys; print(sys.flags.utf8_mode)'",
    "python3 -O -c 'assert False; print(__debug__)'",
    "PYTHONPATH=other python3 -c 'import lib, sys; print(lib.z, sys.path[:2])'",
    "PYTHONPATH=/opt/ml/work/other: python3 -c 'import sys; print(sys.path[:3])'",
    "PYTHONUNBUFFERED=1 python3 -c 'import sys; print(sys.stdout.write_through, type(sys.stdout.buffer))'",
    "PYTHONDONTWRITEBYTECODE=1 python3 -c 'import sys; print(sys.dont_write_bytecode)'",
    "PYTHONIOENCODING=latin-1:replace python3 -c 'import sys; print(sys.stdout.encoding, sys.stdout.errors, \"é☃\")' | od -c",
    "PYTHONHASHSEED=0 python3 -c 'print(hash(\"x\"))'",
    "PYTHONWARNINGS=error python3 -c 'import warnings; warnings.warn(\"x\")'",
    "PYTHONSAFEPATH=1 python3 -c 'import sys; print(sys.flags.safe_path, sys.path[0])'",
    "LC_ALL=POSIX python3 -c 'import sys; print(sys.stdout.encoding, sys.stdout.errors)'",
    "OMP_NUM_THREADS=1 python3 -c 'import os; print(os.environ[\"OMP_NUM_THREADS\"])'",
    "python3 -c 'print(\"x\" * 100000)' 2>/tmp/errors | head -c 10; cat /tmp/errors",
    "python3 -c 'import sys; print(repr(sys.argv[1]))' \"$(printf 'a\\377b')\"",
    "cd /tmp && python3 -c 'import os; print(os.getcwd(), os.environ[\"PWD\"])'",
    "python3 -c 'import os, signal; os.kill(os.getpid(), signal.SIGTERM)'; echo $?",
    "python3 -c 'import sys; sys.exit(9)' || echo failed with $?",
    "python3 -c 'import sys; print(1); print(2, file=sys.stderr)' 2>&1 >/dev/null",
    'umask 077; python3 -c \'open("/tmp/f", "w")\'; stat -c %a /tmp/f',
    "ulimit -n 50; python3 -c 'import resource; print(resource.getrlimit(resource.RLIMIT_NOFILE))'",
    "exec 3>&1; python3 -c 'import os; os.write(3, b\"three\")'",
    "(trap '' TERM; python3 -c 'import signal; print(signal.getsignal(signal.SIGTERM))')",
    "nice -n 5 python3 -c 'import os; print(os.nice(0))'",
    "pip --version | cut -d' ' -f1-2",
    "python3 -m pip --version | cut -d' ' -f1-2",
]


@pytest.fixture
def cold(namespaces, launchers, tmp_path):
    return Workshop(launchers("process"), tmp_path / "cold", environment_of_tests())


def comparable(output):
    """Without addresses, and with the interpreter's name as a shim knows it."""
    output = re.sub(rb"0x[0-9a-f]+", b"0x", output)
    return output.replace(f"{sys.prefix}/bin/python3:".encode(), b"python3:")


def same(warm_job, cold_job):
    assert comparable(warm_job.output) == comparable(cold_job.output)
    assert warm_job.exit == cold_job.exit


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program(warm, cold, name):
    options = {"env": ENVIRONMENTS.get(name, {})}
    options["files"] = {"s.py": textwrap.dedent(PROGRAMS[name]).lstrip("\n")} | FILES.get(name, {})
    cold_job = cold.run([*SCRIPT, "a", "-b"], **options)
    same(warm.run([*SCRIPT, "a", "-b"], **options), cold_job)
    in_shell = warm.shell(shlex.join([*SCRIPT, "a", "-b"]) + "; exit $?", **options)
    said = re.sub(rb"Aborted( \(core dumped\))?\n", b"", in_shell.output)
    assert comparable(said) == comparable(cold_job.output)
    assert in_shell.exit.code == cold_job.exit.code


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_in_a_shell(warm, cold, command):
    same(*(shop.shell(f"cd /opt/ml/work; {command}", files=TREE) for shop in (warm, cold)))


def is_warm(shop, command="python3 /opt/ml/s.py", before="", **options):
    files = {"s.py": f"import sys; print('{PRELOAD[1]}' in sys.modules)"} | options.pop("files", {})
    return shop.shell(f"{before}\n{command}", files=files, **options).text.splitlines()[-1] == "True"


def test_it_is_warm_everywhere(warm):
    assert warm.script(f"import sys; print('{PRELOAD[1]}' in sys.modules)").text == "True\n"
    assert is_warm(warm)
    assert is_warm(warm, f"{sys.executable} /opt/ml/s.py")
    assert is_warm(warm, "bash -c 'exec python3 /opt/ml/s.py'")
    nested = "import subprocess, sys; subprocess.run([sys.executable, '/opt/ml/s.py'])"
    assert is_warm(warm, "python3 /opt/ml/nested.py", files={"nested.py": nested})


@pytest.mark.parametrize("env", [{"OMP_NUM_THREADS": "1"}, {"PYTHONHASHSEED": "1"}, {"LC_ALL": "de_DE.ISO-8859-1"}])
def test_what_is_read_at_the_start_runs_cold(warm, env):
    assert not is_warm(warm, env=env)


def test_variables_of_the_image_are_read_at_its_start(namespaces, launchers, tmp_path):
    image = environment_of_tests("omp", PRELOAD, {"OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "0"})
    shop = Workshop(launchers("warm"), tmp_path, image)
    assert is_warm(shop)
    assert shop.script("import os; print(os.environ['OMP_NUM_THREADS'], hash('x'))").text == (
        shop.shell('python3 -X dev -c \'import os; print(os.environ["OMP_NUM_THREADS"], hash("x"))\'').text
    )


SITE = Path(sys.prefix) / f"lib/python3.{sys.version_info.minor}/site-packages"


def test_an_added_package_is_found_and_python_stays_warm(warm):
    add = f"mkdir {SITE}/added_by_pip {SITE}/added_by_pip-1.dist-info; echo 'y = 5' > {SITE}/added_by_pip/__init__.py"
    assert is_warm(warm, before=add)
    job = warm.shell(f"{add}\npython3 -c 'import added_by_pip; print(added_by_pip.y)'")
    assert job.text == "5\n"
    assert not (SITE / "added_by_pip").exists()
    assert warm.shell("python3 -c 'import added_by_pip'").exit.code == 1


def test_a_replaced_package_runs_cold(warm):
    assert not is_warm(warm, before=f"cd {SITE}; mv xgboost_cpu-*.dist-info xgboost_cpu-0.0.dist-info")


def test_an_added_pth_file_runs_cold(warm):
    assert not is_warm(warm, before=f"echo /opt > {SITE}/added.pth")


def test_pip_install_in_a_job(warm, tmp_path):
    (tmp_path / "wheels").mkdir()
    with zipfile.ZipFile(tmp_path / "wheels/tiny_thing-1.0-py3-none-any.whl", "w") as wheel:
        info = "tiny_thing-1.0.dist-info"
        wheel.writestr("tiny_thing.py", "value = 11")
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: tiny-thing\nVersion: 1.0\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
    command = "pip install -q --no-index --find-links /opt/wheels-here tiny-thing && python3 -c 'import tiny_thing; print(tiny_thing.value)'"
    job = warm.shell(command, mounts={"/opt/wheels-here": tmp_path / "wheels"})
    assert job.text.splitlines()[-1] == "11"
    assert not (SITE / "tiny_thing.py").exists()


def test_signals_reach_a_python_within_a_shell(warm):
    text = (
        "import os, signal, sys, time\nsignal.signal(signal.SIGTERM, lambda *_: (os.write(1, b'saved'), sys.exit(3)))\n"
    )
    text += "os.write(1, b'ready')\ntime.sleep(60)"
    command = [
        "/bin/bash",
        "-c",
        "trap 'kill -TERM $child' TERM; python3 /opt/ml/s.py & child=$!; wait; wait $child; exit $?",
    ]
    job = warm.start(command, files={"s.py": text})
    job.wait_for(b"ready")
    job.process.terminate()
    assert job.end().code == 3
    assert job.output == b"readysaved"


def test_a_killed_shim_takes_its_python_along(warm):
    text = "import time; open('/opt/ml/alive', 'w'); time.sleep(60)"
    command = """
        python3 /opt/ml/s.py & child=$!
        until [ -e /opt/ml/alive ]; do sleep 0.02; done
        kill -9 $child; wait $child; echo $?; sleep 0.3
        ls /proc | grep -c '^[0-9]'
    """
    job = warm.shell(command, files={"s.py": text})
    code, processes = job.text.split()[-2:]
    assert int(code) == 128 + signal.SIGKILL
    assert int(processes) <= 5  # init, the shell, ls, grep


def test_many_at_once_within_a_job(warm):
    job = warm.shell('for n in $(seq 20); do python3 -c "print($n)" & done; wait')
    assert sorted(map(int, job.text.split())) == list(range(1, 21))


def test_a_preload_that_fails_does_not_stop_jobs(namespaces, launchers, tmp_path, capfd):
    image = environment_of_tests("broken", ["no_such_module", "numpy.random"])
    shop = Workshop(launchers("warm"), tmp_path, image)
    assert shop.script("import sys; print('numpy.random' in sys.modules)").text == "True\n"
    assert "no_such_module" in capfd.readouterr().err


def test_a_preload_that_kills_its_process_does_not_stop_jobs(namespaces, launchers, tmp_path):
    (tmp_path / "deadly.py").write_text("import os; os.abort()")
    image = environment_of_tests("deadly", ["deadly"], {"PYTHONPATH": str(tmp_path)})
    shop = Workshop(launchers("warm"), tmp_path / "jobs", image)
    for _ in range(3):
        assert shop.script("print('fine')").text == "fine\n"
