"""A team's own word on which image a URI means: ``PATTERN=NAME`` pairs, the first that fits counts.

``763104351884.dkr.ecr.*/huggingface-*=transformers, */legacy:*=scikit-learn``: the pattern is a shell's, over the whole
URI; the name is a folder of ``EMULATOR_CONTAINERS_DIR`` or one of the stand-ins.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator
from dataclasses import dataclass

from emulator.settings import SettingsError


@dataclass(frozen=True, slots=True)
class Mapping:
    pairs: tuple[tuple[str, str], ...] = ()

    @classmethod
    def parse(cls, text: str) -> Mapping:
        """
        Raises:
            SettingsError: a pair has no ``=``, or nothing beside it.
        """
        return cls(tuple(_pairs(text)))

    def name_of(self, image_uri: str) -> str:
        """The name that the URI is mapped to; empty where it is not."""
        for pattern, name in self.pairs:
            if fnmatch.fnmatchcase(image_uri, pattern):
                return name
        return ""


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    for pair in filter(None, (part.strip() for part in text.split(","))):
        pattern, equals, name = (word.strip() for word in pair.rpartition("="))
        if not (equals and pattern and name):
            raise SettingsError(f"EMULATOR_IMAGE_MAP: {pair!r} is not of the form PATTERN=NAME")
        yield pattern, name
