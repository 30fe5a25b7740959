from __future__ import annotations

import pytest

from emulator.engine.paths import PathError, parse_path
from emulator.engine.shapes import check_path, coerce, input_shape, output_shape


def test_numbers_and_booleans_become_strings_where_strings_are_wanted() -> None:
    request = {
        "HyperParameters": {"a": 3, "b": 0.5, "c": True, "d": "x"},
        "ResourceConfig": {"InstanceCount": 2, "InstanceType": "ml.m5.large"},
        "EnableNetworkIsolation": True,
        "AlgorithmSpecification": {"ContainerArguments": ["--n", 5]},
        "Unknown": 1,
    }
    assert coerce(input_shape("CreateTrainingJob"), request) == {
        "HyperParameters": {"a": "3", "b": "0.5", "c": "true", "d": "x"},
        "ResourceConfig": {"InstanceCount": 2, "InstanceType": "ml.m5.large"},
        "EnableNetworkIsolation": True,
        "AlgorithmSpecification": {"ContainerArguments": ["--n", "5"]},
        "Unknown": 1,
    }


@pytest.mark.parametrize(
    "path",
    [
        "ModelArtifacts.S3ModelArtifacts",
        "InputDataConfig['train'].DataSource.S3DataSource.S3Uri",
        "FinalMetricDataList['auc'].Value",
        "HyperParameters['max depth']",
        "SecondaryStatusTransitions[0].Status",
    ],
)
def test_paths_that_a_response_has(path: str) -> None:
    check_path(output_shape("DescribeTrainingJob"), parse_path(path))


@pytest.mark.parametrize("path", ["ModelArtifact", "ModelArtifacts.S3", "InputDataConfig.train", "RoleArn[0]"])
def test_paths_that_no_response_has(path: str) -> None:
    with pytest.raises(PathError):
        check_path(output_shape("DescribeTrainingJob"), parse_path(path))
