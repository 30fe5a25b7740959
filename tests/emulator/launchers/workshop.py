"""Run small programs by a launcher and look at what came of them."""

import itertools
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from emulator.images import Environment
from emulator.images.container_images import MERGING_SHELL
from emulator.images.engine import NAMES, Engine
from emulator.launchers import Exit, Launch, Launcher, Mount, Process
from emulator.launchers.containers import ContainerLauncher
from emulator.launchers.namespaces import NamespaceLauncher
from emulator.launchers.redirect import RedirectLauncher

from . import machine_image

PRELOAD = ["numpy.random", "xgboost"]
SECONDS = 60


def environment_of_tests(name="tests", preload=(), env=None, **changes):
    """The interpreter that runs the tests, as an image's environment."""
    roots = [Path(sys.prefix), Path(sys.base_prefix)]
    python = Path(sys.executable)
    return Environment(name, python, Path(sys.prefix) / "bin", roots, list(preload), env or {}, **changes)


def environment_of(launcher: Launcher, preload=()):
    """The same interpreter for every launcher; where jobs run in containers, in an image made of it."""
    if launcher.isolation != "containers":
        return environment_of_tests(preload=preload)
    return environment_of_tests(image=machine_image.REFERENCE, shell=MERGING_SHELL)


def make_launcher(name: str, folder: Path) -> Launcher:
    if name == "redirect":
        return RedirectLauncher("asked for by the test", None)
    if name in NAMES:
        return ContainerLauncher(Engine.find(name), str(folder), RedirectLauncher("not asked for", None))
    return NamespaceLauncher(folder, warm=name == "warm")


@dataclass
class Started:
    process: Process
    directory: Path
    pieces: list[bytes] = field(default_factory=list)
    came: threading.Event = field(default_factory=threading.Event)

    def receive(self, data: bytes) -> None:
        self.pieces.append(data)
        self.came.set()

    @property
    def output(self) -> bytes:
        return b"".join(self.pieces)

    @property
    def text(self) -> str:
        return self.output.decode()

    @property
    def ml(self) -> Path:
        return self.directory / "ml"

    def wait_for(self, text: bytes) -> None:
        deadline = time.monotonic() + SECONDS
        while text not in self.output:
            assert time.monotonic() < deadline, f"{text!r} did not come; there was {self.output!r}"
            time.sleep(0.005)

    def end(self) -> Exit:
        ended = self.process.wait(SECONDS)
        assert ended is not None, f"still running after {SECONDS} s; it wrote {self.output!r}"
        return ended


class Workshop:
    """Starts jobs in folders of their own below ``folder``."""

    def __init__(self, launcher: Launcher, folder: Path, environment: Environment) -> None:
        self.launcher = launcher
        self.environment = environment
        self.folder = folder
        self._numbers = itertools.count()

    def start(
        self,
        command,
        *,
        files=None,
        mounts=None,
        env=None,
        network=True,
        memory=0,
        output=None,
        environment=None,
        outlets=None,
        hostname="algo-1",
        lan=None,
        cpus=(),
    ):
        """``files``: path below ``/opt/ml`` to text; ``mounts``: container path to host folder."""
        directory = self.folder / f"job-{next(self._numbers)}"
        for name, text in (files or {}).items():
            path = directory / "ml" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        started = Started(None, directory)
        (directory / "ml").mkdir(parents=True, exist_ok=True)
        launch = Launch(
            job_id=directory.name,
            directory=directory,
            environment=environment or self.environment,
            command=command,
            env=env or {},
            hostname=hostname,
            hosts=["algo-1", "algo-2"],
            mounts=[Mount(target, source) for target, source in (mounts or {}).items()],
            network=network,
            memory_limit_bytes=memory,
            output=output or started.receive,
            outlets=outlets or {},
            lan=lan,
            cpus=cpus,
        )
        started.process = self.launcher.launch(launch)
        return started

    def run(self, command, **options):
        started = self.start(command, **options)
        started.exit = started.end()
        return started

    def script(self, text, *arguments, **options):
        """Run ``text`` as ``/opt/ml/script.py``."""
        files = {"script.py": text} | options.pop("files", {})
        return self.run(["python3", "/opt/ml/script.py", *arguments], files=files, **options)

    def start_script(self, text, **options):
        return self.start(["python3", "/opt/ml/script.py"], files={"script.py": text}, **options)

    def shell(self, text, **options):
        return self.run(["/bin/sh", "-c", text], **options)


def processes_with(mark: str) -> list[int]:
    """Processes of this machine whose command line has ``mark`` in it."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (path / "cmdline").read_bytes() and (path / "stat").read_text().split()[2] != "Z":
                found.append(int(path.name))
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def gone(mark: str, seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while processes_with(mark):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
