"""Commands that take long: each line is told as it comes, and the last ones say why a command failed."""

from __future__ import annotations

import subprocess
from collections import deque
from collections.abc import Callable, Mapping, Sequence

_REASON_LINES = 15


def run_telling(
    command: Sequence[str], tell: Callable[[str], None], env: Mapping[str, str] | None = None
) -> tuple[int, str]:
    """Run a command to its end; its exit code and its last lines, of output and errors together."""
    last: deque[str] = deque(maxlen=_REASON_LINES)
    with subprocess.Popen(
        command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        errors="replace",
    ) as process:  # fmt: skip
        assert process.stdout is not None
        for line in process.stdout:
            last.append(line.rstrip())
            tell(line.rstrip())
    return process.returncode, "\n".join(last)
