"""The Abalone pipeline by SageMaker Python SDK v3, as its users write it: nothing in it knows of an emulator."""

import json
from importlib.metadata import version
from pathlib import Path

from abalone_data import rows
from sagemaker.core import image_uris
from sagemaker.core.model_metrics import MetricsSource, ModelMetrics
from sagemaker.core.processing import FrameworkProcessor, ScriptProcessor
from sagemaker.core.s3 import S3Uploader
from sagemaker.core.shapes import ProcessingInput, ProcessingOutput, ProcessingS3Input, ProcessingS3Output
from sagemaker.core.training.configs import Compute, InputData, OutputDataConfig
from sagemaker.core.workflow.conditions import ConditionLessThanOrEqualTo
from sagemaker.core.workflow.functions import Join, JsonGet
from sagemaker.core.workflow.parameters import ParameterFloat, ParameterString
from sagemaker.core.workflow.pipeline_context import PipelineSession
from sagemaker.core.workflow.properties import PropertyFile
from sagemaker.mlops.workflow import ConditionStep, FailStep, ModelStep, Pipeline, ProcessingStep, TrainingStep
from sagemaker.serve.model_builder import ModelBuilder
from sagemaker.train.model_trainer import ModelTrainer

HERE = Path(__file__).parent / "abalone"
ROLE = "arn:aws:iam::123456789012:role/SageMakerExecutionRole"
GROUP = "AbaloneV3"
REGION = "us-east-1"


def read(name, uri):
    source = ProcessingS3Input(
        s3_uri=uri, local_path=f"/opt/ml/processing/{name}", s3_data_type="S3Prefix", s3_input_mode="File"
    )
    return ProcessingInput(input_name=name, s3_input=source)


def write(name):
    target = ProcessingS3Output(s3_uri="", local_path=f"/opt/ml/processing/{name}", s3_upload_mode="EndOfJob")
    return ProcessingOutput(output_name=name, s3_output=target)


def build():
    session = PipelineSession()
    bucket = session.default_bucket()
    data = S3Uploader.upload_string_as_file_body(
        rows(), f"s3://{bucket}/abalone/abalone.csv", sagemaker_session=session
    )
    input_data = ParameterString(name="InputDataUrl", default_value=data)
    limit = ParameterFloat(name="MseLimit", default_value=6.0)
    xgboost = image_uris.retrieve("xgboost", region=REGION, version="1.7-1")
    common = {"role": ROLE, "instance_type": "ml.m5.large", "instance_count": 1, "sagemaker_session": session}

    processor = FrameworkProcessor(
        image_uri=image_uris.retrieve("sklearn", region=REGION, version="1.2-1"), command=["python3"], **common
    )
    process = ProcessingStep(
        name="AbaloneProcess",
        step_args=processor.run(
            code="preprocess.py",
            source_dir=str(HERE),
            inputs=[read("input", input_data)],
            outputs=[write(name) for name in ("train", "validation", "test")],
            arguments=["--input-data", input_data],
        ),
    )
    outputs = process.properties.ProcessingOutputConfig.Outputs

    trainer = ModelTrainer(
        training_image=xgboost,
        role=ROLE,
        sagemaker_session=session,
        base_job_name="abalone",
        compute=Compute(instance_type="ml.m5.large", instance_count=1, volume_size_in_gb=30),
        output_data_config=OutputDataConfig(s3_output_path=f"s3://{bucket}/models"),
        hyperparameters={"objective": "reg:squarederror", "num_round": 50, "max_depth": 5, "eta": 0.2},
    )
    channels = [
        InputData(channel_name=name, content_type="text/csv", data_source=outputs[name].S3Output.S3Uri)
        for name in ("train", "validation")
    ]
    train = TrainingStep(name="AbaloneTrain", step_args=trainer.train(input_data_config=channels))
    model_data = train.properties.ModelArtifacts.S3ModelArtifacts

    evaluator = ScriptProcessor(image_uri=xgboost, command=["python3"], **common)
    report = PropertyFile(name="AbaloneReport", output_name="evaluation", path="evaluation.json")
    evaluate = ProcessingStep(
        name="AbaloneEval",
        property_files=[report],
        step_args=evaluator.run(
            code=str(HERE / "evaluate.py"),
            inputs=[read("model", model_data), read("test", outputs["test"].S3Output.S3Uri)],
            outputs=[write("evaluation")],
        ),
    )

    folder = evaluate.properties.ProcessingOutputConfig.Outputs["evaluation"].S3Output.S3Uri
    statistics = MetricsSource(content_type="application/json", s3_uri=Join(on="/", values=[folder, "evaluation.json"]))
    builder = ModelBuilder(image_uri=xgboost, role_arn=ROLE, sagemaker_session=session, s3_model_data_url=model_data)
    register = ModelStep(
        name="AbaloneRegister",
        step_args=builder.register(
            model_package_group_name=GROUP,
            content_types=["text/csv"],
            response_types=["text/csv"],
            inference_instances=["ml.m5.large"],
            transform_instances=["ml.m5.large"],
            approval_status="Approved",
            model_metrics=ModelMetrics(model_statistics=statistics),
        ),
    )
    mse = JsonGet(step_name=evaluate.name, property_file=report, json_path="regression_metrics.mse.value")
    condition = ConditionStep(
        name="AbaloneMSECond",
        conditions=[ConditionLessThanOrEqualTo(left=mse, right=limit)],
        if_steps=[register],
        else_steps=[FailStep(name="AbaloneMSEFail", error_message="MSE above the limit")],
    )
    steps = [process, train, evaluate, condition]
    return Pipeline(name="AbaloneV3", parameters=[input_data, limit], steps=steps, sagemaker_session=session), session


def main():
    pipeline, session = build()
    pipeline.upsert(role_arn=ROLE)
    execution = pipeline.start(parameters={"MseLimit": 8.5})
    execution.wait(delay=1, max_attempts=120)
    answer = {
        "sdk": version("sagemaker"),
        "status": execution.describe()["PipelineExecutionStatus"],
        "steps": {step["StepName"]: step["StepStatus"] for step in execution.list_steps()},
        "parameters": execution.list_parameters()["PipelineParameters"],
    }
    packages = session.sagemaker_client.list_model_packages(ModelPackageGroupName=GROUP)["ModelPackageSummaryList"]
    answer["packages"] = [package["ModelApprovalStatus"] for package in packages]
    pipeline.delete()
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
