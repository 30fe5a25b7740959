"""Bad data and programs in training jobs: AWS's reason, the log kept, other jobs untouched, nothing left behind."""

import os
import random

import pytest
from botocore.exceptions import ClientError

from tests.integration.emulators import until
from tests.integration.small_pipelines import BUCKET
from tests.integration.test_bad_days import processes_with
from tests.integration.training import Trainer, channel


@pytest.fixture(scope="module")
def trainer(runner):
    return Trainer(runner)


def left_of(emulator):
    """Folders of jobs that have not been removed."""
    return list((emulator.data_dir / "jobs").iterdir())


def test_an_empty_prefix_is_refused_before_the_job_exists(trainer):
    with pytest.raises(ClientError, match=f'No S3 objects found under S3 URL "s3://{BUCKET}/nothing/"') as refused:
        trainer.start("hungry", "pass", channel("train", f"s3://{BUCKET}/nothing/"))
    assert refused.value.response["Error"]["Code"] == "ValidationException"
    with pytest.raises(ClientError, match="Requested resource not found"):
        trainer.describe("hungry")


def test_a_program_that_misses_a_channel_fails_with_its_own_words(trainer):
    program = "print(open('/opt/ml/input/data/train/x.csv').read())"
    job = trainer.run("channelless", program, status="Failed")
    assert job["FailureReason"] == "AlgorithmError: , exit code: 1"
    assert any(
        "No such file or directory: '/opt/ml/input/data/train/x.csv'" in line for line in trainer.log("channelless")
    )


def test_children_that_a_program_leaves_behind_end_with_it(trainer, emulator):
    marker = f"left-{random.randrange(10**12)}"
    program = f"""
import os, subprocess, sys
sleeper = [sys.executable, "-c", "import time; time.sleep(600)", "{marker}"]
for group in (False, True):
    subprocess.Popen(sleeper, start_new_session=group)
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execv(sleeper[0], sleeper)
    os._exit(0)
open("/opt/ml/model/m", "w").write("m")
"""
    trainer.run("forks", program)
    assert processes_with(marker) == []
    assert trainer.model("forks") == {"m": b"m"}


@pytest.mark.parametrize(("number", "code"), [("SIGSEGV", 139), ("SIGABRT", 134), ("SIGKILL", 137)])
def test_a_program_that_a_signal_ends_fails_and_its_log_is_kept(trainer, emulator, number, code):
    name = f"shot-{number}"
    program = f"import os, signal; print('before', flush=True); os.kill(os.getpid(), signal.{number})"
    job = trainer.run(name, program, status="Failed")
    assert job["FailureReason"] == f"AlgorithmError: , exit code: {code}"
    assert trainer.log(name)[:2] == ["before", f"emulator: killed by signal {code - 128}"]
    until(lambda: not left_of(emulator))


def test_bad_jobs_leave_good_ones_alone(trainer, emulator):
    trainer.start("good", "import time\ntime.sleep(1.5)\nopen('/opt/ml/model/m', 'w').write('good')")
    trainer.start("hungry-for-memory", "x = [bytearray(50 << 20) for _ in range(40)]")
    trainer.start("crashes", "import ctypes; ctypes.string_at(0)")
    trainer.start("fills", "open('/opt/ml/output/failure', 'w').write('é' * 5000); raise SystemExit(2)")
    assert trainer.ended("hungry-for-memory", "Failed")["FailureReason"].startswith(
        "ClientError: Please use an instance"
    )
    assert trainer.ended("crashes", "Failed")["FailureReason"] == "AlgorithmError: , exit code: 139"
    reason = trainer.ended("fills", "Failed")["FailureReason"]
    assert len(reason) <= 1024
    assert reason.startswith("AlgorithmError: ééé")
    assert reason.endswith("é, exit code: 2")
    trainer.ended("good", "Completed")
    assert trainer.model("good") == {"m": b"good"}


def test_a_model_of_300_mb_is_stored_whole(trainer, emulator):
    program = "open('/opt/ml/model/big', 'wb').truncate(300 << 20)"
    output = {"S3OutputPath": f"s3://{BUCKET}/trained", "CompressionType": "NONE"}
    job = trainer.run("big", program, OutputDataConfig=output)
    assert job["ModelArtifacts"]["S3ModelArtifacts"] == f"s3://{BUCKET}/trained/big/output/model/"
    head = trainer.s3.head_object(Bucket=BUCKET, Key="trained/big/output/model/big")
    assert head["ContentLength"] == 300 << 20
    trainer.s3.delete_object(Bucket=BUCKET, Key="trained/big/output/model/big")


def test_a_streamed_object_that_is_damaged_fails_the_job_by_name(trainer):
    trainer.put("damaged/a.gz", os.urandom(100))
    streamed = channel("train", f"s3://{BUCKET}/damaged/", CompressionType="Gzip")
    program = "print(len(open('/opt/ml/input/data/train_0', 'rb').read()))"
    job = trainer.run("damaged", program, streamed, mode="Pipe", status="Failed")
    assert job["FailureReason"].startswith(
        f"ClientError: Data download failed:s3://{BUCKET}/damaged/a.gz cannot be decompressed with gzip"
    )
