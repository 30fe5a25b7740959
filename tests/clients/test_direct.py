"""Jobs outside of pipelines by both SDKs, unchanged: train, tune, process, build models, transform, register."""

from __future__ import annotations

import shutil

import pytest

from tests.clients.test_clients import Answer

pytestmark = [pytest.mark.clients, pytest.mark.timeout(900)]


def test_sdk_v2_trains_a_scikit_learn_script_and_transforms_with_its_handlers(answer: Answer) -> None:
    seen = answer("sdk-v2", "direct_v2.py", "sklearn")["sklearn"]
    assert seen["metrics"] == "r2"
    assert seen["scores"] == pytest.approx([2.0, 0.5], abs=0.01)  # 3a + b


def test_sdk_v2_trains_pytorch_alone_and_by_torchrun_and_transforms_with_its_default_handlers(answer: Answer) -> None:
    seen = answer("sdk-v2", "direct_v2.py", "pytorch")["pytorch"]
    assert seen["torchrun"] == {"total": 2.5}
    assert seen["scores"] == [[1.25, 1.25, 1.25], [0.25, 0.5, 0.75]]


def test_sdk_v2_tunes_with_warm_starts_of_both_kinds(answer: Answer) -> None:
    seen = answer("sdk-v2", "direct_v2.py", "tuning")["tuning"]
    assert (seen["status"], seen["warm"]) == ("Completed", "IdenticalDataAndAlgorithm")
    assert (seen["transfer"], seen["table"], seen["estimator"]) == (3, 3, "10")


def test_sdk_v2_processes_with_every_processor(answer: Answer) -> None:
    seen = answer("sdk-v2", "direct_v2.py", "processing")["processing"]
    assert seen == {name: ["--name", name] for name in ("sklearn", "script", "framework", "pytorch")}


def test_sdk_v2_transforms_with_the_algorithm_with_handlers_and_from_a_package(answer: Answer) -> None:
    seen = answer("sdk-v2", "direct_v2.py", "models")["models"]
    assert seen["package"] == seen["algorithm"]
    assert seen["handlers"] == [f"score={value:.3f}" for value in seen["algorithm"]]


def test_sdk_v2_serves_an_archive_with_requirements_of_its_own(answer: Answer) -> None:
    assert answer("sdk-v2", "direct_v2.py", "own_archive")["own_archive"] == ["0.10.0:2"]


def test_sdk_v3_trains_scripts_with_requirements_checkpoints_and_commands(answer: Answer) -> None:
    seen = answer("sdk-v3", "direct_v3.py", "script")["script"]
    told = 'tabulate=0.10.0; hyperparameters={"alpha": 0.5, "name": "a b"}'
    assert [job["said"] for job in seen["jobs"]] == [f"count=1; {told}", f"count=2; {told}"]
    assert {job["status"] for job in seen["jobs"]} == {"Completed"}
    assert not seen["jobs"][1]["installed"]  # the first job's requirements are there
    assert seen["command"] == ["said=42"]


def test_sdk_v3_trains_by_torchrun_and_transforms_with_the_model(answer: Answer) -> None:
    seen = answer("sdk-v3", "direct_v3.py", "torchrun")["torchrun"]
    assert seen["ranks"] == [f"rank {rank} of 2: total=3.0;" for rank in (0, 1)]
    for scores, expected in zip(seen["scores"], ([1.5, 1.5, 1.5], [0.3, 0.6, 0.9]), strict=True):
        assert scores == pytest.approx(expected)


def test_sdk_v3_tunes_with_a_warm_start(answer: Answer) -> None:
    seen = answer("sdk-v3", "direct_v3.py", "tuning")["tuning"]
    assert seen["best"].startswith("first-")
    assert (seen["warm"], seen["completed"]) == ("TransferLearning", 3)


def test_sdk_v3_trains_the_algorithm_and_transforms_with_its_model(answer: Answer) -> None:
    seen = answer("sdk-v3", "direct_v3.py", "algorithm")["algorithm"]
    assert seen["metrics"] == ["train:rmse", "validation:rmse"]
    assert seen["scores"] == pytest.approx([2.0, 0.5], abs=0.6)


def test_sdk_v3_processes_with_requirements(answer: Answer) -> None:
    seen = answer("sdk-v3", "direct_v3.py", "processing")["processing"]
    assert seen["script"] == {"arguments": ["--name", "script"], "inputs": ["data.csv"]}
    assert seen["framework"] == {"arguments": ["--name", "framework"], "inputs": ["data.csv"], "tabulate": "0.10.0"}


def test_sdk_v3_packs_handlers_into_a_model_within_a_pipeline(answer: Answer) -> None:
    seen = answer("sdk-v3", "repack_v3.py")
    assert (seen["status"], seen["reasons"]) == ("Succeeded", [])
    assert {name.partition("-")[0] for name in seen["steps"]} == {"Train", "Create", "Transform"}
    assert len(seen["steps"]) == 4
    assert all(score.startswith("score=") for score in seen["scores"])


def test_sdk_v2_trains_keras_and_transforms_with_its_saved_model(answer: Answer) -> None:
    seen = answer("sdk-v2", "direct_v2.py", "tensorflow")["tensorflow"]
    assert seen["loss"] < 0.01
    assert [row[0] for row in seen["predictions"]] == pytest.approx([2.0, 0.5], abs=0.05)


@pytest.mark.skipif(shutil.which("java") is None, reason="Spark needs Java")
def test_sdk_v2_runs_spark_with_modules_a_configuration_and_event_logs(answer: Answer) -> None:
    seen = answer("sdk-v2", "spark_v2.py")
    assert seen["sums"] == ["A,1.0", "B,5.0"]
    assert len(seen["events"]) == 1
    assert seen["said"] == ["shuffle partitions: 2"]
