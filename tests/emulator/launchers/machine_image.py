"""An image made of this machine's own Python and a few of its programs: nothing is downloaded for it."""

import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from emulator.images.engine import Engine

PROGRAMS = (
    "sh", "cat", "chmod", "echo", "env", "false", "head", "ls", "mkdir", "mv", "printf", "rm", "setsid", "sleep",
    "touch", "true", "yes",
)  # fmt: skip
PACKAGES = ("numpy", "numpy.libs", "scipy", "scipy.libs", "xgboost", "xgboost.libs", "xgboost_cpu.libs")
REFERENCE = "localhost/sagemaker-emulator-tests:1"
_LIBRARY = re.compile(r"(?:=> )?(/\S+) \(0x")
DOCKERFILE = f"""
FROM scratch
COPY root /
ENV PATH={sys.base_prefix}/bin:/bin PYTHONPATH=/packages LANG=C.UTF-8
CMD ["python3"]
"""


def make(engine: Engine, folder: Path) -> str:
    """Build it with ``engine`` in ``folder``; its name."""
    root = folder / "root"
    for name in ("tmp", "etc", "root", "bin"):
        (root / name).mkdir(parents=True, exist_ok=True)
    (root / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")
    programs = [Path(found) for name in PROGRAMS if (found := shutil.which(name))]
    for program in programs:
        shutil.copy(program.resolve(), root / "bin" / program.name)
    base = root / sys.base_prefix[1:]
    left_out = shutil.ignore_patterns("test", "tests", "idlelib", "__pycache__", "config-*", "site-packages")
    shutil.copytree(f"{sys.base_prefix}/lib", base / "lib", symlinks=True, ignore=left_out, dirs_exist_ok=True)
    (base / "bin").mkdir(exist_ok=True)
    interpreter = Path(sys.executable).resolve()
    shutil.copy(interpreter, base / "bin" / interpreter.name)
    (base / "bin/python3").symlink_to(interpreter.name)
    site = Path(sysconfig.get_path("purelib"))
    for name in PACKAGES:
        if (site / name).is_dir():
            shutil.copytree(
                site / name, root / "packages" / name, ignore=shutil.ignore_patterns("tests", "__pycache__")
            )
    for library in _libraries([*programs, interpreter, *(root / "packages").rglob("*.so"), *base.rglob("*.so")]):
        target = root / library[1:]
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(library, target)
    (folder / "Dockerfile").write_text(DOCKERFILE)
    engine.follow(["build", "--tag", REFERENCE, str(folder)], lambda line: None)
    return REFERENCE


def _libraries(files):
    """What the files are linked to, on this machine and outside of themselves."""
    found = set()
    for start in range(0, len(files), 50):
        chunk = [str(file) for file in files[start : start + 50]]
        said = subprocess.run(["ldd", *chunk], capture_output=True, text=True).stdout
        found |= {path for path in _LIBRARY.findall(said) if not path.startswith(("/tmp/", sys.base_prefix))}
    return sorted(path for path in found if "/packages/" not in path)
