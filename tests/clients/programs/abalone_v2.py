"""The classic Abalone pipeline by SageMaker Python SDK v2, as its users write it: it knows nothing of an emulator."""

import json
import sys
from pathlib import Path

import sagemaker
from abalone_data import rows
from sagemaker import image_uris
from sagemaker.estimator import Estimator
from sagemaker.inputs import TrainingInput
from sagemaker.model import Model
from sagemaker.model_metrics import MetricsSource, ModelMetrics
from sagemaker.processing import ProcessingInput, ProcessingOutput, ScriptProcessor
from sagemaker.s3 import S3Uploader
from sagemaker.sklearn.processing import SKLearnProcessor
from sagemaker.workflow.condition_step import ConditionStep
from sagemaker.workflow.conditions import ConditionLessThanOrEqualTo
from sagemaker.workflow.fail_step import FailStep
from sagemaker.workflow.functions import Join, JsonGet
from sagemaker.workflow.model_step import ModelStep
from sagemaker.workflow.parameters import ParameterFloat, ParameterInteger, ParameterString
from sagemaker.workflow.pipeline import Pipeline
from sagemaker.workflow.pipeline_context import PipelineSession
from sagemaker.workflow.properties import PropertyFile
from sagemaker.workflow.steps import CacheConfig, ProcessingStep, TrainingStep

HERE = Path(__file__).parent / "abalone"
ROLE = "arn:aws:iam::123456789012:role/service-role/AmazonSageMaker-ExecutionRole-20260101T000000"
GROUP = "AbaloneV2"


def processing_step(session, input_data, instance_count):
    processor = SKLearnProcessor(
        framework_version="1.2-1",
        instance_type="ml.m5.large",
        instance_count=instance_count,
        base_job_name="sklearn-abalone-process",
        sagemaker_session=session,
        role=ROLE,
    )
    arguments = processor.run(
        inputs=[ProcessingInput(source=input_data, destination="/opt/ml/processing/input")],
        outputs=[
            ProcessingOutput(output_name=name, source=f"/opt/ml/processing/{name}")
            for name in ("train", "validation", "test")
        ],
        code=str(HERE / "preprocess.py"),
        arguments=["--input-data", input_data],
    )
    cache = CacheConfig(enable_caching=True, expire_after="30d")
    return ProcessingStep(name="AbaloneProcess", step_args=arguments, cache_config=cache)


def training_step(session, image, process, instance_type):
    estimator = Estimator(
        image_uri=image,
        instance_type=instance_type,
        instance_count=1,
        output_path=f"s3://{session.default_bucket()}/AbaloneTrain",
        sagemaker_session=session,
        role=ROLE,
    )
    estimator.set_hyperparameters(
        objective="reg:linear", num_round=50, max_depth=5, eta=0.2, gamma=4, min_child_weight=6, subsample=0.7
    )
    outputs = process.properties.ProcessingOutputConfig.Outputs
    arguments = estimator.fit(
        {
            name: TrainingInput(s3_data=outputs[name].S3Output.S3Uri, content_type="text/csv")
            for name in ("train", "validation")
        }
    )
    return TrainingStep(name="AbaloneTrain", step_args=arguments)


def evaluation_step(session, image, process, train):
    processor = ScriptProcessor(
        image_uri=image,
        command=["python3"],
        instance_type="ml.m5.large",
        instance_count=1,
        base_job_name="script-abalone-eval",
        sagemaker_session=session,
        role=ROLE,
    )
    outputs = process.properties.ProcessingOutputConfig.Outputs
    arguments = processor.run(
        inputs=[
            ProcessingInput(
                source=train.properties.ModelArtifacts.S3ModelArtifacts, destination="/opt/ml/processing/model"
            ),
            ProcessingInput(source=outputs["test"].S3Output.S3Uri, destination="/opt/ml/processing/test"),
        ],
        outputs=[ProcessingOutput(output_name="evaluation", source="/opt/ml/processing/evaluation")],
        code=str(HERE / "evaluate.py"),
    )
    report = PropertyFile(name="AbaloneReport", output_name="evaluation", path="evaluation.json")
    return ProcessingStep(name="AbaloneEval", step_args=arguments, property_files=[report]), report


def register_step(session, image, train, evaluate, approval):
    """With code of its own: the SDK adds a job that packs it into the model archive."""
    model = Model(
        image_uri=image,
        model_data=train.properties.ModelArtifacts.S3ModelArtifacts,
        entry_point="inference.py",
        source_dir=str(HERE / "serving"),
        sagemaker_session=session,
        role=ROLE,
    )
    folder = evaluate.arguments["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3Uri"]
    metrics = ModelMetrics(
        model_statistics=MetricsSource(
            s3_uri=Join(on="/", values=[folder, "evaluation.json"]), content_type="application/json"
        )
    )
    arguments = model.register(
        content_types=["text/csv"],
        response_types=["text/csv"],
        inference_instances=["ml.t2.medium"],
        transform_instances=["ml.m5.large"],
        model_package_group_name=GROUP,
        approval_status=approval,
        model_metrics=metrics,
    )
    return ModelStep(name="AbaloneRegister", step_args=arguments)


def build():
    session = PipelineSession()
    bucket = session.default_bucket()
    data = S3Uploader.upload_string_as_file_body(
        rows(), f"s3://{bucket}/abalone/abalone.csv", sagemaker_session=session
    )
    input_data = ParameterString(name="InputDataUrl", default_value=data)
    instances = ParameterInteger(name="ProcessingInstanceCount", default_value=1)
    instance_type = ParameterString(name="TrainingInstanceType", default_value="ml.m5.xlarge")
    approval = ParameterString(name="ModelApprovalStatus", default_value="PendingManualApproval")
    limit = ParameterFloat(name="MseLimit", default_value=6.0)
    image = image_uris.retrieve(framework="xgboost", region=session.boto_region_name, version=sys.argv[1])
    process = processing_step(session, input_data, instances)
    train = training_step(session, image, process, instance_type)
    evaluate, report = evaluation_step(session, image, process, train)
    register = register_step(session, image, train, evaluate, approval)
    fail = FailStep(name="AbaloneMSEFail", error_message=Join(on=" ", values=["MSE above", limit]))
    mse = JsonGet(step_name=evaluate.name, property_file=report, json_path="regression_metrics.mse.value")
    condition = ConditionStep(
        name="AbaloneMSECond",
        conditions=[ConditionLessThanOrEqualTo(left=mse, right=limit)],
        if_steps=[register],
        else_steps=[fail],
    )
    return Pipeline(
        name="AbaloneV2",
        parameters=[input_data, instances, instance_type, approval, limit],
        steps=[process, train, evaluate, condition],
        sagemaker_session=session,
    )


def follow(execution):
    execution.wait(delay=1, max_attempts=120)
    steps = {step["StepName"]: step["StepStatus"] for step in execution.list_steps()}
    return {"status": execution.describe()["PipelineExecutionStatus"], "steps": steps}


def main():
    pipeline = build()
    pipeline.upsert(role_arn=ROLE)
    pipeline.upsert(role_arn=ROLE, description="again")  # the pipeline exists by now
    good = follow(pipeline.start(parameters={"ModelApprovalStatus": "Approved"}))
    bad_execution = pipeline.start(parameters={"MseLimit": 0.0})
    try:
        follow(bad_execution)
    except Exception as error:
        bad = {"error": type(error).__name__, "reason": bad_execution.describe().get("FailureReason")}
    packages = sagemaker.Session().sagemaker_client.list_model_packages(ModelPackageGroupName=GROUP)
    pipeline.delete()
    print(
        json.dumps(
            {
                "sdk": sagemaker.__version__,
                "good": good,
                "bad": bad,
                "packages": [package["ModelApprovalStatus"] for package in packages["ModelPackageSummaryList"]],
            }
        )
    )


if __name__ == "__main__":
    main()
