"""What jobs install with pip is installed once, whoever asks in whichever way; a job without a network gets nothing."""

from __future__ import annotations

import http.client
import time
import uuid
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.integration.emulators import Emulator, until

IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/plain:1"
ROLE = "arn:aws:iam::123456789012:role/SageMaker"
RESOURCES = {"ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}}
GROUP = "/aws/sagemaker/ProcessingJobs"
SHOW = "python3 -c 'import tiny; print(tiny.__file__, tiny.value)'; tiny-says"


class Seen(NamedTuple):
    status: str
    lines: list[str]


Job = Callable[..., Seen]


def wheel(folder: Path, version: int) -> None:
    """A package of one module and one program, found without an index."""
    info = f"tiny-{version}.dist-info"
    with zipfile.ZipFile(folder / f"tiny-{version}-py3-none-any.whl", "w") as made:
        made.writestr("tiny.py", f"value = {version}\ndef say(): print('said', value)\n")
        made.writestr(f"only_in_{version}.py", "")
        made.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: tiny\nVersion: {version}\n")
        made.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        made.writestr(f"{info}/entry_points.txt", "[console_scripts]\ntiny-says = tiny:say\n")
        made.writestr(f"{info}/RECORD", "")


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    folder = tmp_path_factory.mktemp("requirements")
    (folder / "wheels").mkdir()
    for version in (1, 2):
        wheel(folder / "wheels", version)
    emulator = Emulator(folder / "data", cache_dir=folder / "cache")
    emulator.environ |= {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(folder / "wheels")}
    emulator.start()
    yield emulator
    emulator.stop()


@pytest.fixture(scope="module")
def job(emulator: Emulator) -> Job:
    sagemaker, logs = emulator.client("sagemaker"), emulator.client("logs")

    def job(script: str, **members: Any) -> Seen:
        name = f"pip-{uuid.uuid4().hex[:8]}"
        command = {"ImageUri": IMAGE, "ContainerEntrypoint": ["/bin/sh", "-ec", script]}
        sagemaker.create_processing_job(
            ProcessingJobName=name, RoleArn=ROLE, ProcessingResources=RESOURCES, AppSpecification=command, **members
        )

        def ended() -> str:
            status: str = sagemaker.describe_processing_job(ProcessingJobName=name)["ProcessingJobStatus"]
            return "" if status == "InProgress" else status

        status = until(ended, seconds=100)
        (stream,) = logs.describe_log_streams(logGroupName=GROUP, logStreamNamePrefix=name)["logStreams"]
        events = logs.get_log_events(
            logGroupName=GROUP,
            logStreamName=stream["logStreamName"],
            startFromHead=True,
            endTime=int(time.time() + 60) * 1000,
        )["events"]
        return Seen(status, [event["message"] for event in events])

    return job


def installs(seen: Seen) -> bool:
    return any(line.startswith("Successfully installed") for line in seen.lines)


def test_the_second_job_has_what_the_first_installed(job: Job) -> None:
    first = job(f"printf 'tiny==1  # pinned\\n' > r.txt; pip install -r r.txt; {SHOW}")
    assert (first.status, installs(first)) == ("Completed", True)
    second = job(
        "pip uninstall --yes typing; echo tiny==1 > other.txt; "  # as the SDKs' FrameworkProcessor begins
        f"python3 -m pip install --requirement other.txt; {SHOW}"
    )
    assert (second.status, installs(second)) == ("Completed", False)
    assert "requirements as an earlier job had them installed: tiny-1" in second.lines
    assert second.lines[-2:] == first.lines[-2:]
    assert second.lines[-1] == "said 1"


def test_what_is_installed_after_something_else_is_left_to_pip(job: Job) -> None:
    script = (
        f"pip install tiny==1; pip install -U tiny==2; {SHOW}; python3 -c 'import only_in_1' 2>&1 | tail -1; pip check"
    )
    for _ in range(2):
        seen = job(script)
        assert "said 2" in seen.lines
        assert "ModuleNotFoundError: No module named 'only_in_1'" in seen.lines
        assert "No broken requirements found." in seen.lines


def test_what_cannot_be_installed_fails_as_with_pip_and_is_tried_again(job: Job) -> None:
    for _ in range(2):
        seen = job("pip install no-such-thing==1")
        assert seen.status == "Failed"
        assert any("No matching distribution found for no-such-thing==1" in line for line in seen.lines)


def test_what_only_this_job_has_is_installed_by_its_own_pip(job: Job) -> None:
    script = f"cp $PIP_FIND_LINKS/tiny-2*.whl /tmp; pip install /tmp/tiny-2-py3-none-any.whl; {SHOW}"
    assert all(installs(job(script)) for _ in range(2))


@pytest.mark.parametrize(("method", "name"), [("POST", ""), ("GET", "/" + "0" * 32)])
def test_only_a_job_that_runs_may_ask(emulator: Emulator, method: str, name: str) -> None:
    address = emulator.exports["AWS_ENDPOINT_URL"].removeprefix("http://")
    connection = http.client.HTTPConnection(address)
    connection.request(method, f"/_emulator/requirements/{'0' * 32}{name}", b"{}", {"Content-Type": "application/json"})
    answer = connection.getresponse()
    assert (answer.status, b"Only a job that runs" in answer.read()) == (403, True)
    connection.close()


def test_an_isolated_job_has_no_requirements_at_all(job: Job) -> None:
    assert job("pip install tiny==1").status == "Completed"
    isolated = job("pip install --retries 0 tiny==1", NetworkConfig={"EnableNetworkIsolation": True})
    assert isolated.status == "Failed"
