"""Bad days: each ends in a clear message and the right state, and leaves no process behind."""

from __future__ import annotations

import os
import random
import subprocess
import time
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from tests.integration.emulators import Emulator, until
from tests.integration.small_pipelines import BUCKET, Runner, processing_step


def one_step(runner: Runner, name: str, source: str, **options: object) -> tuple[dict, dict]:
    key = f"code/{name}/script.py"
    runner.upload(source, key)
    execution, steps = runner.run(processing_step("Only", key, **options), name=name)
    return execution, steps["Only"]


def processes_with(marker: str) -> list[int]:
    """Process ids, in any namespace below ours, whose command line holds the marker."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                if marker.encode() in (entry / "cmdline").read_bytes():
                    found.append(int(entry.name))
            except OSError:
                continue
    return found


def test_a_script_that_raises_fails_the_step_and_its_log_says_why(runner):
    execution, step = one_step(runner, "raises", "raise ValueError('no such airport: XYZ')")
    assert execution["PipelineExecutionStatus"] == "Failed"
    assert execution["FailureReason"] == "Step failure: One or multiple steps failed."
    assert step["StepStatus"] == "Failed"
    assert "AlgorithmError" in step["FailureReason"]
    assert "ValueError: no such airport: XYZ" in runner.log(step)


def test_a_script_that_uses_too_much_memory_is_killed_and_the_reason_says_memory(runner):
    source = "import time\nheap = [bytearray(50 << 20) for _ in range(40) if not time.sleep(0.1)]\n"
    execution, step = one_step(runner, "hungry", source)
    assert execution["PipelineExecutionStatus"] == "Failed"
    assert "memory" in step["FailureReason"].lower()
    assert "out of memory, the limit is 300 MiB" in runner.log(step)


def test_a_script_killed_by_a_signal_fails_with_its_exit_code(runner):
    _, step = one_step(runner, "shot", "import os\nos.kill(os.getpid(), 9)")
    assert step["StepStatus"] == "Failed"
    assert "137" in step["FailureReason"]


def test_a_script_that_hangs_is_ended_at_its_limit(runner):
    source = "import time\nprint('waiting', flush=True)\ntime.sleep(3600)"
    execution, step = one_step(runner, "hangs", source, max_runtime=1)
    assert execution["PipelineExecutionStatus"] == "Failed"
    assert "time limit" in step["FailureReason"]
    assert "waiting" in runner.log(step)


def test_a_gigabyte_of_output_is_bounded_and_its_end_is_kept(runner, emulator):
    source = "import sys\nline = 'x' * 1023 + '\\n'\nfor _ in range(1 << 20): sys.stdout.write(line)\nprint('the end')"
    execution, step = one_step(runner, "chatty", source)
    assert execution["PipelineExecutionStatus"] == "Succeeded"
    assert runner.log(step).endswith("the end")
    logs = sum(path.stat().st_size for path in (emulator.data_dir / "logs").rglob("*") if path.is_file())
    assert logs < 100 << 20


def test_a_script_cannot_write_outside_its_folders(runner, emulator, tmp_path):
    source = f"""
import pathlib
for place in ["/usr/bin/left-behind", "/etc/left-behind", "{tmp_path}/left-behind", "{emulator.data_dir}/left-behind"]:
    try:
        pathlib.Path(place).parent.mkdir(parents=True, exist_ok=True)
        pathlib.Path(place).write_text("x")
        print("wrote", place)
    except OSError as error:
        print("refused", place, error)
"""
    execution, step = one_step(runner, "wanders", source)
    assert execution["PipelineExecutionStatus"] == "Succeeded", step
    for place in ["/usr/bin", "/etc", str(tmp_path), str(emulator.data_dir)]:
        assert not Path(place, "left-behind").exists()


def test_a_script_that_writes_into_its_input_leaves_the_store_as_it_was(runner):
    runner.s3.put_object(Bucket=BUCKET, Key="precious/data.csv", Body=b"precious")
    source = "open('/opt/ml/processing/input/data/data.csv', 'r+').write('spoilt!!')"
    execution, _ = one_step(runner, "spoils", source, inputs={"data": f"s3://{BUCKET}/precious/"})
    assert execution["PipelineExecutionStatus"] == "Succeeded"
    assert runner.s3.get_object(Bucket=BUCKET, Key="precious/data.csv")["Body"].read() == b"precious"


def test_missing_data_is_named(runner):
    _, step = one_step(runner, "hungers", "pass", inputs={"data": f"s3://{BUCKET}/nowhere/"})
    assert step["StepStatus"] == "Failed"
    assert f"s3://{BUCKET}/nowhere/" in step["FailureReason"]


def test_an_unknown_image_is_named_with_what_to_do(runner):
    step = processing_step("Only")
    step["Arguments"]["AppSpecification"]["ImageUri"] = "123456789012.dkr.ecr.us-east-1.amazonaws.com/nothing:1"
    runner.upload("pass")
    _, steps = runner.run(step, name="imageless")
    assert steps["Only"]["StepStatus"] == "Failed"
    assert "nothing:1" in steps["Only"]["FailureReason"]


PARAMETERS = [
    {"Name": "Depth", "Type": "Integer", "DefaultValue": 3},
    {"Name": "Status", "Type": "String", "DefaultValue": "Approved", "EnumValues": ["Approved", "Rejected"]},
    {"Name": "Needed", "Type": "String"},
]


@pytest.mark.parametrize(
    ("parameters", "named"),
    [
        ({"Needed": "x", "Dept": "3"}, "Dept"),
        ({"Needed": "x", "Depth": "deep"}, "Depth"),
        ({"Needed": "x", "Status": "Perhaps"}, "Status"),
        ({"Depth": "3"}, "Needed"),
    ],
)
def test_a_wrong_parameter_is_refused_by_name(runner, parameters, named):
    name = f"parameters-{random.randrange(10**9)}"
    runner.create(processing_step("Only"), name=name, parameters=PARAMETERS)
    with pytest.raises(ClientError, match=named) as refused:
        runner.start(name, **parameters)
    assert refused.value.response["Error"]["Code"] == "ValidationException"
    assert runner.sagemaker.list_pipeline_executions(PipelineName=name)["PipelineExecutionSummaries"] == []


def test_an_unknown_pipeline_is_not_found(runner):
    with pytest.raises(ClientError, match="no-such-pipeline") as refused:
        runner.start("no-such-pipeline")
    assert refused.value.response["Error"]["Code"] == "ResourceNotFound"


def test_a_port_in_use_is_named_with_the_way_out(own_emulator, emulator):
    port = emulator.status["url"].rsplit(":", 1)[-1]
    refused = own_emulator.run("start", "--port", port, check=False)
    assert refused.returncode != 0
    assert port in refused.stderr
    assert "--port" in refused.stderr


def test_a_second_emulator_on_one_folder_is_refused_and_the_first_goes_on(own_emulator):
    own_emulator.start()
    first = own_emulator.status
    second = own_emulator.run("start", "--foreground", check=False)
    assert second.returncode != 0
    assert str(first["pid"]) in second.stderr
    assert own_emulator.status["pid"] == first["pid"]


def test_a_stale_lock_is_no_obstacle(own_emulator):
    own_emulator.start()
    own_emulator.kill()
    until(lambda: own_emulator.run("status", check=False).returncode == 3)
    own_emulator.start()
    assert own_emulator.status["status"] == "running"


def test_a_full_disk_fails_the_job_by_name_and_spoils_nothing(tmp_path):
    if os.geteuid() != 0:
        pytest.skip("needs root to mount a small file system")
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", disk], check=True)
    emulator = Emulator(disk / "data")
    try:
        runner = Runner(emulator.start())
        source = "open('/opt/ml/processing/big/data.bin', 'wb').write(b'x' * (64 << 20))"
        execution, step = one_step(runner, "full", source, outputs=["big"])
        assert execution["PipelineExecutionStatus"] == "Failed"
        assert "No space left on device" in step["FailureReason"]
        assert "OSError: [Errno 28]" in runner.log(step)
        execution, _ = one_step(runner, "afterwards", "print('room again')")
        assert execution["PipelineExecutionStatus"] == "Succeeded"
        with pytest.raises(ClientError, match=r"(?i)space|full"):
            runner.s3.put_object(Bucket=BUCKET, Key="big", Body=b"x" * (64 << 20))
    finally:
        emulator.run("stop", check=False)
        subprocess.run(["umount", "-l", disk], check=True)


def test_kill_9_in_mid_run_then_a_restart_ends_as_if_nothing_had_happened(own_emulator):
    runner = Runner(own_emulator.start())
    marker = f"marker-{random.randrange(10**12)}"
    source = (
        "import sys, time, pathlib\ntime.sleep(2)\npathlib.Path('/opt/ml/processing/out/x').write_text(sys.argv[1])"
    )
    runner.upload(source)
    runner.create(
        processing_step("First", arguments=[marker], outputs=["out"]),
        processing_step("Second", arguments=[marker], outputs=["out"], depends_on=["First"]),
    )
    execution = runner.start()
    until(lambda: runner.steps(execution).get("First", {}).get("StepStatus") == "Executing")
    time.sleep(0.5)
    job = runner.steps(execution)["First"]["Metadata"]["ProcessingJob"]["Arn"]
    own_emulator.kill()
    until(lambda: not processes_with(str(own_emulator.data_dir)))

    runner = Runner(own_emulator.start())
    assert runner.ended(execution)["PipelineExecutionStatus"] == "Succeeded"
    steps = runner.steps(execution)
    assert {name: step["StepStatus"] for name, step in steps.items()} == {"First": "Succeeded", "Second": "Succeeded"}
    assert steps["First"]["Metadata"]["ProcessingJob"]["Arn"] == job
    assert len(runner.sagemaker.list_processing_jobs()["ProcessingJobSummaries"]) == 2
    prefix = execution.rsplit("/", 1)[-1]
    contents = runner.s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix)["Contents"]
    assert [item["Key"] for item in contents] == [f"{prefix}/First/out/x", f"{prefix}/Second/out/x"]


def test_stopping_the_emulator_leaves_no_process_and_a_later_start_goes_on(own_emulator):
    runner = Runner(own_emulator.start())
    runner.upload("import time\ntime.sleep(2)")
    runner.create(processing_step("Only"))
    execution = runner.start()
    until(lambda: runner.steps(execution).get("Only", {}).get("StepStatus") == "Executing")
    own_emulator.stop()
    assert processes_with(str(own_emulator.data_dir)) == []
    runner = Runner(own_emulator.start())
    assert runner.ended(execution)["PipelineExecutionStatus"] == "Succeeded"


def test_a_stopped_execution_stops_its_job(runner):
    runner.upload("import time\ntime.sleep(3600)", "code/sleeps.py")
    runner.create(processing_step("Only", "code/sleeps.py"), name="sleeps")
    execution = runner.start("sleeps")
    until(lambda: runner.steps(execution).get("Only", {}).get("StepStatus") == "Executing")
    runner.sagemaker.stop_pipeline_execution(PipelineExecutionArn=execution, ClientRequestToken="t" * 32)
    assert runner.ended(execution)["PipelineExecutionStatus"] == "Stopped"
    step = runner.steps(execution)["Only"]
    assert step["StepStatus"] == "Stopped"
    job = runner.sagemaker.describe_processing_job(
        ProcessingJobName=step["Metadata"]["ProcessingJob"]["Arn"].rsplit("/", 1)[-1]
    )
    assert job["ProcessingJobStatus"] == "Stopped"
