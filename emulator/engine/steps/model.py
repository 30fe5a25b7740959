"""Model steps: one model each (CreateModel), there as soon as it is created."""

from __future__ import annotations

from emulator.aws.errors import AwsError
from emulator.engine.expressions import evaluate
from emulator.engine.names import job_name
from emulator.engine.retries import exception_type
from emulator.engine.shapes import coerce, input_shape
from emulator.engine.steps.executor import ApiExecutor, Host, StepRun, Work, register
from emulator.engine.steps.failures import create_failed
from emulator.engine.steps.job import prefix_of

NAME = "ModelName"


@register
class Model(ApiExecutor):
    """A name in the definition is a prefix, as for jobs; without one the model is called after execution and step."""

    type = "Model"
    create = "CreateModel"
    describe = "DescribeModel"
    retried = True

    def prepare(self, run: StepRun, host: Host) -> None:
        arguments = dict(run.step.arguments)
        run.handle = {"Name": job_name(host.id, run.step.name, prefix_of(arguments.pop(NAME, None), host))}
        resolved = evaluate(arguments, host.environment({}))
        run.arguments = coerce(input_shape(self.create), {NAME: run.handle["Name"], **resolved})

    def launch(self, run: StepRun, host: Host) -> Work:
        try:
            host.invoke(self.create, run.arguments)
        except AwsError as error:
            reason = create_failed(self.create, error, host.arn, run.step)
            return Work.failed(reason, error=exception_type(error))
        return self._described(run, host)

    def find(self, run: StepRun, host: Host) -> Work | None:
        try:
            return self._described(run, host)
        except AwsError:  # no model of this name was created before the crash
            return None

    def _described(self, run: StepRun, host: Host) -> Work:
        model = host.invoke(self.describe, {NAME: run.handle["Name"]})
        return Work.succeeded(model, {"Model": {"Arn": model["ModelArn"]}}, model["ModelArn"])
