"""Once: a pipeline that deploys a model package, and a rule that starts it when a package of a group is approved."""

import json

import boto3


def deployment_definition(role: str) -> str:
    """A model made of the package; add the endpoint, the smoke test and what else a deployment needs."""
    package = {"Get": "Parameters.ModelPackageArn"}
    container = {"PrimaryContainer": {"ModelPackageName": package}, "ExecutionRoleArn": role}
    return json.dumps(
        {
            "Version": "2020-12-01",
            "Parameters": [{"Name": "ModelPackageArn", "Type": "String"}],
            "Steps": [{"Name": "Deploy", "Type": "Model", "Arguments": container}],
        }
    )


def deploy_on_approval(group: str, pipeline: str, role: str) -> None:
    """``role`` executes the pipeline; EventBridge takes it, too, to start it (sagemaker:StartPipelineExecution)."""
    arn = boto3.client("sagemaker").create_pipeline(
        PipelineName=pipeline, PipelineDefinition=deployment_definition(role), RoleArn=role, ClientRequestToken="0" * 32
    )["PipelineArn"]
    events = boto3.client("events")
    pattern = {
        "source": ["aws.sagemaker"],
        "detail-type": ["SageMaker Model Package State Change"],
        "detail": {"ModelPackageGroupName": [group], "ModelApprovalStatus": ["Approved"]},
    }
    rule = f"deploy-{group}"
    events.put_rule(Name=rule, EventPattern=json.dumps(pattern))
    parameters = {"PipelineParameterList": [{"Name": "ModelPackageArn", "Value": "$.detail.ModelPackageArn"}]}
    target = {"Id": pipeline, "Arn": arn, "RoleArn": role, "SageMakerPipelineParameters": parameters}
    events.put_targets(Rule=rule, Targets=[target])


if __name__ == "__main__":
    deploy_on_approval("flights", "flights-deploy", "arn:aws:iam::123456789012:role/SageMakerExecutionRole")
