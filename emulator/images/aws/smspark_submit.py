"""``smspark-submit``, which PySparkProcessor and SparkJarProcessor run: ``spark-submit`` with folders and settings.

Spark runs on this one machine (``local[*]``), as on a cluster of one instance. Of a job's several instances the first
runs the application, as on AWS, and has all the machine; the others have nothing to do. The options and the
configuration file are those of AWS's image (SageMaker Developer Guide, "Data Processing with Apache Spark"; Amazon EMR,
"Configure applications").
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

CONFIGURATION = Path("/opt/ml/processing/input/conf/configuration.json")
RESOURCES = Path("/opt/ml/config/resourceconfig.json")
NO_S3 = (
    "If it names s3:// or s3a:// paths: Spark has no file system for them here; let a ProcessingInput bring the data to"
    " a folder and a ProcessingOutput take the results."
)
_LISTS = ("jars", "py-files", "files")
_HADOOP = {"core-site", "hdfs-site", "yarn-site", "hive-site", "mapred-site"}
_IGNORED = {"spark-log4j", "spark-log4j2", "spark-metrics", "hadoop-log4j", "hadoop-env", "yarn-env"}


class SubmitError(Exception):
    """The job cannot be submitted; the message says why."""


def main(arguments: list[str]) -> int:
    try:
        given = _parse(arguments)
        if primary := _primary():
            print(f"smspark-submit: Spark runs on one machine here: {primary} runs the application, for all instances")
            return 0
        _check_machine()
        command, environment = command_of(given), os.environ | dict(_exports(_configuration()))
    except SubmitError as error:
        print(f"smspark-submit: {error}", file=sys.stderr)
        return 1
    print(f"running spark submit command: {' '.join(command)}", flush=True)
    code = subprocess.run(command, env=environment, check=False).returncode
    if code:
        print(f"smspark-submit: the application ended with {code}. {NO_S3}", file=sys.stderr)
    return code


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="smspark-submit", allow_abbrev=False)
    for name in ("class", *_LISTS, "local-spark-event-logs-dir", "spark-event-logs-s3-uri"):
        parser.add_argument(f"--{name}")
    parser.add_argument("-v", "--verbose", action="store_true")
    parser.add_argument("app")
    parser.add_argument("app_arguments", nargs=argparse.REMAINDER)
    return parser.parse_args(arguments)


def _primary() -> str | None:
    """The instance that runs the application, if it is another one: the first by name."""
    resources = json.loads(RESOURCES.read_text()) if RESOURCES.is_file() else {}
    primary = min(resources.get("hosts", []), default=None)
    return None if primary == resources.get("current_host") else primary


def _check_machine() -> None:
    if shutil.which("java") is None:
        raise SubmitError("Spark needs Java, and there is no program java on this machine: install a JDK, 17 or 11")


def command_of(given: argparse.Namespace) -> list[str]:
    """``spark-submit`` for the arguments of ``smspark-submit``.

    Raises:
        SubmitError: a folder of files is not there or empty, or the configuration cannot be used.
    """
    options = vars(given)
    command = ["spark-submit", "--master", "local[*]", *(["--verbose"] if given.verbose else [])]
    if options["class"]:
        command += ["--class", options["class"]]
    for name in _LISTS:
        if value := options[name.replace("-", "_")]:
            command += [f"--{name}", ",".join(_files(value))]
    if options["spark_event_logs_s3_uri"]:
        raise SubmitError("--spark-event-logs-s3-uri: Spark cannot write to S3 here; let an output upload the folder")
    for name, value in _settings(given.local_spark_event_logs_dir):
        command += ["--conf", f"{name}={value}"]
    return [*command, given.app, *given.app_arguments]


def _files(text: str) -> Iterator[str]:
    """Files, and the files of folders, as ``spark-submit`` wants them."""
    for word in text.split(","):
        path = Path(word.removeprefix("file://"))
        if not path.is_absolute():
            raise SubmitError(f"file path {word} must be an absolute path to a file or directory")
        if not path.exists():
            raise SubmitError(f"file path {path} does not exist")
        found = sorted(item for item in path.iterdir() if item.is_file()) if path.is_dir() else [path]
        if not found:
            raise SubmitError(f"Found zero files in {path}")
        yield from map(str, found)


def _settings(event_logs: str | None) -> Iterator[tuple[str, str]]:
    """Of Spark, from the job's configuration; those of Hadoop by the name that Spark passes on."""
    yield "spark.ui.enabled", "false"
    if event_logs:
        Path(event_logs).mkdir(parents=True, exist_ok=True)
        yield "spark.eventLog.enabled", "true"
        yield "spark.eventLog.dir", f"file://{event_logs}"
    for each in _configuration():
        kind, properties = each["Classification"], each.get("Properties", {})
        if kind == "spark-defaults":
            yield from ((name, value) for name, value in properties.items() if name != "spark.master")
        elif kind in _HADOOP:
            yield from ((f"spark.hadoop.{name}", value) for name, value in properties.items())
        elif kind not in {*_IGNORED, "spark-env"}:
            raise SubmitError(f"{CONFIGURATION}: there is no classification {kind!r}")


def _exports(configuration: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """Variables that ``spark-env`` exports."""
    for each in configuration:
        if each["Classification"] == "spark-env":
            for nested in each.get("Configurations", []):
                yield from nested.get("Properties", {}).items()


def _configuration() -> list[dict[str, Any]]:
    if not CONFIGURATION.is_file():
        return []
    try:
        document = json.loads(CONFIGURATION.read_text())
    except ValueError as error:
        raise SubmitError(f"{CONFIGURATION} is not JSON: {error}") from error
    return [document] if isinstance(document, dict) else list(document)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
