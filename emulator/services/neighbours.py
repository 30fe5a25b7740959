"""SageMaker's neighbours that keep state of their own: queues, images, functions, and what works for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from emulator.engine.scheduler import Scheduler
from emulator.services.courier import Courier
from emulator.services.lambda_.invocations import Functions
from emulator.services.lambda_.polling import Pollers
from emulator.store.image_layers import ImageLayers
from emulator.store.images import Images
from emulator.store.messages import Messages
from emulator.store.queues import Queues

if TYPE_CHECKING:
    from emulator.services.context import App


class Neighbours:
    """Their parts in one emulator; ``recover`` begins to work, ``close`` ends it."""

    def __init__(self, app: App) -> None:
        self._clock = Scheduler("neighbours")
        self.queues = Queues(app.resources.database)
        self.messages = Messages(self.queues)
        self.images = Images(app.resources.database)
        self.layers = ImageLayers(app.resources.database, app.settings.data_dir / "images")
        self.functions = Functions(app, self._clock)
        self.courier = Courier(app)
        self.pollers = Pollers(app)

    def recover(self) -> None:
        """Take up what an earlier emulator left unfinished, and go on."""
        self._clock.start()
        self.functions.recover()
        self.courier.start()
        self.pollers.start()

    def close(self) -> None:
        """State stays as it is."""
        self.courier.close()
        self.pollers.close()
        self.functions.close()
        self._clock.close()
