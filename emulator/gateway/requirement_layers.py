"""``/_emulator/requirements/KEY``: where a job's pip asks for requirements that were installed before. Not of AWS.

``POST`` with what is to be installed answers lines: ``said TEXT`` as pip says it, at the end ``layer NAME`` or
``failed CODE``; ``GET …/NAME`` is the layer's archive. The key is a job's own, and known as long as the job runs.
"""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

from emulator.aws.errors import AccessDenied, ValidationException
from emulator.gateway.wire import WireRequest
from emulator.jobs.requirements import LayerFailed, RequirementLayers, Wanted

if TYPE_CHECKING:
    from starlette.responses import Response

PREFIX = "/_emulator/requirements/"


def answer(layers: RequirementLayers, request: WireRequest) -> Response:
    """Give a job a layer's file, or make the layer of what it wants and tell it meanwhile what pip says.

    Raises:
        AwsError: no job has the key, or the request is not of this form.
    """
    from starlette.responses import FileResponse, StreamingResponse

    key, _, name = request.path.removeprefix(PREFIX).partition("/")
    if not layers.knows(key):
        raise AccessDenied("Only a job that runs may ask for requirements.")
    if request.method == "GET":
        try:
            return FileResponse(layers.path(name))
        except FileNotFoundError as error:
            raise ValidationException(f"There is no layer {name}.") from error
    try:
        wanted = Wanted.read(json.loads(request.body))
    except ValueError as error:
        raise ValidationException(f"The body says no requirements: {error}") from error
    return StreamingResponse(_install(layers, key, wanted), media_type="text/plain")


def _install(layers: RequirementLayers, key: str, wanted: Wanted) -> Iterator[str]:
    """In a thread of its own, so that a job that goes away leaves a layer all the same."""
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()

    def work() -> None:
        try:
            lines.put(f"layer {layers.layer(key, wanted, lambda text: lines.put(f'said {text}'))}")
        except LayerFailed as error:
            lines.put(f"failed {error.code}")
        finally:
            lines.put(None)

    threading.Thread(target=work, name="requirements", daemon=True).start()
    while (line := lines.get()) is not None:
        yield f"{line}\n"
