"""Why a job or a request fails.

ToolkitError
├── UserError        the job's own fault: a hyperparameter, a channel, the code's address
├── ScriptError      the user's program or its requirements ended with an error
└── BadRequest       an HTTP request that cannot be answered; it has the status
"""

from __future__ import annotations


class ToolkitError(Exception):
    """The message becomes the reason that SageMaker shows."""

    exit_code = 1


class UserError(ToolkitError):
    pass


class ScriptError(ToolkitError):
    """Worded as AWS's training toolkit does it."""

    def __init__(self, kind: str, exit_code: int, output: str, command: str) -> None:
        super().__init__(f'{kind}:\nExitCode {exit_code}\nErrorMessage "{output}"\nCommand "{command}"')
        self.exit_code = exit_code if exit_code > 0 else 128 - exit_code


class BadRequest(ToolkitError):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
