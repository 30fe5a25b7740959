"""Jobs through a real launcher: programs that know only ``/opt/ml``, among them the SDK's own drivers, unchanged."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from emulator.images import Environment
from emulator.launchers import select_launcher
from emulator.settings import Settings
from tests.emulator.jobs.world import BUCKET, IMAGE, World, channel, outputs, s3_input, s3_output, until

PREFIX = f"s3://{BUCKET}"
DRIVERS = "/opt/ml/input/data/sm_drivers"


class ThisPython:
    """An image whose Python is the one that runs the tests."""

    def resolve(self, uri, python=""):
        return uri

    def environment(self, image, progress):
        python = Path(sys.executable)
        return Environment(
            name="tests",
            python=python,
            bin=python.parent,
            roots=[Path(sys.prefix), Path(sys.base_prefix)],
            preload=[],
            env={"PATH": f"{python.parent}:/usr/local/bin:/usr/bin:/bin"},
            entrypoint=[],
            cmd=[],
            workdir="/",
            files=[],
        )


class SandboxedWorld(World):
    images = ThisPython()

    def make_launcher(self):
        return select_launcher(replace(self.settings, warm=False))


@pytest.fixture
def world(tmp_path):
    if select_launcher(Settings(data_dir=tmp_path / "probe")).isolation == "none":
        pytest.skip("namespaces are refused on this machine")
    made = SandboxedWorld(tmp_path)
    yield made
    made.close()


def test_a_processing_job_sees_its_own_opt_ml_only(world):
    world.put("in/a", b"one")
    world.put("in/b/c", b"two")
    world.processing(
        "own",
        "cat /opt/ml/processing/in/a /opt/ml/processing/in/b/c > /opt/ml/processing/out/both; find /opt/ml -type f;"
        " rm -r /opt/ml/processing/in/b; echo changed > /opt/ml/processing/in/a; hostname; ls /root /home 2>&1 | wc -l",
        ProcessingInputs=[s3_input("in", f"{PREFIX}/in", "/opt/ml/processing/in")],
        ProcessingOutputConfig=outputs(s3_output("out", "/opt/ml/processing/out", f"{PREFIX}/result")),
    )
    world.processed("own")
    assert world.get("result/both") == b"onetwo"
    assert (world.get("in/a"), world.get("in/b/c")) == (b"one", b"two")
    lines = world.log("Processing", "own")
    assert {line for line in lines if line.startswith("/opt/ml")} == {
        "/opt/ml/config/processingjobconfig.json",
        "/opt/ml/config/resourceconfig.json",
        "/opt/ml/processing/in/a",
        "/opt/ml/processing/in/b/c",
        "/opt/ml/processing/out/both",
    }
    until(lambda: not list((world.root / "jobs").iterdir()))


def test_inputs_and_outputs_may_lie_within_one_another(world):
    world.put("raw/x.csv", b"x")
    world.put("code/run.sh", b"r")
    world.processing(
        "nested",
        "cd /opt/ml/processing/input && find . -type f | sort && cp x.csv out/y.csv",
        ProcessingInputs=[
            s3_input("code", f"{PREFIX}/code/", "/opt/ml/processing/input/code"),
            s3_input("raw", f"{PREFIX}/raw/", "/opt/ml/processing/input"),
        ],
        ProcessingOutputConfig=outputs(s3_output("out", "/opt/ml/processing/input/out", f"{PREFIX}/nested")),
    )
    world.processed("nested")
    assert world.log("Processing", "nested") == ["./code/run.sh", "./x.csv"]
    assert world.keys("nested") == ["nested/y.csv"]


def test_network_isolation_leaves_only_the_jobs_own_loopback(world):
    script = "cat /proc/net/dev | tail -n +3 | cut -d: -f1 | tr -d ' '"
    world.processing("alone", script, NetworkConfig={"EnableNetworkIsolation": True})
    world.processed("alone")
    assert set(world.log("Processing", "alone")) <= {"lo", "sit0", "ip6tnl0", "tunl0", "gre0", "gretap0", "erspan0"}


def test_a_missing_entry_file_fails_the_job_with_a_log_that_says_so(world):
    world.processing(
        "missing",
        "",
        AppSpecification={"ImageUri": IMAGE, "ContainerEntrypoint": ["/opt/ml/processing/input/code/none.sh"]},
    )
    reason = world.processed("missing", "Failed")["FailureReason"]
    assert reason.startswith("AlgorithmError: , exit code: 12")
    assert any("none.sh" in line for line in world.log("Processing", "missing"))


def test_a_program_that_needs_too_much_memory_fails_as_out_of_memory(tmp_path):
    world = SandboxedWorld(tmp_path, job_memory_mib=200)
    world.processing("fat", "python -c 'x = bytearray(600 << 20); print(len(x))'")
    job = world.processed("fat", "Failed")
    assert job["FailureReason"].startswith("ClientError: Please use an instance type with more memory")
    assert "out of memory" in world.log("Processing", "fat")[-1]
    world.close()


def test_writing_outside_of_its_folders_harms_nothing(world, tmp_path):
    world.processing("stray", f"echo x > {tmp_path}/stray; echo y > /etc/stray; echo z > /tmp/stray-job; exit 0")
    world.processed("stray", ("Completed", "Failed"))
    assert not (tmp_path / "stray").exists()
    assert not Path("/etc/stray").exists()
    assert not Path("/tmp/stray-job").exists()


def test_a_gigabyte_of_output_is_kept_to_its_limit(tmp_path):
    world = SandboxedWorld(tmp_path, log_limit_mib=1)
    world.processing("loud", "yes 0123456789 | head -n 90000000; echo the end")
    world.processed("loud")
    lines = world.log("Processing", "loud")
    assert lines[-1] == "the end"
    assert sum("bytes of output dropped" in line for line in lines) == 1
    assert sum(path.stat().st_size for path in (tmp_path / "logs").rglob("*.*")) < 4 << 20
    world.close()


def test_stop_ends_every_process_of_the_job(world):
    world.processing("family", "sleep 1000 & sleep 1000 & echo ready; wait")
    until(lambda: world.log("Processing", "family") == ["ready"])
    world.call("StopProcessingJob", ProcessingJobName="family")
    assert world.processed("family", "Stopped")["ProcessingJobStatus"] == "Stopped"


def upload_drivers(world, code):
    """What ModelTrainer uploads: its container drivers, the script it generates, the user's code."""
    templates = pytest.importorskip("sagemaker.train.templates", reason="needs the SageMaker SDK")
    root = Path(templates.__file__).parent / "container_drivers"
    for path in root.rglob("*.py"):
        world.put(f"sdk/sm_drivers/{path.relative_to(root)}", path.read_bytes())
    script = templates.TRAIN_SCRIPT_TEMPLATE.format(
        working_dir="cd /opt/ml/input/data/code",
        install_requirements="",
        execute_driver=templates.EXECUTE_BASIC_SCRIPT_DRIVER,
    )
    world.put("sdk/sm_drivers/sm_train.sh", script.encode())
    source = {"source_dir": "code", "entry_script": "train.py", "requirements": None, "command": None}
    world.put("sdk/sm_drivers/sourcecode.json", json.dumps(source).encode())
    world.put("sdk/sm_drivers/distributed.json", b"{}")
    world.put("sdk/code/train.py", code.encode())


def run_drivers(world, name, **members):
    """The command and the channels as ModelTrainer sends them."""
    algorithm = {
        "TrainingImage": IMAGE,
        "TrainingInputMode": "File",
        "ContainerEntrypoint": ["/bin/bash"],
        "ContainerArguments": ["-c", f"chmod +x {DRIVERS}/sm_train.sh && {DRIVERS}/sm_train.sh"],
    }
    channels = {"code": f"{PREFIX}/sdk/code", "sm_drivers": f"{PREFIX}/sdk/sm_drivers", "train": f"{PREFIX}/train/"}
    world.training(name, "", channels, AlgorithmSpecification=algorithm, **members)


def test_the_drivers_of_the_sdk_run_unchanged(world):
    world.put("train/x.csv", b"1,2\n")
    code = (
        "import os, sys\n"
        "print(sys.argv[1:], os.environ['SM_CHANNEL_TRAIN'], os.environ['SM_CURRENT_HOST'])\n"
        "open(os.environ['SM_MODEL_DIR'] + '/m', 'w').write(open('/opt/ml/input/data/train/x.csv').read())\n"
    )
    upload_drivers(world, code)
    run_drivers(world, "sdk", HyperParameters={"max_depth": "5"})
    job = world.trained("sdk", ("Completed", "Failed"))
    lines = world.log("Training", "sdk")
    assert job["TrainingJobStatus"] == "Completed", "\n".join(lines[-20:])
    assert "['--max_depth', '5'] /opt/ml/input/data/train algo-1" in lines
    assert world.keys("models/sdk") == ["models/sdk/output/model.tar.gz"]
    assert world.get("sdk/code/train.py") == code.encode()


def test_a_script_that_fails_under_the_drivers_fails_the_job_with_their_words(world):
    world.put("train/x.csv", b"1,2\n")
    upload_drivers(world, "raise ValueError('no rows')\n")
    run_drivers(world, "bad")
    job = world.trained("bad", "Failed")
    assert job["FailureReason"].startswith("AlgorithmError: ")
    assert job["FailureReason"].endswith("exit code: 1")
    assert any("ValueError: no rows" in line for line in world.log("Training", "bad"))


def test_an_apostrophe_in_a_hyperparameter_breaks_the_drivers_as_on_aws(world):
    """They put values between single quotes as they are; bash then finds no end of the last one."""
    world.put("train/x.csv", b"1,2\n")
    upload_drivers(world, "print('never')\n")
    run_drivers(world, "quoted", HyperParameters={"note": "it's"})
    job = world.trained("quoted", "Failed")
    assert job["FailureReason"] == "AlgorithmError: , exit code: 2"
    assert any("unexpected EOF while looking for matching" in line for line in world.log("Training", "quoted"))


def test_the_drivers_of_the_sdk_pass_over_pipes(world):
    world.put("train/x.csv", b"1,2\n")
    upload_drivers(
        world, "import os\nprint(os.environ['SM_CHANNEL_TRAIN'], open('/opt/ml/input/data/train_0').read())\n"
    )
    channels = [channel("code", f"{PREFIX}/sdk/code"), channel("sm_drivers", f"{PREFIX}/sdk/sm_drivers")]
    channels.append(channel("train", f"{PREFIX}/train/") | {"InputMode": "Pipe"})
    run_drivers(world, "streamed", InputDataConfig=channels)
    world.trained("streamed")
    assert "/opt/ml/input/data/train 1,2" in world.log("Training", "streamed")
