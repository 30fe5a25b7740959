"""Archives that others made, unpacked without trusting them."""

from __future__ import annotations

import tarfile
import zlib
from pathlib import Path
from typing import IO

from emulator.images.aws.toolkit.unpacking import LeadsOutside, unpack_all
from emulator.jobs.failures import JobFailure


def unpack(stream: IO[bytes], folder: Path, uri: str) -> None:
    """Unpack a ``.tar.gz`` into a folder; nothing that it holds can be, or lead, outside of the folder.

    Raises:
        JobFailure: it is no archive, is cut off, or has a member that leads outside.
    """
    try:
        with tarfile.open(fileobj=stream, mode="r:*") as archive:
            unpack_all(archive, folder)
    except LeadsOutside as error:
        raise _refused(uri, str(error)) from error
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise _refused(uri, f"{type(error).__name__}: {error}") from error


def _refused(uri: str, why: str) -> JobFailure:
    return JobFailure(
        f'ClientError: Failed to extract model data archive from URL "{uri}". Please ensure that the object located at'
        f" the URL is a valid tar.gz archive. ({why})"
    )
