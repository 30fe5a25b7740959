"""Lineage steps: create actions, artifacts and contexts, then the associations between them (SDK v3, ``LineageStep``).

An entity that is there already, with the source and type that the step would give it, is taken as it is: so a pipeline
can run again, and a launch can be repeated after a crash.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from emulator.aws.errors import AwsError
from emulator.engine.definition import Definition, StepDefinition
from emulator.engine.errors import DefinitionError, ExpressionError
from emulator.engine.expressions import Reference, as_text, evaluate, is_expression
from emulator.engine.paths import Index, Key, Member, PathError
from emulator.engine.retries import exception_type
from emulator.engine.shapes import check_arguments, coerce, input_shape
from emulator.engine.steps.executor import Executor, Host, StepRun, Work, register
from emulator.engine.steps.failures import create_failed

MAX_ENTITIES = 5
MAX_ASSOCIATIONS = 10
"""As many as PipelineExecutionStepMetadata.Lineage can name."""
ASSOCIATIONS = "Associations"
_ENDS = ("Source", "Destination")


@dataclass(frozen=True, slots=True)
class Noun:
    """``argument`` of the step has requests of ``Create<name>``; ``arns`` is the property with what they made."""

    name: str
    argument: str
    arns: str


NOUNS = tuple(Noun(name, f"{name}s", f"{name}Arns") for name in ("Action", "Artifact", "Context"))


@register
class Lineage(Executor):
    type = "Lineage"

    def check(self, step: StepDefinition, definition: Definition) -> None:
        super().check(step, definition)
        known = (*(noun.argument for noun in NOUNS), ASSOCIATIONS)
        for member in step.arguments:
            if member not in known:
                raise _wrong(step, f"Unknown Argument member '{member}'.", member)
        if not any(step.arguments.get(member) for member in known):
            raise _wrong(step, "A lineage step needs at least one entity or association.", "")
        for noun in NOUNS:
            requests = _items(step, noun.argument, MAX_ENTITIES)
            for number, request in enumerate(requests):
                field = f"Arguments.{noun.argument}[{number}]"
                if is_expression(request):
                    raise DefinitionError("Expecting start of Json Object.", step=step.name, field=field)
                check_arguments(input_shape(f"Create{noun.name}"), request, step.name, field)
        for number, association in enumerate(_items(step, ASSOCIATIONS, MAX_ASSOCIATIONS)):
            _check_association(step, association, f"{ASSOCIATIONS}[{number}]")

    def check_reference(self, reference: Reference) -> None:
        match reference.path:
            case (Member(name), Key(_) | Member(_)) if name in [noun.arns for noun in NOUNS]:
                return
            case (Member("Associations"), Index(_), Member("SourceArn" | "DestinationArn")):
                return
        known = ", ".join(f"{noun.arns}['<name>']" for noun in NOUNS)
        raise PathError(f"a lineage step has {known} and Associations[<index>].SourceArn or .DestinationArn")

    def prepare(self, run: StepRun, host: Host) -> None:
        resolved = evaluate(run.step.arguments, host.environment({}))
        for noun in NOUNS:
            shape = input_shape(f"Create{noun.name}")
            resolved[noun.argument] = [coerce(shape, request) for request in resolved.get(noun.argument, [])]
        run.arguments = resolved

    def launch(self, run: StepRun, host: Host) -> Work:
        operation = ""
        arns: dict[str, dict[str, str]] = {noun.arns: {} for noun in NOUNS}
        try:
            for noun in NOUNS:
                operation = f"Create{noun.name}"
                for request in run.arguments[noun.argument]:
                    arns[noun.arns][as_text(request.get(f"{noun.name}Name"))] = _create(noun, request, host)
            operation = "AddAssociation"
            added = [_associate(one, arns, host) for one in run.arguments.get(ASSOCIATIONS, [])]
        except AwsError as error:
            reason = create_failed(operation, error, host.arn, run.step)
            return Work.failed(reason, error=exception_type(error))
        properties = {**arns, ASSOCIATIONS: added}
        return Work.succeeded(properties, {self.type: {member: made for member, made in properties.items() if made}})


def _create(noun: Noun, request: dict[str, Any], host: Host) -> str:
    """The ARN of the entity: of a new one, or of the same that is there."""
    try:
        return str(host.invoke(f"Create{noun.name}", request)[f"{noun.name}Arn"])
    except AwsError as error:
        existing = _existing(noun, request, host) if "already exists" in error.message else None
        if existing is None:
            raise
        return existing


def _existing(noun: Noun, request: dict[str, Any], host: Host) -> str | None:
    query = {"SourceUri": request["Source"]["SourceUri"], f"{noun.name}Type": request[f"{noun.name}Type"]}
    if noun.name != "Artifact":
        found = host.invoke(f"Describe{noun.name}", {f"{noun.name}Name": request[f"{noun.name}Name"]})
        same = found["Source"] == request["Source"] and found[f"{noun.name}Type"] == request[f"{noun.name}Type"]
        return str(found[f"{noun.name}Arn"]) if same else None
    listed = host.invoke("ListArtifacts", query)["ArtifactSummaries"]
    return next((str(one["ArtifactArn"]) for one in listed if one["Source"] == request["Source"]), None)


def _associate(association: dict[str, Any], arns: Mapping[str, Mapping[str, str]], host: Host) -> dict[str, str]:
    ends = {f"{end}Arn": _arn(association[end], arns) for end in _ENDS}
    kind = {"AssociationType": association["AssociationType"]} if "AssociationType" in association else {}
    try:
        host.invoke("AddAssociation", {**ends, **kind})
    except AwsError as error:
        if "already exists" not in error.message:
            raise
    return ends


def _arn(end: dict[str, str], arns: Mapping[str, Mapping[str, str]]) -> str:
    """An end of an association: an ARN, or the entity of this step that has the name and type."""
    if "Arn" in end:
        return end["Arn"]
    made, name = arns[f"{end['Type']}Arns"], as_text(end["Name"])
    if name not in made:
        raise ExpressionError(f"{end['Type']} '{name}'", "this step does not create it; give an existing one by Arn")
    return made[name]


def _items(step: StepDefinition, member: str, most: int) -> list[Any]:
    items = step.arguments.get(member, [])
    if not isinstance(items, list):
        raise _wrong(step, "Expecting start of Json Array.", member)
    if len(items) > most:
        raise _wrong(step, f"A lineage step has at most {most} {member}; this has {len(items)}.", member)
    return items


def _check_association(step: StepDefinition, association: Any, field: str) -> None:
    if not isinstance(association, dict) or not set(_ENDS) <= set(association) <= {*_ENDS, "AssociationType"}:
        raise _wrong(step, "An association has Source, Destination and AssociationType.", field)
    kind = association.get("AssociationType")
    if kind is not None:
        shape = input_shape("AddAssociation").members["AssociationType"]
        check_arguments(shape, kind, step.name, f"Arguments.{field}.AssociationType")
    for end in _ENDS:
        _check_end(step, association[end], f"{field}.{end}")


def _check_end(step: StepDefinition, end: Any, field: str) -> None:
    if not isinstance(end, dict) or set(end) not in ({"Arn"}, {"Name", "Type"}):
        raise _wrong(step, "An end of an association has Arn, or Name and Type.", field)
    if "Arn" in end:
        return
    noun = next((noun for noun in NOUNS if noun.name == end["Type"]), None)
    if noun is None:
        known = ", ".join(noun.name for noun in NOUNS)
        raise _wrong(step, f"Unknown type '{end['Type']}' of an entity. Known are {known}.", f"{field}.Type")
    names = [request.get(f"{noun.name}Name") for request in step.arguments.get(noun.argument, [])]
    if isinstance(end["Name"], str) and end["Name"] not in names and not any(map(is_expression, names)):
        reason = f"The step does not create {noun.name} '{end['Name']}'; name another by its Arn."
        raise _wrong(step, reason, f"{field}.Name")


def _wrong(step: StepDefinition, reason: str, member: str) -> DefinitionError:
    return DefinitionError(reason, step=step.name, field=f"Arguments.{member}" if member else "Arguments")
