"""``train`` and ``serve``, and how a job of theirs ends."""

from __future__ import annotations

import importlib.util
import sys
import traceback

from . import script_mode
from .container import Container
from .errors import ToolkitError, UserError


def main(arguments: list[str]) -> int:
    """The program's exit code."""
    match arguments:
        case ["train", *_]:
            return train(Container())
        case ["serve", *_]:
            from .serve import serve

            return serve(Container())
    print(f"error: this image has the programs train and serve, not {' '.join(arguments) or 'none'}", file=sys.stderr)
    return 2


def train(container: Container) -> int:
    """Train, and leave the reason of a failure where SageMaker looks for it."""
    try:
        _train(container)
    except ToolkitError as error:
        print(f"{error}", file=sys.stderr)
        container.report("failure", str(error))
        return error.exit_code
    except Exception as error:
        container.report("failure", f"framework error: \n{traceback.format_exc()}\n{error}")
        raise
    container.report("success", "")
    return 0


def _train(container: Container) -> None:
    program = script_mode.program_of(container)
    if program:
        script_mode.train(container, program)
    elif importlib.util.find_spec("xgboost") is not None:
        from .xgboost_algorithm import training

        training.train(container)
    else:
        raise UserError(
            "this image has script mode only: the hyperparameter sagemaker_program must name the user's program"
            " (entry_point of an estimator)"
        )
