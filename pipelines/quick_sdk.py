"""What the SDK does over and over in a build is done once, with the same result; only in the build's own process.

Of the seconds that a build took, two thirds went into checking the SDK's own JSON schema: it looks up its configuration
dozens of times, each time by ``jsonschema.validate``, which first checks the schema against the schema of schemas. Much
of the rest went into reading botocore's service models, once per session, and into looking for garbage where there is
none.
"""

from __future__ import annotations

import functools
import gc
from typing import Any


def do_once() -> None:
    """Before the SDK is imported: from now on remember what was checked and read."""
    gc.disable()  # the process ends with the build
    try:
        import jsonschema  # type: ignore[import-untyped,unused-ignore]
        from botocore.loaders import JSONFileLoader
    except ImportError:
        return  # without them there is no SDK, which the build will say
    for name in ("Draft7Validator", "Draft201909Validator", "Draft202012Validator"):
        _check_once(getattr(jsonschema, name))
    _read_once(JSONFileLoader)


def _check_once(validator: Any) -> None:
    """A schema that was found to be sound is not checked again."""
    original = validator.check_schema
    sound: dict[int, Any] = {}  # by identity, with the schema itself so that the identity stays its own

    def check_schema(schema: Any, *arguments: Any, **options: Any) -> None:
        if id(schema) not in sound:
            original(schema, *arguments, **options)
            sound[id(schema)] = schema

    validator.check_schema = check_schema


def _read_once(loader: Any) -> None:
    """A file of botocore's data is parsed once for all sessions, as it is once for all clients of one."""
    original = loader.load_file

    @functools.cache
    def read(path: str) -> Any:
        return original(loader(), path)

    loader.load_file = lambda self, path: read(path)
