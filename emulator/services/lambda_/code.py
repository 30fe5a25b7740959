"""The code of functions: zip files, unpacked once into folders named by their content, which never change."""

from __future__ import annotations

import base64
import hashlib
import io
import shutil
import stat
import uuid
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emulator.aws.errors import AwsError, NotImplementedHere
from emulator.aws.operations import Request
from emulator.services.context import Context
from emulator.services.lambda_.errors import InvalidParameter

MAX_UNPACKED = 262_144_000
CODE_PATH = "/_emulator/functions/"
"""Where the emulator gives out zip files, by a name that only who has the content or asked GetFunction can know."""


@dataclass(frozen=True, slots=True)
class Code:
    """``digest`` names the folder; ``sha256`` and ``size`` are what the API shows of the zip."""

    digest: str
    sha256: str
    size: int


class CodeStore:
    def __init__(self, root: Path) -> None:
        self._root = root

    def folder(self, digest: str) -> Path:
        return self._root / digest

    def archive(self, digest: str) -> Path:
        """The zip file as it came; there is none of functions that were made before it was kept."""
        return self._root / f"{digest}.zip"

    def add(self, data: bytes) -> Code:
        """Keep a zip file.

        Raises:
            InvalidParameter: it is none, is too large, or leads out of its folder.
        """
        hashed = hashlib.sha256(data)
        code = Code(hashed.hexdigest()[:32], base64.b64encode(hashed.digest()).decode(), len(data))
        if not self.folder(code.digest).is_dir():
            self._unpack(data, code.digest)
        if not self.archive(code.digest).is_file():
            self._keep(data, code.digest)
        return code

    def _unpack(self, data: bytes, digest: str) -> None:
        aside = self._root / f"{digest}.{uuid.uuid4().hex}"
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                if sum(member.file_size for member in archive.infolist()) > MAX_UNPACKED:
                    raise InvalidParameter(f"Unzipped size must be smaller than {MAX_UNPACKED} bytes")
                aside.mkdir(parents=True)
                for member in archive.infolist():
                    _extract(archive, member, aside)
            aside.rename(self.folder(digest))
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
            raise InvalidParameter("Could not unzip uploaded file. Please check your file, then try to upload again."
                                   ) from error  # fmt: skip
        except OSError:
            if not self.folder(digest).is_dir():  # else another request has just unpacked the same
                raise
        finally:
            shutil.rmtree(aside, ignore_errors=True)

    def _keep(self, data: bytes, digest: str) -> None:
        aside = self.archive(f"{digest}.{uuid.uuid4().hex}")
        aside.write_bytes(data)
        aside.rename(self.archive(digest))


def _extract(archive: zipfile.ZipFile, member: zipfile.ZipInfo, folder: Path) -> None:
    mode = member.external_attr >> 16
    if stat.S_ISLNK(mode):
        raise InvalidParameter(f"The member {member.filename[:200]!r} is a symbolic link, which is not unpacked here.")
    target = folder / member.filename
    if folder not in target.resolve().parents and target.resolve() != folder:
        raise InvalidParameter(f"The member {member.filename[:200]!r} of the zip file leads out of its folder.")
    archive.extract(member, folder)
    if not member.is_dir():
        target.chmod(0o755 if mode & 0o100 else 0o644)


def code_of(request: Request, context: Context) -> Code:
    """The code that CreateFunction's ``Code`` or UpdateFunctionCode's own members give.

    Raises:
        InvalidParameter: there is none, or it cannot be used.
    """
    if request.get("ImageUri"):
        raise NotImplementedHere("The emulator does not run Lambda functions of container images; give a zip file.")
    if request.get("ZipFile"):
        return context.app.neighbours.functions.code.add(_as_bytes(request["ZipFile"]))
    if request.get("S3Bucket") and request.get("S3Key"):
        return context.app.neighbours.functions.code.add(_from_s3(request, context))
    raise InvalidParameter("Please provide a source for function code.")


def _as_bytes(data: Any) -> bytes:
    return data if isinstance(data, bytes) else bytes(data)


def _from_s3(request: Request, context: Context) -> bytes:
    if request.get("S3ObjectVersion"):
        raise NotImplementedHere("The emulator does not have S3ObjectVersion of a function's code yet.")
    try:
        return context.app.objects.read(request["S3Bucket"], request["S3Key"])
    except AwsError as error:
        message = f"Error occurred while GetObject. S3 Error Code: {error.code}. S3 Error Message: {error.message}"
        raise InvalidParameter(message) from error
