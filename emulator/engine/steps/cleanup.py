"""Cleanup steps: delete what earlier steps wrote to S3 (SDK v3, ``CleanupStep``).

Of a Training step everything in its output folder, of a Processing step the objects that are named. What a source
wrote is known by its properties, failed or not; one that has none is skipped.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from emulator.aws.errors import AwsError
from emulator.engine.definition import Definition, StepDefinition
from emulator.engine.errors import DefinitionError
from emulator.engine.expressions import as_text
from emulator.engine.graph import cleanup_sources
from emulator.engine.steps.executor import Executor, Host, StepRun, Work, register

MAX_SOURCES = 100
"""As many as PipelineExecutionStepMetadata.Cleanup can name."""


@register
class Cleanup(Executor):
    type = "Cleanup"

    def check(self, step: StepDefinition, definition: Definition) -> None:
        super().check(step, definition)
        resources = step.arguments.get("Resources")
        if set(step.arguments) != {"Resources"} or not isinstance(resources, dict) or set(resources) != {"S3"}:
            raise _wrong(step, 'Arguments of a cleanup step are {"Resources": {"S3": [{"StepName", "S3Uris"}]}}.')
        sources = resources["S3"]
        if not isinstance(sources, list) or not 1 <= len(sources) <= MAX_SOURCES:
            raise _wrong(step, f"A cleanup step has a list of 1 to {MAX_SOURCES} sources.")
        for number, source in enumerate(sources):
            _check_source(step, source, f"Resources.S3[{number}]", definition)

    def launch(self, run: StepRun, host: Host) -> Work:
        cleaned: list[str] = []
        skipped: list[str] = []
        failed: list[dict[str, str]] = []
        for source in cleanup_sources(run.arguments):
            name = source["StepName"]
            properties = host.properties(name)
            if properties is None:
                skipped.append(name)
                continue
            try:
                _clean(source, properties, host)
                cleaned.append(name)
            except AwsError as error:
                failed.append({"StepName": name, "ErrorCode": "ClientError", "ErrorMessage": error.message})
        metadata = {self.type: {"CleanedSteps": cleaned, "FailedSteps": failed, "SkippedSteps": skipped}}
        if failed:
            reason = f"ClientError: The outputs of step '{failed[0]['StepName']}' could not be deleted."
            return Work.failed(f"{reason} {failed[0]['ErrorMessage']}", metadata)
        return Work.succeeded({}, metadata)


def _check_source(step: StepDefinition, source: Any, field: str, definition: Definition) -> None:
    if not isinstance(source, dict) or not {"StepName"} <= set(source) <= {"StepName", "S3Uris"}:
        raise _wrong(step, "A source has the members StepName and S3Uris.", field)
    cleaned = definition.steps.get(source["StepName"]) if isinstance(source["StepName"], str) else None
    if cleaned is None:
        raise _wrong(step, f"Unknown step '{source['StepName']}'.", f"{field}.StepName")
    uris = source.get("S3Uris")
    if cleaned.type == "Training" and uris is not None:
        raise _wrong(step, "S3Uris are not for Training steps: their outputs are known.", f"{field}.S3Uris")
    if cleaned.type == "Processing" and (not isinstance(uris, list) or not uris):
        raise _wrong(step, "S3Uris must name what a Processing step wrote.", f"{field}.S3Uris")
    if cleaned.type not in ("Training", "Processing"):
        reason = f"The outputs of '{cleaned.name}', a step of type '{cleaned.type}', cannot be cleaned up here."
        raise _wrong(step, reason, f"{field}.StepName")
    if "VpcConfig" in cleaned.arguments or "VpcConfig" in cleaned.arguments.get("NetworkConfig", {}):
        raise _wrong(step, f"Step '{cleaned.name}' has a VpcConfig: it cannot be cleaned up.", f"{field}.StepName")


def _wrong(step: StepDefinition, reason: str, field: str = "") -> DefinitionError:
    return DefinitionError(reason, step=step.name, field=f"Arguments.{field}" if field else "Arguments")


def _clean(source: dict[str, Any], properties: dict[str, Any], host: Host) -> None:
    if "S3Uris" not in source:
        config = properties["OutputDataConfig"]
        _delete_folder(f"{config['S3OutputPath'].rstrip('/')}/{properties['TrainingJobName']}/output/", host)
        return
    folders = [f"{folder.rstrip('/')}/" for folder in _output_folders(properties)]
    uris = [as_text(uri) for uri in source["S3Uris"]]
    for uri in uris:
        if not uri.startswith(tuple(folders)):
            raise AwsError(f"{uri} is not in an output of the step: {', '.join(folders) or 'it has none'}.")
    for uri in uris:
        bucket, key = _parts(uri)
        host.invoke("DeleteObject", {"Bucket": bucket, "Key": key}, "s3")


def _output_folders(properties: dict[str, Any]) -> Iterator[str]:
    for output in properties.get("ProcessingOutputConfig", {}).get("Outputs", []):
        if "S3Output" in output:
            yield output["S3Output"]["S3Uri"]


def _delete_folder(uri: str, host: Host) -> None:
    bucket, prefix = _parts(uri)
    while True:
        listed = host.invoke("ListObjectsV2", {"Bucket": bucket, "Prefix": prefix}, "s3")
        if not listed.get("Contents"):
            return
        for found in listed["Contents"]:
            host.invoke("DeleteObject", {"Bucket": bucket, "Key": found["Key"]}, "s3")


def _parts(uri: str) -> tuple[str, str]:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key
