"""The user's program: brought to /opt/ml/code from where the job says it is, with what it requires installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from .errors import ScriptError, UserError
from .unpacking import unpack_all

REQUIREMENTS = "requirements.txt"
_REASON = 900
"""Of a FailureReason's 1024 characters, those left for what a program said."""


def bring(address: str, folder: Path) -> None:
    """Fetch and unpack a source archive (``s3://…``, a path), or copy a folder.

    Raises:
        UserError: there is none at that address, or it is no archive.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if address.startswith("s3://"):
        archive = folder.parent / "sourcedir.tar.gz"
        _download(address, archive)
        _unpack(archive, folder)
        archive.unlink()
        return
    path = Path(address.removeprefix("file://"))
    if path.is_dir():
        if path.resolve() != folder.resolve():
            shutil.copytree(path, folder, dirs_exist_ok=True)
    elif tarfile.is_tarfile(path) if path.is_file() else False:
        _unpack(path, folder)
    elif path.is_file():
        shutil.copy2(path, folder)
    else:
        raise UserError(f"sagemaker_submit_directory: there is nothing at {address}")


def _download(address: str, target: Path) -> None:
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    parts = urlsplit(address)
    endpoint = os.environ.get("S3_ENDPOINT_URL") or None
    try:
        boto3.client("s3", endpoint_url=endpoint).download_file(parts.netloc, parts.path.lstrip("/"), str(target))
    except (BotoCoreError, ClientError) as error:
        raise UserError(f"sagemaker_submit_directory: {address} cannot be downloaded: {error}") from error


def _unpack(archive: Path, folder: Path) -> None:
    try:
        with tarfile.open(archive) as tar:
            unpack_all(tar, folder)
    except tarfile.TarError as error:
        raise UserError(f"{archive} is not an archive that can be unpacked: {error}") from error


def install_requirements(folder: Path) -> None:
    """``pip install`` what the program's folder asks for, if it does.

    Raises:
        ScriptError: pip cannot.
    """
    if (folder / REQUIREMENTS).is_file():
        run([sys.executable, "-m", "pip", "install", "-r", REQUIREMENTS], folder, "InstallRequirementsError")


def run(command: list[str], folder: Path, kind: str, environ: Mapping[str, str] | None = None) -> None:
    """Run a program in ``folder``, its output passed on as it comes.

    Raises:
        ScriptError: it ended with an error; the message has the end of what it wrote to standard error.
    """
    with subprocess.Popen(command, cwd=folder, env=environ, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        said = bytearray()
        while data := os.read(process.stderr.fileno(), 65536):
            os.write(2, data)
            said += data
            del said[:-65536]
    if process.returncode:
        text = said.decode(errors="replace")
        raise ScriptError(kind, process.returncode, reason(text), " ".join(command))


def reason(text: str) -> str:
    """The last traceback in ``text``, else its end; short enough for a FailureReason, its last line kept."""
    start = text.rfind("Traceback (most recent call last):")
    text = (text[start:] if start >= 0 else text).strip()
    return text if len(text) <= _REASON else "…" + text[-_REASON:]
