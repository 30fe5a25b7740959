from __future__ import annotations

import json
from pathlib import Path

import pytest

from emulator.images.aws import smspark_submit
from emulator.images.aws.smspark_submit import SubmitError


@pytest.fixture
def configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(smspark_submit, "CONFIGURATION", tmp_path / "configuration.json")
    monkeypatch.setattr(smspark_submit, "RESOURCES", tmp_path / "resourceconfig.json")
    return tmp_path / "configuration.json"


def command(*arguments: object) -> list[str]:
    return smspark_submit.command_of(smspark_submit._parse([str(word) for word in arguments]))


def test_folders_become_lists_of_files_and_arguments_pass_through(configuration: Path, tmp_path: Path) -> None:
    for name in ("b.py", "a.py"):
        (tmp_path / "modules" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "modules" / name).touch()
    words = command("--py-files", tmp_path / "modules", "--class", "org.Main", "app.py", "--jars", "x", "-v")
    listed = f"{tmp_path}/modules/a.py,{tmp_path}/modules/b.py"
    assert words[:7] == ["spark-submit", "--master", "local[*]", "--class", "org.Main", "--py-files", listed]
    assert words[-4:] == ["app.py", "--jars", "x", "-v"]


def test_the_configuration_becomes_settings_of_spark_and_hadoop(configuration: Path) -> None:
    document = [
        {"Classification": "spark-defaults", "Properties": {"spark.executor.memory": "2g", "spark.master": "yarn"}},
        {"Classification": "core-site", "Properties": {"io.file.buffer.size": "4096"}},
        {"Classification": "spark-env", "Configurations": [{"Classification": "export", "Properties": {"A": "1"}}]},
    ]
    configuration.write_text(json.dumps(document))
    words = command("app.py")
    settings = [words[place + 1] for place, word in enumerate(words) if word == "--conf"]
    assert settings == ["spark.ui.enabled=false", "spark.executor.memory=2g", "spark.hadoop.io.file.buffer.size=4096"]
    assert dict(smspark_submit._exports(document)) == {"A": "1"}


def test_event_logs_go_to_the_folder_that_an_output_uploads(configuration: Path, tmp_path: Path) -> None:
    words = command("--local-spark-event-logs-dir", tmp_path / "events", "app.py")
    assert f"spark.eventLog.dir=file://{tmp_path}/events" in words
    assert (tmp_path / "events").is_dir()


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--jars", "relative.jar", "a.py"), "must be an absolute path"),
        (("--files", "/no/such/folder", "a.py"), "does not exist"),
        (("--spark-event-logs-s3-uri", "s3://b/p", "a.py"), "cannot write to S3 here"),
    ],
)
def test_what_cannot_be_submitted_is_refused(configuration: Path, words: tuple[str, ...], reason: str) -> None:
    with pytest.raises(SubmitError, match=reason):
        command(*words)


def test_an_unknown_classification_is_refused_by_name(configuration: Path) -> None:
    configuration.write_text('{"Classification": "spark-deflauts", "Properties": {}}')
    with pytest.raises(SubmitError, match="no classification 'spark-deflauts'"):
        command("a.py")


def test_of_several_instances_the_first_runs_the_application(
    configuration: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))  # no Java: whoever would run Spark fails
    results = {}
    for host in ("algo-1", "algo-2"):
        resources = {"hosts": ["algo-2", "algo-1"], "current_host": host}
        (tmp_path / "resourceconfig.json").write_text(json.dumps(resources))
        results[host] = smspark_submit.main(["a.py"])
    said = capsys.readouterr()
    assert results == {"algo-1": 1, "algo-2": 0}
    assert "install a JDK" in said.err
    assert "algo-1 runs the application" in said.out


def test_an_application_that_fails_is_told_where_its_data_can_be(
    configuration: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("java", "spark-submit"):
        (tmp_path / name).write_text("#!/bin/sh\nexit 3\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert smspark_submit.main(["a.py"]) == 3
    assert "the application ended with 3. If it names s3:// or s3a:// paths" in capfd.readouterr().err
