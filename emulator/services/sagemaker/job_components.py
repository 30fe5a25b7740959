"""Trial components of jobs: each job has one (Developer Guide, "Amazon SageMaker AI-Created Tracking Entities"), told
from what the job says.

The members' names (``SageMaker.ImageUri`` and so on) are those that AWS gives them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from emulator.aws.operations import find as find_operation
from emulator.services.sagemaker import experiments
from emulator.services.sagemaker.experiments import ensure_experiment, find_experiment
from emulator.services.sagemaker.trial_memberships import join
from emulator.services.sagemaker.trials import ensure_trial, find_trial
from emulator.services.sagemaker_metrics import TRIAL_COMPONENT
from emulator.store.resources import Resource

if TYPE_CHECKING:
    from emulator.services.context import Context

CONFIG = "ExperimentConfig"
UNTRACKED = "untracked-lineage"
"""Kind of the notes, named after an ARN, that its lineage is to be written."""
_NOUNS = {"training-job": "TrainingJob", "processing-job": "ProcessingJob", "transform-job": "TransformJob"}
_TIMES = {
    "TrainingJob": ("TrainingStartTime", "TrainingEndTime"),
    "ProcessingJob": ("ProcessingStartTime", "ProcessingEndTime"),
    "TransformJob": ("TransformStartTime", "TransformEndTime"),
}


def check_config(context: Context, body: dict[str, Any]) -> None:
    """
    Raises:
        ResourceNotFound: a job names an experiment that does not exist, or a trial without an experiment.
    """
    config = body.get(CONFIG) or {}
    if experiment := config.get("ExperimentName"):
        find_experiment(context, experiment)
    elif trial := config.get("TrialName"):
        find_trial(context, trial)


def track(context: Context, job: Resource) -> None:
    """Make the component of a new job and put it where the job says it belongs; call it in the job's transaction.

    A job that names no experiment and no trial has one all the same, which is in none; a tuning job has none, its
    training jobs have.
    """
    if job.kind not in _NOUNS:
        return
    config = job.body.get(CONFIG) or {}
    trial = _trial_of(context, job, config)
    name = _name(job)
    source = {"SourceArn": job.arn, "SourceType": f"SageMaker{_NOUNS[job.kind]}"}
    body = {"Source": source, "SourceArn": job.arn, "DisplayName": config.get("TrialComponentDisplayName", name)}
    # One is there if an earlier job of this name was deleted.
    component = component_of(context, job) or experiments.create(context, TRIAL_COMPONENT, name, body, [])
    if trial is not None:
        join(context, component, trial, find_experiment(context, trial.body["ExperimentName"]))
    note_untracked(context, job)


def component_of(context: Context, job: Resource) -> Resource | None:
    return context.app.resources.get(context.scope, TRIAL_COMPONENT, _name(job))


def note_untracked(context: Context, subject: Resource) -> None:
    """Have the lineage of a job or a package written; call it in the transaction that makes it."""
    note = Resource(subject.scope, UNTRACKED, subject.arn, f"{UNTRACKED} {subject.arn}", {})
    context.app.resources.insert(note)


def _name(job: Resource) -> str:
    return f"{job.name}-aws-{job.kind}"


def _trial_of(context: Context, job: Resource, config: dict[str, Any]) -> Resource | None:
    """The trial that a job names; one of its own in the experiment if it names only that."""
    name = config.get("TrialName")
    if experiment := config.get("ExperimentName"):
        return ensure_trial(context, name or f"{job.name}-aws-trial", find_experiment(context, experiment))
    return find_trial(context, name) if name else None


def ensure_trial_of(context: Context, names: dict[str, str], execution_arn: str) -> None:
    """The experiment and the trial that an execution of a pipeline belongs to, made if there are none yet."""
    if not names.get("ExperimentName"):
        return
    source = {"SourceArn": execution_arn, "SourceType": "SageMakerPipelineExecution"}
    experiment = ensure_experiment(context, names["ExperimentName"], source)
    if names.get("TrialName"):
        ensure_trial(context, names["TrialName"], experiment, source)


def describe_source(context: Context, component: Resource) -> dict[str, Any]:
    """What the component's job says: status, times, parameters, artifacts; empty without a job."""
    job = context.app.resources.by_arn(component.body.get("SourceArn", ""))
    if job is None:
        return {}
    noun = _NOUNS[job.kind]
    describe = find_operation("sagemaker", f"Describe{noun}")
    assert describe is not None
    told = describe.handler({f"{noun}Name": job.name}, context)
    assert isinstance(told, dict)
    start, end = _TIMES[noun]
    return {
        "Status": {"PrimaryStatus": job.status, "Message": told.get("FailureReason")},
        "StartTime": told.get(start),
        "EndTime": told.get(end),
        **_TELLERS[noun](told),
    }


def _training(job: dict[str, Any]) -> dict[str, Any]:
    resources, algorithm = job["ResourceConfig"], job["AlgorithmSpecification"]
    inputs = {
        channel["ChannelName"]: _artifact(
            channel["DataSource"].get("S3DataSource", {}).get("S3Uri"), channel.get("ContentType")
        )
        for channel in job.get("InputDataConfig") or []
    }
    model = (job.get("ModelArtifacts") or {}).get("S3ModelArtifacts")
    return _told(
        {**(job.get("HyperParameters") or {}), **_cluster(resources)},
        inputs | {"SageMaker.ImageUri": _artifact(algorithm.get("TrainingImage"))},
        {"SageMaker.ModelArtifact": _artifact(model)},
    )


def _processing(job: dict[str, Any]) -> dict[str, Any]:
    inputs = {
        each["InputName"]: _artifact(each.get("S3Input", {}).get("S3Uri")) for each in job.get("ProcessingInputs") or []
    }
    outputs = (job.get("ProcessingOutputConfig") or {}).get("Outputs") or []
    return _told(
        {**(job.get("Environment") or {}), **_cluster(job["ProcessingResources"]["ClusterConfig"])},
        inputs | {"SageMaker.ImageUri": _artifact(job["AppSpecification"]["ImageUri"])},
        {each["OutputName"]: _artifact(each.get("S3Output", {}).get("S3Uri")) for each in outputs},
    )


def _transform(job: dict[str, Any]) -> dict[str, Any]:
    source = job["TransformInput"]
    return _told(
        {
            **(job.get("Environment") or {}),
            "SageMaker.ModelName": job["ModelName"],
            **_cluster(job["TransformResources"]),
        },
        {
            "SageMaker.TransformInput": _artifact(
                source["DataSource"]["S3DataSource"]["S3Uri"], source.get("ContentType")
            )
        },
        {"SageMaker.TransformOutput": _artifact(job["TransformOutput"]["S3OutputPath"])},
    )


_TELLERS = {"TrainingJob": _training, "ProcessingJob": _processing, "TransformJob": _transform}


def _told(parameters: dict[str, Any], inputs: dict[str, Any], outputs: dict[str, Any]) -> dict[str, Any]:
    return {
        "Parameters": {name: _parameter(value) for name, value in parameters.items() if value is not None},
        "InputArtifacts": {name: value for name, value in inputs.items() if value},
        "OutputArtifacts": {name: value for name, value in outputs.items() if value},
    }


def _cluster(resources: dict[str, Any]) -> dict[str, Any]:
    members = ("InstanceCount", "InstanceType", "VolumeSizeInGB")
    return {f"SageMaker.{member}": resources.get(f"Selected{member}", resources.get(member)) for member in members}


def _artifact(uri: str | None, media_type: str | None = None) -> dict[str, str]:
    if not uri:
        return {}
    return {"Value": uri} | ({"MediaType": media_type} if media_type else {})


def _parameter(value: Any) -> dict[str, Any]:
    """A number where it reads as one, else text."""
    try:
        return {"NumberValue": float(value)}
    except ValueError:
        return {"StringValue": str(value)}
