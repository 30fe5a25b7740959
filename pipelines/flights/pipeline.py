"""Will this flight arrive more than 15 minutes late?"""

from __future__ import annotations

from sagemaker.core.workflow.conditions import ConditionGreaterThanOrEqualTo
from sagemaker.core.workflow.functions import Join, JsonGet
from sagemaker.core.workflow.parameters import ParameterFloat, ParameterInteger, ParameterString
from sagemaker.mlops.workflow import CacheConfig, ConditionStep, FailStep, Pipeline

from pipelines.environment import Environment
from pipelines.flights.seed import seed_uri
from steps.evaluate.step import EVALUATION, evaluate_step
from steps.preprocess.step import preprocess_step
from steps.register.step import register_step
from steps.train.step import train_step


def build(environment: Environment) -> Pipeline:
    """Preprocess -> Train -> Evaluate -> CheckQuality -> Register, or QualityTooLow."""
    input_data = ParameterString("InputDataUri", default_value=seed_uri(environment.bucket))
    processing_instance = ParameterString("ProcessingInstanceType", default_value="ml.m5.large")
    training_instance = ParameterString("TrainingInstanceType", default_value="ml.m5.large")
    max_depth = ParameterInteger("MaxDepth", default_value=6)
    num_round = ParameterInteger("NumRound", default_value=60)
    min_auc = ParameterFloat("MinAuc", default_value=0.65)
    approval_status = ParameterString(
        "ModelApprovalStatus",
        default_value="PendingManualApproval",
        enum_values=["PendingManualApproval", "Approved", "Rejected"],
    )
    cache = CacheConfig(enable_caching=True, expire_after="P30D")

    preprocess = preprocess_step(environment, input_data, processing_instance, cache)
    train = train_step(environment, preprocess, training_instance, max_depth, num_round, cache)
    evaluate = evaluate_step(environment, preprocess, train, processing_instance)
    auc = JsonGet(
        step_name=evaluate.name, property_file=EVALUATION, json_path="binary_classification_metrics.auc.value"
    )
    register = register_step(environment, train, evaluate, approval_status)
    too_low = FailStep(
        name="QualityTooLow",
        error_message=Join(on=" ", values=["The AUC on the test months is", auc, "and MinAuc is", min_auc.to_string()]),
    )
    check = ConditionStep(
        name="CheckQuality",
        conditions=[ConditionGreaterThanOrEqualTo(left=auc, right=min_auc)],
        if_steps=[register],
        else_steps=[too_low],
    )
    return Pipeline(
        name="flights",
        parameters=[
            input_data,
            processing_instance,
            training_instance,
            max_depth,
            num_round,
            min_auc,
            approval_status,
        ],
        steps=[preprocess, train, evaluate, check],
        sagemaker_session=environment.session,
    )
