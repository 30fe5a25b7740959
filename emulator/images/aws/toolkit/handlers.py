"""The user's handlers: ``model_fn``, ``input_fn``, ``predict_fn``, ``output_fn``, or ``transform_fn`` instead."""

from __future__ import annotations

import importlib.util
import inspect
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, NamedTuple

from . import encoders, user_code
from .container import Container, variable
from .errors import UserError


class Answer(NamedTuple):
    body: bytes
    content_type: str


Predictor = Callable[[bytes, str, str], Answer]
"""Request body, its content type, the type that is accepted; to the answer."""


@dataclass(frozen=True)
class Defaults:
    """What an image does where the user's module lacks a handler."""

    decode: Callable[[bytes, str], Any] = encoders.decode
    predict: Callable[[Any, Any], Any] = lambda value, model: model.predict(value)
    encode: Callable[[Any, str], tuple[bytes, str]] = encoders.encode
    model: Callable[[str], Any] | None = None
    """None where every model needs a ``model_fn`` of its own."""


def load(container: Container, program: str, defaults: Defaults) -> Predictor:
    """Load the user's module and, with its ``model_fn``, the model.

    Raises:
        UserError: the module lacks something, or has both ``transform_fn`` and what it replaces.
    """
    folder = _bring(container)
    user_code.install_requirements(folder)
    module = _import(folder, program)
    load_model = getattr(module, "model_fn", defaults.model)
    if load_model is None:
        raise UserError(
            f"Please provide a model_fn implementation in {program}.\nSee documentation for model_fn at"
            " https://github.com/aws/sagemaker-python-sdk"
        )
    model = _with_context(load_model, 1)(str(container.model))
    if hasattr(module, "transform_fn"):
        if both := [name for name in ("input_fn", "predict_fn", "output_fn") if hasattr(module, name)]:
            raise UserError(f"Cannot use transform_fn implementation in conjunction with {', '.join(both)} ({program})")
        transform = _with_context(module.transform_fn, 4)
        return lambda body, kind, accept: _answer(transform(model, _text(body, kind), kind, accept), accept)
    return _chain(module, model, defaults)


def of_defaults(container: Container, defaults: Defaults) -> Predictor:
    """A model without a module of the user's, where the image can load it by itself."""
    return _chain(ModuleType("none"), defaults.model(str(container.model)) if defaults.model else None, defaults)


def _chain(module: ModuleType, model: Any, defaults: Defaults) -> Predictor:
    read = _optional(module, "input_fn")
    predict = _optional(module, "predict_fn") or defaults.predict
    write = _optional(module, "output_fn")

    def run(body: bytes, kind: str, accept: str) -> Answer:
        value = read(_text(body, kind), kind) if read else defaults.decode(body, kind)
        prediction = predict(value, model)
        return _answer(write(prediction, accept), accept) if write else Answer(*defaults.encode(prediction, accept))

    return run


def _optional(module: ModuleType, name: str) -> Callable[..., Any] | None:
    return _with_context(getattr(module, name), 2) if hasattr(module, name) else None


def _with_context(handler: Callable[..., Any], count: int) -> Callable[..., Any]:
    """A handler may take one argument more than its ``count``: the server's context, which knows of no GPU."""
    try:
        parameters = inspect.signature(handler).parameters.values()
    except (TypeError, ValueError):  # written in C
        return handler
    positional = [each for each in parameters if each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD)]
    if len(positional) != count + 1:
        return handler
    context = SimpleNamespace(system_properties={"gpu_id": None}, manifest={})
    return lambda *arguments: handler(*arguments, context)


def _bring(container: Container) -> Path:
    """Where the program is: ``SAGEMAKER_SUBMIT_DIRECTORY``, else the model archive's own ``code``."""
    address = variable("SAGEMAKER_SUBMIT_DIRECTORY")
    if not address:
        return container.model / "code"
    if address.startswith(("s3://", "file://")) and Path(address.removeprefix("file://")) != container.model / "code":
        user_code.bring(address, container.code)
        return container.code
    return Path(address)


def _import(folder: Path, program: str) -> ModuleType:
    path = folder / program
    if not path.suffix:
        path = path.with_suffix(".py")
    if not path.is_file():
        raise UserError(f"SAGEMAKER_PROGRAM: there is no {program} in {folder}")
    sys.path[:0] = [str(folder), *([str(folder / "lib")] if (folder / "lib").is_dir() else [])]
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def _text(body: bytes, content_type: str) -> str | bytes:
    """AWS's images hand text over as a string, everything else as bytes."""
    kind = encoders.media_type(content_type)
    return body.decode() if kind.startswith("text/") or kind in (encoders.JSON, encoders.JSON_LINES) else body


def _answer(result: Any, accept: str) -> Answer:
    """What ``output_fn`` and ``transform_fn`` may return: a body, a body with its type, or a response object."""
    kind = encoders.media_type(accept) if accept and accept != "*/*" else encoders.JSON
    if isinstance(result, tuple) and len(result) == 2:
        result, kind = result
    if hasattr(result, "get_data"):  # a response of Flask's or Werkzeug's
        return Answer(result.get_data(), getattr(result, "mimetype", kind) or kind)
    if isinstance(result, str):
        result = result.encode()
    return Answer(result, kind) if isinstance(result, bytes) else Answer(*encoders.encode(result, accept))
