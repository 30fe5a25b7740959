"""What AWS's PyTorch images do where the user's module lacks a handler: TorchScript models, tensors in and out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from . import encoders
from .errors import UserError
from .handlers import Defaults

_MODEL_FILE = "model.pt"


def _load_model(folder: str) -> Any:
    path = Path(folder) / _MODEL_FILE
    if not path.is_file():
        found = sorted(file for file in Path(folder).iterdir() if file.suffix in (".pt", ".pth"))
        if len(found) != 1:
            names = [file.name for file in found]
            raise UserError(f"Exactly one .pth or .pt file is required for PyTorch models without model_fn: {names}")
        (path,) = found
    try:
        return torch.jit.load(path, map_location="cpu")
    except RuntimeError as error:
        raise UserError(f"Failed to load {path}. Please ensure model is saved using torchscript.") from error


def _decode(body: bytes, content_type: str) -> torch.Tensor:
    return torch.from_numpy(encoders.decode(body, content_type))


def _predict(value: torch.Tensor, model: Any) -> Any:
    with torch.no_grad():
        model.eval()
        return model(value)


def _encode(prediction: Any, accept: str) -> tuple[bytes, str]:
    if isinstance(prediction, torch.Tensor):
        prediction = prediction.detach().cpu().numpy()
    return encoders.encode(prediction, accept)


DEFAULTS = Defaults(decode=_decode, predict=_predict, encode=_encode, model=_load_model)
