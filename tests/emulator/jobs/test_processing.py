import json
import time

import pytest

from tests.emulator.jobs.world import BUCKET, ROLE, outputs, s3_input, s3_output, until

PREFIX = f"s3://{BUCKET}"


def test_inputs_become_files_and_outputs_become_objects(world):
    world.put("in/a.txt", b"one")
    world.put("in/deep/b.txt", b"two")
    world.processing(
        "copy",
        "mkdir $ML/processing/out/sub && cat $ML/processing/in/a.txt $ML/processing/in/deep/b.txt > $0/sub/both",
        "/opt/ml/processing/out",
        ProcessingInputs=[s3_input("in", f"{PREFIX}/in", "/opt/ml/processing/in")],
        ProcessingOutputConfig=outputs(s3_output("out", "/opt/ml/processing/out", f"{PREFIX}/result")),
    )
    job = world.processed("copy")
    assert world.get("result/sub/both") == b"onetwo"
    assert world.keys("result") == ["result/sub/both"]
    assert job["CreationTime"] <= job["ProcessingStartTime"] <= job["ProcessingEndTime"]
    assert "FailureReason" not in job
    until(lambda: not list((world.root / "jobs").iterdir()))


def test_inputs_that_lie_in_one_another_are_one_tree(world):
    world.put("raw/x.csv", b"x")
    world.put("code/run.sh", b"r")
    world.processing(
        "nested",
        "cd $ML/processing/input && find . -type f | sort && touch code/new",
        ProcessingInputs=[
            s3_input("code", f"{PREFIX}/code/run.sh", "/opt/ml/processing/input/code"),
            s3_input("raw", f"{PREFIX}/raw/", "/opt/ml/processing/input"),
        ],
    )
    world.processed("nested")
    assert world.log("Processing", "nested") == ["./code/run.sh", "./x.csv"]


def test_a_job_can_write_back_to_the_folder_of_its_input(world):
    world.put("in/a", b"old")
    world.processing(
        "inplace",
        "echo new > $ML/processing/d/a && echo more > $ML/processing/d/b",
        ProcessingInputs=[s3_input("in", f"{PREFIX}/in/", "/opt/ml/processing/d")],
        ProcessingOutputConfig=outputs(s3_output("out", "/opt/ml/processing/d", f"{PREFIX}/back/")),
    )
    world.processed("inplace")
    assert (world.get("back/a"), world.get("back/b"), world.get("in/a")) == (b"new\n", b"more\n", b"old")


def test_the_container_finds_its_configuration_and_environment(world):
    world.processing(
        "config",
        'cd $ML/config && cp * $ML/processing/out && echo "$MINE $AWS_REGION $AWS_ACCESS_KEY_ID $AWS_ENDPOINT_URL"'
        ' "$FROM_IMAGE"',
        Environment={"MINE": "yes"},
        ProcessingOutputConfig=outputs(s3_output("out", "/opt/ml/processing/out", f"{PREFIX}/config")),
    )
    job = world.processed("config")
    config = json.loads(world.get("config/processingjobconfig.json"))
    assert config["ProcessingJobArn"] == job["ProcessingJobArn"]
    assert config["StoppingCondition"] == {"MaxRuntimeInSeconds": 86400}
    assert config["AppSpecification"]["ContainerArguments"] is None
    assert json.loads(world.get("config/resourceconfig.json"))["hosts"] == ["algo-1"]
    assert world.log("Processing", "config") == ["yes us-east-1 123456789012 http://127.0.0.1:4570 1"]


def test_the_images_own_command_runs_where_the_request_has_none(world):
    world.processing("default", "", AppSpecification={"ImageUri": "1.dkr.ecr.us-east-1.amazonaws.com/processing:1"})
    world.processed("default")
    assert world.launcher.launches[0].command == ["true"]


def test_a_failing_program_fails_the_job_in_the_words_of_aws(world):
    world.processing(
        "bad",
        "echo half > $ML/processing/out/x; exit 3",
        ProcessingOutputConfig=outputs(s3_output("out", "/opt/ml/processing/out", f"{PREFIX}/bad")),
    )
    assert world.processed("bad", "Failed")["FailureReason"] == "AlgorithmError: , exit code: 3"
    assert world.keys("bad") == []


def test_the_exit_message_is_kept_whatever_the_exit(world):
    script = "printf 'rows: 12' > $ML/output/message; exit $0"
    world.processing("good", script, "0")
    world.processing("bad", script, "1")
    assert world.processed("good")["ExitMessage"] == "rows: 12"
    bad = world.processed("bad", "Failed")
    assert bad["ExitMessage"] == "rows: 12"
    assert bad["FailureReason"] == "AlgorithmError: See job logs for more information"


def test_an_exit_message_is_cut_at_a_kibibyte_and_must_be_text(world):
    world.processing("long", "for i in $(seq 400); do printf 'xé€'; done > $ML/output/message")
    world.processing("noise", r"printf '\377\376' > $ML/output/message")
    message = world.processed("long")["ExitMessage"]
    assert 1020 < len(message.encode()) <= 1024
    assert world.processed("noise", "Failed")["FailureReason"].startswith("ClientError: The exit message")


def test_out_of_memory_is_named(world):
    world.processing("fat", "exit 137")
    reason = world.processed("fat", "Failed")["FailureReason"]
    assert reason.startswith("ClientError: Please use an instance type with more memory")
    assert "out of memory" in world.log("Processing", "fat")[-1]


def test_a_signal_ends_the_job_as_failed(world):
    world.processing("shot", "kill -SEGV $$")
    assert world.processed("shot", "Failed")["FailureReason"] == "AlgorithmError: , exit code: 139"
    assert world.log("Processing", "shot")[-1] == "emulator: killed by signal 11"


def test_a_job_that_runs_too_long_is_stopped(world):
    world.processing("slow", "sleep 60", StoppingCondition={"MaxRuntimeInSeconds": 1})
    job = world.processed("slow", "Stopped")
    assert job["FailureReason"].startswith("MaxRuntimeExceeded")


def test_stopping_asks_first_and_kills_then(tmp_path, world):
    world.processing("polite", "trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.1; done")
    until(lambda: world.log("Processing", "polite") == ["ready"])
    world.call("StopProcessingJob", ProcessingJobName="polite")
    assert world.call("DescribeProcessingJob", ProcessingJobName="polite")["ProcessingJobStatus"] in (
        "Stopping",
        "Stopped",
    )
    world.processed("polite", "Stopped")
    assert world.log("Processing", "polite") == ["ready", "bye"]


def test_a_deaf_program_is_killed_after_the_grace(world):
    object.__setattr__(world.settings, "stop_grace_seconds", 0.3)
    world.processing("deaf", "trap '' TERM; echo ready; while :; do sleep 0.1; done")
    until(lambda: world.log("Processing", "deaf") == ["ready"])
    began = time.monotonic()
    world.call("StopProcessingJob", ProcessingJobName="deaf")
    world.processed("deaf", "Stopped")
    assert time.monotonic() - began < 4


def test_continuous_outputs_arrive_while_the_job_runs_and_after_it_failed(world):
    world.processing(
        "live",
        "echo 1 > $ML/processing/out/first; while [ ! -e $ML/processing/go ]; do sleep 0.05; done;"
        " echo 2 > $ML/processing/out/last; exit 1",
        ProcessingOutputConfig=outputs(s3_output("out", "/opt/ml/processing/out", f"{PREFIX}/live", "Continuous")),
    )
    until(lambda: world.keys("live") == ["live/first"])
    (world.launcher.launches[0].directory / "ml/processing/go").touch()
    world.processed("live", "Failed")
    assert world.keys("live") == ["live/first", "live/last"]


def test_app_managed_data_is_left_alone(world):
    world.processing(
        "managed",
        "ls $ML/processing 2>/dev/null; true",
        ProcessingInputs=[
            {"InputName": "x", "AppManaged": True, "S3Input": {"S3Uri": "s3://no/where", "S3DataType": "S3Prefix"}}
        ],
        ProcessingOutputConfig=outputs(
            {"AppManaged": True, **s3_output("out", "/opt/ml/processing/out", "s3://no/where")}
        ),
    )
    world.processed("managed")
    assert world.log("Processing", "managed") == []


def test_nothing_of_the_machine_is_uploaded_through_links(world, tmp_path):
    (tmp_path / "secret").write_text("secret")
    world.processing(
        "links",
        f"cd $ML/processing/out && ln -s {tmp_path}/secret s && ln -s ../../x up && mkfifo pipe && echo ok > ok"
        " && ln -s /opt/''ml/processing/out/ok inside && ln -s loop loop",
        ProcessingOutputConfig=outputs(s3_output("out", "/opt/ml/processing/out", f"{PREFIX}/links")),
    )
    world.processed("links")
    assert world.keys("links") == ["links/inside", "links/ok"]
    assert sum("not uploaded" in line for line in world.log("Processing", "links")) == 4


def test_an_output_folder_that_became_a_link_is_not_followed_out(world, tmp_path):
    (tmp_path / "secret").write_text("secret")
    world.processing(
        "swap",
        f"rmdir $ML/processing/out && ln -s {tmp_path} $ML/processing/out",
        ProcessingOutputConfig=outputs(s3_output("out", "/opt/ml/processing/out", f"{PREFIX}/swap")),
    )
    world.processed("swap")
    assert world.keys("swap") == []


def test_files_without_permissions_are_uploaded_and_removed(world):
    world.processing(
        "locked",
        "cd $ML/processing/out && mkdir d && echo x > d/f && chmod 000 d/f d",
        ProcessingOutputConfig=outputs(s3_output("out", "/opt/ml/processing/out", f"{PREFIX}/locked")),
    )
    world.processed("locked")
    assert world.keys("locked") == ["locked/d/f"]
    until(lambda: not list((world.root / "jobs").iterdir()))


@pytest.mark.parametrize(
    ("uri", "reason"),
    [
        (f"{PREFIX}/nothing/here", 'No S3 objects found under S3 URL "s3://data/nothing/here"'),
        ("s3://missing-bucket/x", 'No S3 objects found under S3 URL "s3://missing-bucket/x"'),
    ],
)
def test_missing_data_fails_the_job(world, uri, reason):
    world.processing("hungry", "true", ProcessingInputs=[s3_input("in", uri, "/opt/ml/processing/in")])
    found = world.processed("hungry", "Failed")["FailureReason"]
    assert found.startswith("ClientError: Data download failed:")
    assert reason in found
    assert ROLE in found


def test_a_missing_output_bucket_fails_the_job(world):
    world.processing(
        "nowhere",
        "touch $ML/processing/out/x",
        ProcessingOutputConfig=outputs(s3_output("out", "/opt/ml/processing/out", "s3://missing-bucket/x")),
    )
    reason = world.processed("nowhere", "Failed")["FailureReason"]
    assert reason == "ClientError: Artifact upload failed:The specified bucket does not exist"


def test_an_unknown_image_fails_the_job(world):
    world.processing("unknown", "true", AppSpecification={"ImageUri": "1.dkr.ecr.us-east-1.amazonaws.com/nobody:1"})
    reason = world.processed("unknown", "Failed")["FailureReason"]
    assert reason.startswith("ClientError: Cannot pull algorithm container.")
    assert "nobody:1" in reason
