"""Writes ``v3.json``: for every step type the definition that SageMaker SDK v3 makes of a small pipeline with it.

Run it as ``python -m tests.emulator.engine.definitions.generate`` when the SDK changes. It starts an emulator, because
the SDK asks IAM and S3 while it builds. What differs from run to run is made equal.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.integration.emulators import Emulator

TARGET = Path(__file__).with_name("v3.json")
ROLE = "arn:aws:iam::123456789012:role/SageMaker"
BUCKET = "bucket"
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/tools:1"
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:f"
QUEUE = "https://sqs.us-east-1.amazonaws.com/123456789012/q"

Case = Callable[["Sdk"], list[Any]]
CASES: dict[str, Case] = {}


def case(build: Case) -> Case:
    """A function that gives the steps of a pipeline."""
    CASES[build.__name__] = build
    return build


class Sdk:
    """The session and the sources that steps are built with."""

    def __init__(self, folder: Path) -> None:
        from sagemaker.core.workflow.pipeline_context import PipelineSession

        self.session = PipelineSession(default_bucket=BUCKET)
        self.folder = folder
        (folder / "train.py").write_text("print('trained')\n")
        (folder / "book.ipynb").write_text('{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}')

    def trainer(self, *, script: bool = False) -> Any:
        from sagemaker.core.training.configs import Compute, SourceCode
        from sagemaker.train.model_trainer import ModelTrainer

        source = {"source_code": SourceCode(source_dir=str(self.folder), entry_script="train.py")} if script else {}
        return ModelTrainer(
            training_image=IMAGE,
            role=ROLE,
            sagemaker_session=self.session,
            base_job_name="train",
            compute=Compute(instance_type="ml.m5.large", instance_count=1),
            hyperparameters={"depth": 3},
            **source,
        )

    def training(self, name: str = "Train", *, script: bool = False, **more: Any) -> Any:
        from sagemaker.core.training.configs import InputData
        from sagemaker.mlops.workflow import TrainingStep

        data = [InputData(channel_name="train", data_source=f"s3://{BUCKET}/train", content_type="text/csv")]
        return TrainingStep(name, step_args=self.trainer(script=script).train(input_data_config=data), **more)

    def processing(self, name: str = "Prepare", **more: Any) -> Any:
        from sagemaker.core.processing import ScriptProcessor
        from sagemaker.core.shapes import ProcessingOutput, ProcessingS3Output
        from sagemaker.mlops.workflow import ProcessingStep

        processor = ScriptProcessor(
            role=ROLE,
            image_uri=IMAGE,
            command=["python3"],
            instance_type="ml.m5.large",
            instance_count=1,
            sagemaker_session=self.session,
        )
        output = ProcessingS3Output(s3_uri="", local_path="/opt/ml/processing/out", s3_upload_mode="EndOfJob")
        arguments = processor.run(
            code=str(self.folder / "train.py"), outputs=[ProcessingOutput(output_name="out", s3_output=output)]
        )
        return ProcessingStep(name, step_args=arguments, **more)

    def model_builder(self, data: Any) -> Any:
        from sagemaker.serve.model_builder import ModelBuilder

        return ModelBuilder(image_uri=IMAGE, role_arn=ROLE, sagemaker_session=self.session, s3_model_data_url=data)

    def function(self, name: str, *outputs: Any, **more: Any) -> Any:
        from sagemaker.core.lambda_helper import Lambda
        from sagemaker.mlops.workflow import LambdaStep

        return LambdaStep(name, lambda_func=Lambda(function_arn=FUNCTION), outputs=list(outputs), **more)


@case
def processing(sdk: Sdk) -> list[Any]:
    from sagemaker.core.workflow.functions import JsonGet
    from sagemaker.core.workflow.properties import PropertyFile
    from sagemaker.mlops.workflow import FailStep

    report = PropertyFile(name="Report", output_name="out", path="evaluation.json")
    step = sdk.processing(property_files=[report])
    read = JsonGet(step_name=step.name, property_file=report, json_path="auc.value")
    return [step, FailStep("End", error_message=read)]


@case
def training(sdk: Sdk) -> list[Any]:
    from sagemaker.mlops.workflow import CacheConfig

    return [sdk.training(script=True, cache_config=CacheConfig(enable_caching=True, expire_after="P30D"))]


@case
def condition(sdk: Sdk) -> list[Any]:
    from sagemaker.core.workflow.conditions import ConditionGreaterThan, ConditionIn, ConditionNot, ConditionOr
    from sagemaker.mlops.workflow import ConditionStep

    step = sdk.training()
    seconds = ConditionGreaterThan(step.properties.BillableTimeInSeconds, 0)
    status = ConditionNot(ConditionIn(step.properties.TrainingJobStatus, ["Failed", "Stopped"]))
    return [step, ConditionStep("Check", conditions=[ConditionOr([seconds, status])], if_steps=[sdk.processing()])]


@case
def fail(sdk: Sdk) -> list[Any]:
    from sagemaker.core.workflow.execution_variables import ExecutionVariables
    from sagemaker.core.workflow.functions import Join
    from sagemaker.mlops.workflow import FailStep

    return [FailStep("End", error_message=Join(on=" ", values=["in", ExecutionVariables.PIPELINE_EXECUTION_ID]))]


@case
def model(sdk: Sdk) -> list[Any]:
    from sagemaker.mlops.workflow import ModelStep

    step = sdk.training()
    return [
        step,
        ModelStep("Model", step_args=sdk.model_builder(step.properties.ModelArtifacts.S3ModelArtifacts).build()),
    ]


@case
def register_model(sdk: Sdk) -> list[Any]:
    from sagemaker.mlops.workflow import ModelStep

    step = sdk.training()
    arguments = sdk.model_builder(step.properties.ModelArtifacts.S3ModelArtifacts).register(
        model_package_group_name="group", content_types=["text/csv"], response_types=["text/csv"]
    )
    return [step, ModelStep("Register", step_args=arguments)]


@case
def for_each(sdk: Sdk) -> list[Any]:
    from sagemaker.core.workflow.parameters import ParameterString
    from sagemaker.mlops.workflow import CurrentItem, ForEachSelector, ForEachStep, IterationOutput, LambdaOutput
    from sagemaker.mlops.workflow.lambda_step import LambdaOutputTypeEnum

    inner = sdk.function(
        "Body",
        LambdaOutput("score", LambdaOutputTypeEnum.Float),
        inputs={"item": CurrentItem(), "n": CurrentItem().name},
    )
    step = ForEachStep(
        "Fan",
        iterable_items=ParameterString("Items", default_value='[{"name": "a"}]'),
        max_concurrency=2,
        for_each_body=[inner],
        selector=ForEachSelector("MaxBy", IterationOutput(inner).OutputParameters["score"]),
    )
    outputs = {
        "best": step.properties.Selected.OutputParameters["score"],
        "first": step.properties.IterationOutputs[0].Body.OutputParameters["score"],
        "failed": step.properties.FailedStepCount,
    }
    return [step, sdk.function("After", inputs=outputs)]


@case
def lambda_(sdk: Sdk) -> list[Any]:
    from sagemaker.mlops.workflow import LambdaOutput
    from sagemaker.mlops.workflow.lambda_step import LambdaOutputTypeEnum

    first = sdk.function("First", LambdaOutput("status", LambdaOutputTypeEnum.String), inputs={"x": 1})
    return [first, sdk.function("Second", inputs={"status": first.properties.Outputs["status"]})]


@case
def callback(sdk: Sdk) -> list[Any]:
    from sagemaker.mlops.workflow import CallbackOutput, CallbackStep
    from sagemaker.mlops.workflow.callback_step import CallbackOutputTypeEnum

    output = CallbackOutput("answer", CallbackOutputTypeEnum.Integer)
    return [CallbackStep("Ask", sqs_queue_url=QUEUE, inputs={"a": 1}, outputs=[output])]


@case
def run_conditions(sdk: Sdk) -> list[Any]:
    from sagemaker.mlops.workflow import StepDependency, TriggerCondition

    first = sdk.function("First")
    handler = sdk.function("Handler", depends_on=[StepDependency(first, TriggerCondition.FAILED)])
    return [first, handler, sdk.function("Anyhow", depends_on=[StepDependency(first, TriggerCondition.ANY)])]


@case
def lineage(sdk: Sdk) -> list[Any]:
    from sagemaker.core.lineage.action import Action
    from sagemaker.core.lineage.artifact import Artifact
    from sagemaker.mlops.workflow import LineageAssociation, LineageEntityReference, LineageStep

    artifact = Artifact.create(
        artifact_name="data", source_uri=f"s3://{BUCKET}/x", artifact_type="DataSet", sagemaker_session=sdk.session
    )
    action = Action.create(
        action_name="use", source_uri=f"s3://{BUCKET}/y", action_type="Use", sagemaker_session=sdk.session
    )
    ends = LineageEntityReference("data", "Artifact"), LineageEntityReference("use", "Action")
    edge = LineageAssociation(*ends, "ContributedTo")
    return [LineageStep("Record", actions=action, artifacts=artifact, associations=[edge])]


@case
def cleanup(sdk: Sdk) -> list[Any]:
    from sagemaker.mlops.workflow import CleanupStep, S3CleanupSource

    step = sdk.training()
    return [step, CleanupStep("Clean", [S3CleanupSource(step)])]


@case
def transform(sdk: Sdk) -> list[Any]:
    from sagemaker.core.transformer import Transformer
    from sagemaker.core.workflow.parameters import ParameterString
    from sagemaker.mlops.workflow import TransformStep

    transformer = Transformer(
        model_name=ParameterString("Items"),
        instance_count=1,
        instance_type="ml.m5.large",
        output_path=f"s3://{BUCKET}/out",
        sagemaker_session=sdk.session,
    )
    return [TransformStep("Batch", step_args=transformer.transform(data=f"s3://{BUCKET}/in", content_type="text/csv"))]


@case
def tuning(sdk: Sdk) -> list[Any]:
    from sagemaker.core.parameter import IntegerParameter
    from sagemaker.core.training.configs import InputData
    from sagemaker.mlops.workflow import TuningStep
    from sagemaker.train.tuner import HyperparameterTuner

    tuner = HyperparameterTuner(
        model_trainer=sdk.trainer(),
        objective_metric_name="rmse",
        objective_type="Minimize",
        metric_definitions=[{"Name": "rmse", "Regex": "rmse=(.*?);"}],
        hyperparameter_ranges={"depth": IntegerParameter(2, 6)},
        max_jobs=2,
    )
    return [
        TuningStep("Tune", step_args=tuner.tune(inputs=[InputData(channel_name="a", data_source=f"s3://{BUCKET}/a")]))
    ]


@case
def endpoint(sdk: Sdk) -> list[Any]:
    from sagemaker.mlops.workflow import EndpointConfigStep, EndpointStep, InferenceComponentStep

    variant = {"VariantName": "v", "ModelName": "m", "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
    config = EndpointConfigStep("Config", step_args=sdk.session.create_endpoint_config("config", [variant]))
    name = config.properties.EndpointConfigName
    step = EndpointStep("Endpoint", step_args=sdk.session.create_endpoint("endpoint", name))
    component = sdk.session.create_inference_component("part", step.properties.EndpointName, "v", {"ModelName": "m"})
    return [config, step, InferenceComponentStep("Part", step_args=component)]


@case
def emr(sdk: Sdk) -> list[Any]:
    from sagemaker.mlops.workflow import EMRStep, EMRStepConfig

    return [EMRStep("Spark", "display", "description", "j-123", EMRStepConfig(jar="command-runner.jar", args=["x"]))]


@case
def emr_serverless(sdk: Sdk) -> list[Any]:
    from sagemaker.mlops.workflow.emr_serverless_step import EMRServerlessJobConfig, EMRServerlessStep

    job = EMRServerlessJobConfig({"sparkSubmit": {"entryPoint": f"s3://{BUCKET}/a.py"}}, ROLE)
    return [EMRServerlessStep("Spark", "display", "description", job, application_id="app1")]


@case
def quality_check(sdk: Sdk) -> list[Any]:
    from sagemaker.core.model_monitor.dataset_format import MonitoringDatasetFormat
    from sagemaker.mlops.workflow import CheckJobConfig, QualityCheckStep
    from sagemaker.mlops.workflow.quality_check_step import DataQualityCheckConfig

    config = DataQualityCheckConfig(
        baseline_dataset=f"s3://{BUCKET}/base.csv",
        dataset_format=MonitoringDatasetFormat.csv(header=True),
        output_s3_uri=f"s3://{BUCKET}/quality",
    )
    job = CheckJobConfig(role=ROLE, sagemaker_session=sdk.session)
    return [QualityCheckStep("Quality", config, job, skip_check=False, model_package_group_name="group")]


@case
def clarify_check(sdk: Sdk) -> list[Any]:
    from sagemaker.core.clarify import BiasConfig, DataConfig
    from sagemaker.mlops.workflow import CheckJobConfig, ClarifyCheckStep
    from sagemaker.mlops.workflow.clarify_check_step import DataBiasCheckConfig

    data = DataConfig(
        s3_data_input_path=f"s3://{BUCKET}/d.csv", s3_output_path=f"s3://{BUCKET}/bias", label=0, headers=["y", "x"]
    )
    bias = BiasConfig(label_values_or_threshold=[1.0], facet_name="x", facet_values_or_threshold=[0.5])
    config = DataBiasCheckConfig(data_config=data, data_bias_config=bias)
    return [ClarifyCheckStep("Bias", config, CheckJobConfig(role=ROLE, sagemaker_session=sdk.session))]


@case
def function(sdk: Sdk) -> list[Any]:
    from sagemaker.core.workflow.conditions import ConditionGreaterThan
    from sagemaker.mlops.workflow import ConditionStep, FailStep
    from sagemaker.mlops.workflow.function_step import step

    @step(name="Add", instance_type="ml.m5.large", role=ROLE, image_uri=IMAGE)  # type: ignore[untyped-decorator]
    def add(value: int) -> dict[str, int]:
        return {"sum": value + 1}

    return [ConditionStep("Check", conditions=[ConditionGreaterThan(add(1)["sum"], 1)], if_steps=[FailStep("End")])]


@case
def notebook_job(sdk: Sdk) -> list[Any]:
    from sagemaker.mlops.workflow import NotebookJobStep

    book = str(sdk.folder / "book.ipynb")
    return [NotebookJobStep(name="Book", input_notebook=book, image_uri=IMAGE, kernel_name="python3", role=ROLE)]


def build() -> dict[str, Any]:
    """The definitions by case; builds with an emulator as AWS."""
    with tempfile.TemporaryDirectory() as scratch:
        emulator = Emulator(Path(scratch) / "data").start()
        try:
            os.environ.update({name: value for name, value in emulator.exports.items() if value is not None})
            sources = Path(scratch) / "sources"
            sources.mkdir()
            return {name: _definition(name, steps, sources) for name, steps in CASES.items()}
        finally:
            emulator.stop()


def _definition(name: str, steps: Case, sources: Path) -> Any:
    from sagemaker.core.workflow.parameters import ParameterString
    from sagemaker.mlops.workflow import Pipeline

    sdk = Sdk(sources)
    parameters = [ParameterString("Items", default_value='[{"name": "a"}]')]
    pipeline = Pipeline(name="shown", steps=steps(sdk), sagemaker_session=sdk.session, parameters=parameters)
    return json.loads(_settled(pipeline.definition(), sources))


def _settled(text: str, sources: Path) -> str:
    """The definition without what differs from run to run: times, keys, folders."""
    text = text.replace(str(sources), "/home/user/project")
    text = re.sub(r"\d{4}-\d\d-\d\d-\d\d-\d\d-\d\d-\d{3}", "2026-01-01-00-00-00-000", text)
    text = re.sub(r"(?<=-)\d{14}(?=/)", "20260101000000", text)
    text = re.sub(r"-----BEGIN PUBLIC KEY-----.*?-----END PUBLIC KEY-----(\\n)?", "key", text)
    return text.replace(str(Path(__file__).resolve()), "/home/user/project/pipeline.py")


if __name__ == "__main__":
    TARGET.write_text(json.dumps(build(), indent=1, sort_keys=True) + "\n")
