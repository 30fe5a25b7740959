from pipelines.tables import execution_rows, render, step_rows
from tests.pipelines.fakes import ARN, START, job, step


def test_columns_are_aligned() -> None:
    assert render([("A", "B"), ("long", "x"), ("s", "")]) == ["A     B", "long  x", "s"]


def test_executions_carry_id_status_and_reason() -> None:
    rows = execution_rows(
        [
            {
                "PipelineExecutionArn": ARN,
                "PipelineExecutionStatus": "Failed",
                "StartTime": START,
                "PipelineExecutionFailureReason": "Step failure:\n one or more " + "x" * 200,
            }
        ]
    )
    assert rows[1][:2] == ("abcdefghijkl", "Failed")
    assert rows[1][3].startswith("Step failure: one or more x")
    assert len(rows[1][3]) == 100


def test_steps_carry_what_happened_to_them() -> None:
    rows = step_rows(
        [
            step("A", "Succeeded", 0, 2, Metadata=job("TrainingJob", "t")),
            step("B", "Succeeded", 2, 2, CacheHitResult={"SourcePipelineExecutionArn": ARN}),
            step("C", "Succeeded", 2, 2, Metadata={"Condition": {"Outcome": "True"}}),
            step("D", "Failed", 2, 3, FailureReason="AlgorithmError"),
        ]
    )
    assert [row[4] for row in rows[1:]] == [
        "arn:aws:sagemaker:us-east-1:123456789012:trainingjob/t",
        "cached",
        "outcome True",
        "AlgorithmError",
    ]
    assert [row[3] for row in rows[1:]] == ["2.0 s", "0.0 s", "0.0 s", "1.0 s"]
