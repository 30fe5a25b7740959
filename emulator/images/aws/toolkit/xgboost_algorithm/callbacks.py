"""What happens between two rounds of training: checkpoints, and stopping when SageMaker asks for it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import xgboost as xgb

from .cluster import any_host

_NAME = "xgboost-checkpoint"
_KEPT = 5


class StopOnSignal(xgb.callback.TrainingCallback):
    """Ends the training after the round in which SIGTERM came."""

    def __init__(self) -> None:
        super().__init__()
        self.requested = False

    def request(self, *_: Any) -> None:
        self.requested = True

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        self.requested = any_host(self.requested)  # SIGTERM reaches the hosts in different rounds
        return self.requested


class Monitor(xgb.callback.TrainingCallback):
    """``[0]<tab>train-rmse:0.12345<tab>validation-rmse:…`` after each round, those before a checkpoint counted."""

    def __init__(self, done: int) -> None:
        super().__init__()
        self._done = done

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        scores = [
            f"{data}-{name}:{log[-1]:.5f}" for data, metrics in evals_log.items() for name, log in metrics.items()
        ]
        print("\t".join([f"[{epoch + self._done}]", *scores]), flush=True)
        return False


class Checkpoints(xgb.callback.TrainingCallback):
    """``xgboost-checkpoint.<round>`` in the checkpoint folder, the last five of them."""

    def __init__(self, folder: Path, done: int) -> None:
        super().__init__()
        self._folder = folder
        self._done = done

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        number = epoch + self._done
        temporary = self._folder / f".{_NAME}.new"
        temporary.write_bytes(model.save_raw("ubj"))
        temporary.replace(self._folder / f"{_NAME}.{number}")
        (self._folder / f"{_NAME}.{number - _KEPT}").unlink(missing_ok=True)
        return False

    @staticmethod
    def latest(folder: Path) -> tuple[xgb.Booster | None, int]:
        """The last checkpoint, and how many rounds it has."""
        folder.mkdir(parents=True, exist_ok=True)
        found = {
            int(match[1]): path for path in folder.iterdir() if (match := re.fullmatch(rf"{_NAME}\.(\d+)", path.name))
        }
        if not found:
            return None, 0
        last = max(found)
        print(f"Resuming from iteration {last + 1}, checkpoint {found[last]}", flush=True)
        return xgb.Booster(model_file=bytearray(found[last].read_bytes())), last + 1
