"""``pip`` as jobs have it: what an earlier job installed is taken from the emulator instead of being installed again.

In a sandbox this file lies where pip's own ``__main__`` is. Requirements that mean the same to every job are asked of
the emulator, which has pip install them once; everything else goes to pip. Imports the standard library only.
"""

from __future__ import annotations

import importlib
import json
import os
import re
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from http.client import HTTPResponse

URL = "EMULATOR_REQUIREMENTS_URL"
"""Where the emulator answers; a job without it has pip alone."""
RECORD = "EMULATOR_PIP_RECORD"
"""Set where the emulator itself installs: the archive that gets what pip adds and the list of what it removes."""
REMOVED = ".removed"
CHANGED = ".changed-by-pip"
"""In the environment once anything in it was changed: what comes next depends on that, so it is left to pip."""
_FLAGS = {
    "-U", "--upgrade", "-q", "-qq", "--quiet", "-v", "--verbose", "--no-cache-dir", "--no-input", "--pre", "--no-deps",
    "--disable-pip-version-check", "--prefer-binary", "--no-warn-script-location", "--no-color", "--root-user-action",
    "--no-warn-conflicts", "--ignore-installed", "-I", "--force-reinstall", "--break-system-packages",
}  # fmt: skip
_WITH_VALUE = {
    "-i", "--index-url", "--extra-index-url", "-f", "--find-links", "--trusted-host", "--timeout", "--retries",
    "--progress-bar", "--only-binary", "--no-binary", "--upgrade-strategy", "--root-user-action",
}  # fmt: skip
_OWN_FOLDER = "/opt/ml"
CONDA_ENVIRONMENTS = "/opt/conda/envs/"
"""Where the stand-in for conda makes them (``emulator_conda.environments``): new ones have pip alone."""
_TO_ERROR = ("ERROR:", "WARNING:", "[notice]")
"""What pip says on its standard error."""
_INDIFFERENT = {"PIP_CACHE_DIR", "PIP_LOG"}
"""Variables that do not decide what is installed. Remote functions of the SDKs set the first, to a job's own folder."""
_COMMENT = re.compile(r"(^|\s+)#.*$")
_ONLY_HERE = re.compile(r"(^|[\s@=])(\.{0,2}/|~|file:|git\+|-e\b|--editable)|\$\{|\.(whl|zip|tar\.gz|tgz)\b")
"""What another job may have otherwise: paths, working copies, variables."""


def main(arguments: list[str]) -> int:
    if record := os.environ.get(RECORD):
        return _record(arguments, Path(record))
    url, changed = os.environ.get(URL), Path(sys.prefix, CHANGED)
    asked = read_request(arguments) if url and not changed.exists() else None
    before = _installed()
    try:
        return _offered(url, asked) if url and asked else _pip(arguments)
    except OSError as error:
        print(f"the emulator's cache of requirements does not answer ({error}): installing", flush=True)
        return _pip(arguments)
    finally:
        if _installed() != before:
            changed.touch()


def read_request(arguments: list[str]) -> dict[str, list[str]] | None:
    """``pip install``'s options and requirements; None where they mean something to this job only."""
    if arguments[:1] != ["install"]:
        return None
    words, options, lines = list(arguments[1:]), list[str](), list[str]()
    while words:
        word = words.pop(0)
        name = word.partition("=")[0]
        if word in ("-r", "--requirement") and words:
            lines += _lines(Path(words.pop(0)))
        elif name == "--requirement" or (word.startswith("-r") and not word.startswith("--")):
            lines += _lines(Path(word.removeprefix("--requirement=").removeprefix("-r")))
        elif word in _FLAGS or (name in _WITH_VALUE and "=" in word):
            options.append(word)
        elif word in _WITH_VALUE and words:
            options += [word, words.pop(0)]
        else:
            lines.append(word)
    if not lines or any(_is_only_here(text) for text in [*options, *lines]):
        return None
    if any(_OWN_FOLDER in value for value in _variables().values()):
        return None
    return {"options": options, "requirements": lines}


def _variables() -> dict[str, str]:
    """By which pip is told what a command line does not say."""
    return {name: value for name, value in os.environ.items() if name.startswith("PIP_") and name not in _INDIFFERENT}


def _prefix() -> dict[str, str]:
    """Named where it is not the image's own environment."""
    return {"prefix": sys.prefix} if sys.prefix.startswith(CONDA_ENVIRONMENTS) else {}


def _is_only_here(text: str) -> bool:
    if text.startswith("-"):
        name, _, value = text.replace(" ", "=", 1).partition("=")
        return name not in _FLAGS | _WITH_VALUE or bool(_ONLY_HERE.search(value.strip()))
    return bool(_ONLY_HERE.search(text)) or Path(text).exists()


def _lines(file: Path) -> Iterator[str]:
    """The requirements of a file and of those it includes, each on one line."""
    try:
        text = file.read_text(encoding="utf-8").replace("\\\n", " ")
    except (OSError, UnicodeDecodeError):
        yield "./unreadable"  # pip says it better
        return
    for raw in text.splitlines():
        line = _COMMENT.sub("", raw).strip()
        if match := re.match(r"(?:-r|--requirement)[\s=]*(\S+)$", line):
            yield from _lines(file.parent / match[1])
        elif line:
            yield line


def _offered(url: str, asked: dict[str, list[str]]) -> int:
    """
    Raises:
        OSError: the emulator's answer cannot be used.
    """
    from http.client import HTTPException
    from tarfile import TarError

    try:
        return _take(url, asked)
    except (HTTPException, TarError) as error:
        raise ConnectionError(repr(error)) from error


def _take(url: str, asked: dict[str, list[str]]) -> int:
    """Have the emulator install them, unless it has already, and put the result into this environment."""
    body = json.dumps({**asked, **_prefix(), "environment": _variables()})
    word, argument = "", ""
    with _call("POST", url, body) as answer:
        for line in answer:
            word, _, argument = line.decode().rstrip("\n").partition(" ")
            if word == "said":
                print(argument, file=sys.stderr if argument.startswith(_TO_ERROR) else sys.stdout, flush=True)
    if word == "failed":
        return int(argument)
    if word != "layer":
        raise ConnectionError("its answer has no end")
    with _call("GET", f"{url}/{argument}") as answer:
        _put(answer)
    return 0


def _call(method: str, url: str, body: str | None = None) -> HTTPResponse:
    """Imports here and below are late: the emulator, and most calls of pip, do without."""
    from http.client import HTTPConnection

    parts = urlsplit(url)
    connection = HTTPConnection(parts.hostname or "", parts.port)
    connection.request(method, parts.path, body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    if answer.status != 200:
        raise ConnectionError(f"{answer.status} {answer.reason}")
    return answer


def _put(content: IO[bytes] | HTTPResponse) -> None:
    import tarfile

    # Python has filters from 3.11.4 on, and later warns without one; a layer is what the emulator's own pip installed.
    filtered: dict[str, Any] = {"filter": "tar"} if hasattr(tarfile, "tar_filter") else {}
    with tarfile.open(fileobj=content, mode="r|") as tar:
        for member in tar:
            file = tar.extractfile(member) if member.name == REMOVED else None
            if file is None:
                tar.extract(member, sys.prefix, **filtered)
                continue
            for name in file.read().decode().splitlines():
                _remove(Path(sys.prefix, name))


def _remove(path: Path) -> None:
    """And the folders that it leaves empty: by them one sees that a distribution has gone."""
    path.unlink(missing_ok=True)
    for folder in path.parents:
        if folder == Path(sys.prefix) or not folder.is_dir() or any(folder.iterdir()):
            return
        folder.rmdir()


def _record(arguments: list[str], target: Path) -> int:
    import tarfile

    before = _distributions()
    if code := _pip(arguments):
        return code
    after = _distributions()
    removed = [name for key, names in before.items() if key not in after for name in names]
    added = [name for key, names in after.items() if key not in before for name in names]
    with tarfile.open(target, "w") as tar:
        listed = target.with_suffix(REMOVED)
        listed.write_text("".join(f"{name}\n" for name in removed))
        tar.add(listed, REMOVED)
        for name in dict.fromkeys(added):
            if Path(sys.prefix, name).is_file():
                tar.add(Path(sys.prefix, name), name)
    return 0


def _installed() -> set[str]:
    return {path.name for path in Path(sysconfig.get_path("purelib")).glob("*.dist-info")}


def _distributions() -> dict[tuple[str, int], list[str]]:
    """Each installed distribution, told from its other versions, to its files relative to the environment."""
    import csv

    site = Path(sysconfig.get_path("purelib"))
    found = {}
    for record in site.glob("*.dist-info/RECORD"):
        with record.open(newline="", encoding="utf-8") as file:
            paths = [os.path.normpath(site / row[0]) for row in csv.reader(file) if row]
        inside = [os.path.relpath(path, sys.prefix) for path in paths if path.startswith(f"{sys.prefix}{os.sep}")]
        found[record.parent.name, record.stat().st_mtime_ns] = inside
    return found


def _pip(arguments: list[str]) -> int:
    """The environment's own pip, which this file hides."""
    code: Any = importlib.import_module("pip._internal.cli.main").main(arguments)
    return int(code)


if __name__ == "__main__":
    if sys.path[0] in ("", str(Path.cwd())):  # as pip itself: modules of the working directory are not meant
        sys.path.pop(0)
    sys.exit(main(sys.argv[1:]))
