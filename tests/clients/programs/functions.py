"""Functions as pipeline steps and as a remote call, as users of SDK v2 and v3 write them; only the imports differ."""

import json
import sys
from importlib.metadata import version
from pathlib import Path

SDK = version("sagemaker")
if SDK.startswith("2."):
    from sagemaker.remote_function import remote
    from sagemaker.workflow.condition_step import ConditionStep
    from sagemaker.workflow.conditions import ConditionGreaterThan
    from sagemaker.workflow.fail_step import FailStep
    from sagemaker.workflow.function_step import step
    from sagemaker.workflow.parameters import ParameterInteger
    from sagemaker.workflow.pipeline import Pipeline
else:
    from sagemaker.core.remote_function import remote
    from sagemaker.core.workflow.conditions import ConditionGreaterThan
    from sagemaker.core.workflow.parameters import ParameterInteger
    from sagemaker.mlops.workflow import ConditionStep, FailStep, Pipeline
    from sagemaker.mlops.workflow.function_step import step

ROLE = "arn:aws:iam::123456789012:role/SageMakerExecutionRole"
REQUIREMENTS = str(Path(__file__).parent / "functions" / "requirements.txt")
IMAGE = sys.argv[1]
SETTINGS = {"image_uri": IMAGE, "instance_type": "ml.m5.large", "role": ROLE}


@step(name="numbers", dependencies=REQUIREMENTS, **SETTINGS)
def numbers(count):
    return list(range(count))


@step(name="summary", **SETTINGS)
def summary(values, note="none"):
    print("summing", len(values), "values")
    return {"total": sum(values), "note": note}


@step(name="praise", **SETTINGS)
def praise(found):
    return f"{found['total']} is plenty ({found['note']})"


@step(name="broken", **SETTINGS)
def broken():
    raise ValueError("this function fails on purpose")


@remote(**SETTINGS)
def remotely(a, b):
    return {"product": a * b}


def run_pipeline():
    count = ParameterInteger(name="Count", default_value=5)
    found = summary(numbers(count), note="by hand")
    condition = ConditionStep(
        name="enough",
        conditions=[ConditionGreaterThan(left=found["total"], right=5)],
        if_steps=[praise(found)],
        else_steps=[FailStep(name="too-little", error_message="not enough")],
    )
    pipeline = Pipeline(name="Functions", parameters=[count], steps=[condition])
    pipeline.upsert(role_arn=ROLE)
    execution = pipeline.start()
    execution.wait(delay=1, max_attempts=120)
    results = {name: execution.result(name) for name in ("numbers", "summary", "praise")}
    few = pipeline.start(parameters={"Count": 2})
    try:
        few.wait(delay=1, max_attempts=120)
    except Exception:
        results["few"] = {step["StepName"]: step["StepStatus"] for step in few.list_steps()}
    pipeline.delete()
    return results


def run_broken():
    pipeline = Pipeline(name="Broken", steps=[broken()])
    pipeline.upsert(role_arn=ROLE)
    execution = pipeline.start()
    try:
        execution.wait(delay=1, max_attempts=120)
    except Exception:
        pass
    try:
        execution.result("broken")
    except Exception as error:
        raised = f"{type(error).__name__}: {error}"
    (failed,) = execution.list_steps()
    return {"reason": failed["FailureReason"], "raised": raised}


if __name__ == "__main__":
    print(
        json.dumps(
            {
                "sdk": SDK,
                "pipeline": run_pipeline(),
                "broken": run_broken(),
                "remote": remotely(6, b=7),
            }
        )
    )
