"""``/_emulator/functions/DIGEST.zip``: the code of a function, where its ``Code.Location`` leads. Not of AWS."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from emulator.aws.errors import AccessDenied
from emulator.gateway.wire import WireRequest
from emulator.services.context import App
from emulator.services.lambda_.code import CODE_PATH

if TYPE_CHECKING:
    from starlette.responses import Response

PREFIX = CODE_PATH
_NAME = re.compile(r"([0-9a-f]{32})\.zip")


def answer(app: App, request: WireRequest) -> Response:
    """
    Raises:
        AccessDenied: there is no such code, as S3 answers who has an outdated link.
    """
    from starlette.responses import FileResponse

    found = _NAME.fullmatch(request.path.removeprefix(PREFIX))
    archive = app.neighbours.functions.code.archive(found[1]) if found else None
    if request.method not in ("GET", "HEAD") or archive is None or not archive.is_file():
        raise AccessDenied("Access Denied")
    return FileResponse(archive, media_type="application/zip")
