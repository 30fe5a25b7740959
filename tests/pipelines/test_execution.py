import json

import pytest

from pipelines.connection import Connection
from pipelines.deployed import deployed_pipeline, describe
from pipelines.errors import ParameterError, PipelineNotFound, UsageError
from pipelines.execution import execution_id, find_execution, list_executions, start_execution
from tests.pipelines.fakes import ARN
from tests.pipelines.test_definition import DEFINITION


def deploy(connection: Connection, name: str = "tiny") -> None:
    connection.sagemaker.create_pipeline(
        PipelineName=name,
        PipelineDefinition=json.dumps(DEFINITION),
        RoleArn=connection.target.environment.role,
    )


def test_an_arn_has_pipeline_and_id() -> None:
    assert execution_id(ARN) == "abcdefghijkl"


def test_a_start_checks_parameters_first(connection: Connection) -> None:
    deploy(connection)
    with pytest.raises(ParameterError, match="Did you mean 'MinAuc'"):
        start_execution(connection, "tiny", ["MinAcu=1", "Given=1"])
    assert list_executions(connection, "tiny", 10) == []
    arn = start_execution(connection, "tiny", ["Given=1"])
    assert [item["PipelineExecutionArn"] for item in list_executions(connection, "tiny", 10)] == [arn]


def test_what_is_not_deployed_names_the_next_command(connection: Connection) -> None:
    assert describe(connection, "tiny") is None
    with pytest.raises(UsageError, match=r"not deployed to environment local. Next: pipelines upsert tiny"):
        deployed_pipeline(connection, "tiny")
    with pytest.raises(PipelineNotFound, match=r"no pipeline 'tinny'. Did you mean 'tiny'"):
        start_execution(connection, "tinny", [])


def test_an_execution_is_found_by_arn_id_and_pipeline(connection: Connection) -> None:
    deploy(connection)
    deploy(connection, "other")
    first = start_execution(connection, "tiny", ["Given=1"])
    assert find_execution(connection, ARN, []) == ARN
    assert find_execution(connection, "tiny", []) == first
    assert find_execution(connection, execution_id(first), []) == first
    assert find_execution(connection, execution_id(first), ["not-deployed", "other", "tiny"]) == first


def test_what_is_no_execution_is_explained(connection: Connection) -> None:
    deploy(connection)
    with pytest.raises(UsageError, match=r"has no execution yet. Next: pipelines start tiny"):
        find_execution(connection, "tiny", [])
    for text in ("nothing", "abcdefghijkl", "not/a_name"):
        with pytest.raises(UsageError, match="neither the ARN nor the id of an execution"):
            find_execution(connection, text, ["tiny"])
