"""Which images the settings ask for: Python environments, or those of a container engine."""

from __future__ import annotations

from emulator.images.container_images import ContainerImages
from emulator.images.engine import Engine
from emulator.images.images import Images
from emulator.images.mapping import Mapping
from emulator.settings import Settings


def select_images(settings: Settings) -> Images:
    """
    Raises:
        SettingsError: the engine that is asked for is not there.
    """
    folders, mapping = (settings.containers_dir, settings.cache_dir), Mapping.parse(settings.image_map)
    engine = Engine.chosen(settings)
    return Images(*folders, mapping) if engine is None else ContainerImages(*folders, engine, mapping)
