"""SageMaker's neighbours that keep state of their own: queues, and what works in the background for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from emulator.store.messages import Messages
from emulator.store.queues import Queues

if TYPE_CHECKING:
    from emulator.services.context import App


class Neighbours:
    """Their parts in one emulator; ``recover`` begins to work, ``close`` ends it."""

    def __init__(self, app: App) -> None:
        self.queues = Queues(app.resources.database)
        self.messages = Messages(self.queues)

    def recover(self) -> None:
        """Take up what an earlier emulator left unfinished."""

    def close(self) -> None:
        """State stays as it is."""
