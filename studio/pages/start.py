"""Start an execution: a typed form from the definition's parameters, from its defaults or copied from an execution."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from starlette.responses import RedirectResponse, Response

from studio.addresses import pipeline_path
from studio.aws import Aws
from studio.commands import cli, start_members
from studio.definition import Definition, read_definition
from studio.execution import execution_arn, load_execution
from studio.forms import Field, given, read_fields
from studio.pages.page import Page, Problem, View, Write

PREFIX = "p."
"""Before a parameter's name in the form, so that none is mistaken for one of the form's own fields."""
TOKEN_LENGTH = 32


def start_form(view: View) -> Page:
    """The form; what stands in its address is filled in, so that a link can propose a start."""
    name, source = view.parts["pipeline"], view.get("from")
    definition = _definition(view.aws, name)
    typed = {key.removeprefix(PREFIX): value for key, value in view.query.items() if key.startswith(PREFIX)}
    if source:
        typed = load_execution(view.aws, name, source).values | typed
    fields = read_fields(definition, typed, check=False)
    chosen = tuple(view.query.getlist("only"))
    return _page(view.aws, name, definition, fields, view.query, source=source, chosen=chosen)


def start(write: Write) -> Response | Page:
    name, form = write.parts["pipeline"], write.form
    definition = _definition(write.aws, name)
    typed = {key.removeprefix(PREFIX): value for key, value in form.items() if key.startswith(PREFIX)}
    fields = read_fields(definition, typed, check=True)
    source = form.get("from", "")
    page = _page(write.aws, name, definition, fields, form, source=source, chosen=write.chosen)
    if any(field.error for field in fields):
        return _again(page, "Nothing was started. Put right what is marked below.")
    try:
        members = _members(write.aws, name, fields, form, source, write.chosen)
        arn = write.aws.sagemaker("start_pipeline_execution", **members)["PipelineExecutionArn"]
    except Problem as problem:
        return _again(page, f"Nothing was started. {problem}")
    return RedirectResponse(pipeline_path(arn), 303)


def _definition(aws: Aws, name: str) -> Definition:
    return read_definition(aws.sagemaker("describe_pipeline", PipelineName=name)["PipelineDefinition"])


def _again(page: Page, wrong: str) -> Page:
    return Page(page.template, page.title, page.context | {"wrong": wrong}, status=422)


def _members(
    aws: Aws, name: str, fields: list[Field], form: Mapping[str, str], source: str, chosen: tuple[str, ...]
) -> dict[str, Any]:
    members = start_members(
        name,
        given(fields),
        PipelineExecutionDisplayName=form.get("display_name", "").strip(),
        PipelineExecutionDescription=form.get("description", "").strip(),
    )
    members["ClientRequestToken"] = form.get("request") or secrets.token_hex(TOKEN_LENGTH // 2)
    if chosen:
        members["SelectiveExecutionConfig"] = {
            "SelectedSteps": [{"StepName": step} for step in chosen],
            **({"SourcePipelineExecutionArn": execution_arn(aws, name, source)} if source else {}),
        }
    return members


def _page(
    aws: Aws,
    name: str,
    definition: Definition,
    fields: list[Field],
    form: Mapping[str, str],
    *,
    source: str,
    chosen: tuple[str, ...],
) -> Page:
    members = _members(aws, name, fields, form, source, chosen)
    members.pop("ClientRequestToken")
    context = {
        "name": name,
        "fields": fields,
        "source": source,
        "steps": [step.name for step in definition.steps.values() if step.branch is None and step.loop is None],
        "chosen": chosen,
        "display_name": form.get("display_name", ""),
        "description": form.get("description", ""),
        # The same for a form that is sent twice, so that it starts one execution (API shape IdempotencyToken).
        "request": form.get("request") or secrets.token_hex(TOKEN_LENGTH // 2),
        "command": cli("sagemaker", "StartPipelineExecution", **members),
        "wrong": "",
    }
    return Page("start.html", f"Start {name}", context)
