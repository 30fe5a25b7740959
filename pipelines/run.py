"""``pipelines run``: everything from the sources to the end of an execution, in one go."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from pipelines.endpoint import running_endpoint
from pipelines.seed import has_seed
from pipelines.workspace import Workspace


def run_pipeline(
    workspace: Workspace,
    name: str,
    parameters: Iterable[str],
    *,
    keep: bool,
    follow: Callable[[Workspace, str, str], int],
) -> int:
    """Seed if absent, build, upsert, start and follow a pipeline; the exit code of ``follow``, which is
    called with the execution's ARN and the command that resumes it if its endpoint is stopped in the end.

    An endpoint that is not running is started for it, and stopped in the end unless ``keep``; its state stays.
    """
    source = workspace.source(name)
    start = " ".join(workspace.target.endpoint.start_command)
    with running_endpoint(workspace.target, keep=keep) as started:
        if started:
            workspace.write(f"started an endpoint for this run ({start})")
        built = workspace.build(name)
        if has_seed(source):
            workspace.seed(built, again=False)
        workspace.upsert(built)
        resume = start if started and not keep else ""
        return follow(workspace, workspace.start(name, parameters), resume)
