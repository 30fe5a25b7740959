"""A pipeline with each way in which the SDK uploads code."""

from pathlib import Path

from sagemaker.core.processing import FrameworkProcessor, ScriptProcessor
from sagemaker.core.shapes import ProcessingInput, ProcessingOutput, ProcessingS3Input, ProcessingS3Output
from sagemaker.core.training.configs import Compute, InputData, SourceCode
from sagemaker.core.workflow.conditions import ConditionGreaterThanOrEqualTo
from sagemaker.core.workflow.functions import Join, JsonGet
from sagemaker.core.workflow.parameters import ParameterFloat, ParameterInteger, ParameterString
from sagemaker.core.workflow.properties import PropertyFile
from sagemaker.mlops.workflow import ConditionStep, FailStep, Pipeline, ProcessingStep, TrainingStep
from sagemaker.train.model_trainer import ModelTrainer

from pipelines.environment import Environment

STEPS = Path(__file__).parents[2] / "steps"


def s3_input(name, uri):
    return ProcessingInput(
        input_name=name,
        s3_input=ProcessingS3Input(
            s3_uri=uri, local_path=f"/opt/ml/processing/{name}", s3_data_type="S3Prefix", s3_input_mode="File"
        ),
    )


def s3_output(name):
    return ProcessingOutput(
        output_name=name,
        s3_output=ProcessingS3Output(s3_uri="", local_path=f"/opt/ml/processing/{name}", s3_upload_mode="EndOfJob"),
    )


def build(environment: Environment) -> Pipeline:
    image, role, session = environment.image("small"), environment.role, environment.session
    data = ParameterString("InputDataUri", default_value=f"s3://{environment.bucket}/tiny/data/")
    approval = ParameterString("Approval", default_value="Pending", enum_values=["Pending", "Approved"])
    depth = ParameterInteger("MaxDepth", default_value=4)
    minimum = ParameterFloat("MinAuc", default_value=0.5)
    prepare = ProcessingStep(
        name="Prepare",
        step_args=FrameworkProcessor(
            image_uri=image,
            role=role,
            instance_type="ml.m5.large",
            instance_count=1,
            command=["python3"],
            base_job_name="prepare",
            sagemaker_session=session,
        ).run(
            code="script.py",
            source_dir=str(STEPS / "prepare"),
            inputs=[s3_input("data", data)],
            outputs=[s3_output("train")],
        ),
    )
    train = TrainingStep(
        name="Train",
        step_args=ModelTrainer(
            training_image=image,
            role=role,
            sagemaker_session=session,
            base_job_name="tiny-train",
            source_code=SourceCode(source_dir=str(STEPS / "train" / "source"), entry_script="train.py"),
            compute=Compute(instance_type="ml.m5.large", instance_count=1, volume_size_in_gb=30),
            hyperparameters={"max_depth": depth.to_string()},
        ).train(
            input_data_config=[
                InputData(
                    channel_name="train",
                    data_source=prepare.properties.ProcessingOutputConfig.Outputs["train"].S3Output.S3Uri,
                )
            ]
        ),
    )
    report = PropertyFile(name="Report", output_name="evaluation", path="evaluation.json")
    evaluate = ProcessingStep(
        name="Evaluate",
        property_files=[report],
        step_args=ScriptProcessor(
            image_uri=image,
            role=role,
            instance_type="ml.m5.large",
            instance_count=1,
            command=["python3"],
            base_job_name="evaluate",
            sagemaker_session=session,
        ).run(
            code=str(STEPS / "prepare" / "evaluate.py"),
            inputs=[s3_input("model", train.properties.ModelArtifacts.S3ModelArtifacts)],
            outputs=[s3_output("evaluation")],
        ),
    )
    auc = JsonGet(step_name="Evaluate", property_file=report, json_path="binary_classification_metrics.auc.value")
    check = ConditionStep(
        name="Check",
        conditions=[ConditionGreaterThanOrEqualTo(left=auc, right=minimum)],
        if_steps=[],
        else_steps=[FailStep(name="TooLow", error_message=Join(on=" ", values=["AUC below", minimum.to_string()]))],
    )
    return Pipeline(
        name="tiny",
        parameters=[data, approval, depth, minimum],
        steps=[prepare, train, evaluate, check],
        sagemaker_session=session,
    )
