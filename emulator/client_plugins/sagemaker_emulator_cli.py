"""A plugin of the AWS CLI: commands whose address the CLI hard-codes go to ``AWS_ENDPOINT_URL`` as all others do.

AWS CLI version 1 gives ``aws sqs`` (and rds, emr, health) the address ``queue.amazonaws.com`` as if the user had said
``--endpoint-url``, which wins over the environment, and keeps botocore's client plugins off. ``emulator env`` and
``emulator exec`` name this module in the section ``plugins`` of the file in ``AWS_CONFIG_FILE``. Version 2 has no such
addresses and ignores the section. It runs in the CLI's own Python, so it imports nothing but the standard library.
"""

from __future__ import annotations

import os
from typing import Any


def awscli_initialize(event_handlers: Any) -> None:
    """Called by the CLI at its start. The CLI's own handler is registered as the last one: this comes before it."""
    event_handlers.register("before-building-argument-table-parser", _to_emulator)


def _to_emulator(parsed_globals: Any, **_: Any) -> None:
    """Say ``--endpoint-url`` where the user has not."""
    if parsed_globals.endpoint_url is None:
        parsed_globals.endpoint_url = os.environ.get("AWS_ENDPOINT_URL") or None
