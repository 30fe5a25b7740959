"""Interruptions of managed spot training, asked for: here nobody else wants the instances, so nothing takes them away.

AWS has no operation for it; ``emulator interrupt`` is the way (docs/job-data.md).
"""

from __future__ import annotations

from emulator.aws.errors import ValidationException
from emulator.jobs.training import KIND
from emulator.services.context import App
from emulator.store.resources import Resource


def interrupt(app: App, job: str, seconds: float) -> str:
    """Take the instances of a training job, given by name or ARN, away for some seconds; the job's ARN.

    Raises:
        ValidationException: there is no such job, or it is on no spot instances now.
    """
    found = _running(app, job)
    if not found.body["EnableManagedSpotTraining"]:
        raise ValidationException(
            f"{found.name} does not run on spot instances: create it with EnableManagedSpotTraining."
        )
    secondary = found.body["SecondaryStatus"]
    if secondary not in ("Downloading", "Training"):
        raise ValidationException(
            f"{found.name} is {secondary}: only a job that is Downloading or Training has instances to take away."
        )
    app.jobs.interrupt(found.arn, seconds)
    return found.arn


def _running(app: App, job: str) -> Resource:
    running = [found for found in app.resources.with_status(KIND, "InProgress") if job in (found.name, found.arn)]
    if not running:
        raise ValidationException(f"No training job {job} is in progress.")
    if len(running) > 1:
        arns = ", ".join(found.arn for found in running)
        raise ValidationException(f"Several training jobs are called {job}; say which by its ARN: {arns}")
    return running[0]
