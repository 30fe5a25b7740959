"""Following a training job: its statuses and its log as they come, and what it came to."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pipelines.connection import Connection
from pipelines.errors import EXIT_FAILED, EXIT_STOPPED, EXIT_SUCCEEDED
from pipelines.follow import interval
from pipelines.jobs import KINDS, describe_job
from pipelines.logs import read_pages, streams
from pipelines.views import seconds

KIND = KINDS["TrainingJob"]
EXIT_CODES = {"Completed": EXIT_SUCCEEDED, "Failed": EXIT_FAILED, "Stopped": EXIT_STOPPED}
"""By TrainingJobStatus; a job in any other goes on."""


def follow_training(
    connection: Connection, arn: str, write: Callable[[str], None], sleep: Callable[[float], None] = time.sleep
) -> dict[str, Any]:
    """Show the progress of a training job until it ends; its description then."""
    began = time.monotonic()
    name = str(describe_job(connection, KIND, arn)["TrainingJobName"])
    log, shown = JobLog(connection, name), 0
    while True:
        job: dict[str, Any] = connection.sagemaker.describe_training_job(TrainingJobName=name)
        transitions = job.get("SecondaryStatusTransitions", [])
        ended = job["TrainingJobStatus"] in EXIT_CODES
        last = transitions[-1:] if ended else []
        for transition in transitions[shown : len(transitions) - len(last)]:
            write(_status(transition, job))
            shown += 1
        for line in log.new_lines():
            write(line)
        if ended:
            for transition in last:
                write(_status(transition, job))
            return job
        sleep(interval(time.monotonic() - began))


def stop_training(connection: Connection, arn: str) -> None:
    connection.sagemaker.stop_training_job(TrainingJobName=describe_job(connection, KIND, arn)["TrainingJobName"])


def _status(transition: dict[str, Any], job: dict[str, Any]) -> str:
    after = max(0.0, (transition["StartTime"] - job["CreationTime"]).total_seconds())
    return f"[{after:8.2f} s] {transition['Status']}: {transition.get('StatusMessage', '')}".rstrip(": ")


@dataclass
class JobLog:
    """The log of a job, of all its hosts, from where it was last read."""

    connection: Connection
    job: str
    _tokens: dict[str, str] = field(default_factory=dict)

    def new_lines(self) -> list[str]:
        """What came since the last call, host by host; where there are several, each line names its own."""
        found = [stream for _, stream in streams(self.connection, KIND.log_group, self.job)]
        several = len(found) > 1
        return [f"{_host(stream)} | {line}" if several else line for stream in found for line in self._read(stream)]

    def _read(self, stream: str) -> list[str]:
        lines: list[str] = []
        for page in read_pages(self.connection, KIND.log_group, stream, self._tokens.get(stream)):
            lines += [event["message"].rstrip() for event in page["events"]]
            self._tokens[stream] = page["nextForwardToken"]
        return lines


def _host(stream: str) -> str:
    """``algo-1`` of ``job/algo-1-1700000000``."""
    return stream.rpartition("/")[2].rpartition("-")[0]


def summary(job: dict[str, Any]) -> list[str]:
    """Lines to print at the end of a training job."""
    lines: list[str] = []
    if reason := job.get("FailureReason"):
        lines += ["", f"{job['TrainingJobStatus']}: {reason}"]
    if metrics := job.get("FinalMetricDataList"):
        width = max(len(metric["MetricName"]) for metric in metrics)
        lines += ["", "Metrics"]
        lines += [f"  {metric['MetricName']:<{width}}  {metric['Value']:.6g}" for metric in metrics]
    if model := (job.get("ModelArtifacts") or {}).get("S3ModelArtifacts"):
        lines += ["", f"Model  {model}"]
    took = job.get("TrainingTimeInSeconds")
    billed = job.get("BillableTimeInSeconds")
    times = f" in {seconds(took)} ({seconds(billed or 0)} billed)" if took else ""
    return [*lines, "", f"{job['TrainingJobStatus']}{times}  {job['TrainingJobArn']}"]
