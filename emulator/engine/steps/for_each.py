"""ForEach steps: the steps of a body, once for each item of a list (SDK v3, ``ForEachStep``).

The runner runs the children (see ``iterations``); here is what surrounds them: the items, the end, what was selected.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from emulator.aws.documents import read_json
from emulator.engine.definition import Definition, StepDefinition
from emulator.engine.errors import DefinitionError, ExpressionError
from emulator.engine.expressions import GET, Reference, as_text, evaluate, is_expression, parse_reference
from emulator.engine.iterations import ITEMS, LIMIT, Loop, child_name
from emulator.engine.parameters import Parameter
from emulator.engine.paths import Member, PathError, select
from emulator.engine.steps.executor import Executor, Host, StepRun, Work, register
from emulator.engine.transitions import FAILED, STOPPED, STOPPING, SUCCEEDED

COUNTS = ("InputItemCount", "TotalStepCount", "SucceededStepCount", "FailedStepCount", "StoppedStepCount")
MAX_ITEMS = 100
MAX_CONCURRENCY = 50
FORBIDDEN = ("Condition", "Fail", "ForEach")
PICKS = ("MaxBy", "MinBy")
_ARGUMENTS = ("IterableItems", LIMIT, "ForEachBody", "Selector")


@register
class ForEach(Executor):
    type = "ForEach"

    def check(self, step: StepDefinition, definition: Definition) -> None:
        super().check(step, definition)
        for member in step.arguments:
            if member not in _ARGUMENTS:
                raise _wrong(step, f"Unknown Argument member '{member}'.", member)
        _check_items(step, step.arguments.get("IterableItems"))
        limit = step.arguments.get(LIMIT)
        if isinstance(limit, bool) or not isinstance(limit, int) or not 1 <= limit <= MAX_CONCURRENCY:
            raise _wrong(step, f"{LIMIT} must be an integer from 1 to {MAX_CONCURRENCY}, not {as_text(limit)}.", LIMIT)
        body = definition.bodies[step.name]
        _check_body(step, body)
        if "Selector" in step.arguments:
            _check_selector(step, step.arguments["Selector"], body)

    def check_reference(self, reference: Reference) -> None:
        if reference.path[:1] in ((Member("Status"),), *((Member(count),) for count in COUNTS)):
            if len(reference.path) == 1:
                return
            raise PathError(f"{reference.path[0].name} is a value without members")  # type: ignore[union-attr]
        known = ", ".join(("Status", *COUNTS, "IterationOutputs[<index>].<body step>", "Selected"))
        raise PathError(f"a ForEach step has {known}")

    def prepare(self, run: StepRun, host: Host) -> None:
        items = evaluate(run.step.arguments["IterableItems"], host.environment({}))
        run.arguments = {ITEMS: _as_list(items), LIMIT: run.step.arguments[LIMIT]}

    def launch(self, run: StepRun, host: Host) -> Work:
        return Work.running("", {})

    def follow(self, run: StepRun, host: Host) -> Work:
        loop = host.loop(run)
        if not loop.over:
            return Work.running("", {})
        counts = _counts(loop)
        if loop.counts[FAILED]:
            failed, items = loop.counts[FAILED], len(run.arguments[ITEMS])
            reason = f"ClientError: {failed} of {items} items failed, first in {loop.failure}"
            return self._ended(Work.failed(reason), FAILED, counts)
        if run.status == STOPPING or loop.counts[STOPPED]:
            return self._ended(Work.stopped(), STOPPED, counts)
        return self._succeeded(run, host, counts)

    def stop(self, run: StepRun, host: Host) -> None:
        """Its children are stopped one by one; no other begins."""

    def _ended(self, work: Work, status: str, counts: dict[str, int]) -> Work:
        """A step that runs after the failure may refer to the status and the counts."""
        summary = {"Status": status, **counts}
        return replace(work, metadata={self.type: summary}, properties=summary)

    def _succeeded(self, run: StepRun, host: Host, counts: dict[str, int]) -> Work:
        outputs = [_outputs(run, host, index) for index in range(len(run.arguments[ITEMS]))]
        summary: dict[str, Any] = {"Status": SUCCEEDED, **counts}
        properties = {**summary, "IterationOutputs": outputs}
        selector = run.step.arguments.get("Selector")
        if selector is not None and outputs:
            body, index = _choose(selector, outputs)
            properties["Selected"] = outputs[index][body]
            summary["Selector"] = {"StepName": child_name(body, index), "Index": index}
        return Work.succeeded(properties, {self.type: summary})


def _wrong(step: StepDefinition, reason: str, member: str) -> DefinitionError:
    return DefinitionError(reason, step=step.name, field=f"Arguments.{member}")


def _check_items(step: StepDefinition, items: Any) -> None:
    if is_expression(items):
        return
    if not isinstance(items, list):
        reason = "IterableItems must be a list, or an expression whose value is a JSON list."
        raise _wrong(step, reason, "IterableItems")
    if not 1 <= len(items) <= MAX_ITEMS:
        raise _wrong(step, f"IterableItems must have 1 to {MAX_ITEMS} elements; it has {len(items)}.", "IterableItems")
    for number, item in enumerate(items):
        if not isinstance(item, str | int | float) and not is_expression(item):
            reason = "An item must be a string, a number, a boolean or an expression."
            raise _wrong(step, reason, f"IterableItems[{number}]")


def _check_body(step: StepDefinition, body: Mapping[str, StepDefinition]) -> None:
    if not body:
        raise _wrong(step, "ForEachBody must have at least one step.", "ForEachBody")
    for inner in body.values():
        if inner.type in FORBIDDEN:
            reason = f"Step '{inner.name}' of type '{inner.type}' is not allowed in ForEachBody."
            raise _wrong(step, f"{reason} Not allowed are {', '.join(FORBIDDEN)}.", "ForEachBody")
        if any(dependency.trigger != "Completed" for dependency in inner.depends_on):
            reason = "A step of a ForEachBody runs after the success of what it depends on: it has no other trigger."
            raise DefinitionError(reason, step=inner.name, field="DependsOn")


def _check_selector(step: StepDefinition, selector: Any, body: Mapping[str, StepDefinition]) -> None:
    if not isinstance(selector, dict) or set(selector) != {"Pick", "Field"}:
        raise _wrong(step, "A selector has the members Pick and Field.", "Selector")
    if selector["Pick"] not in PICKS:
        reason = f"Unknown pick '{as_text(selector['Pick'])}'. Known are {', '.join(PICKS)}."
        raise _wrong(step, reason, "Selector.Pick")
    field = selector["Field"]
    text = field.get(GET) if is_expression(field) else None
    form = f"Field must be a {GET} of IterationOutput.<body step>.<property>"
    if not isinstance(text, str) or not text.startswith("IterationOutput."):
        raise _wrong(step, f"{form}.", "Selector.Field")
    try:
        reference = parse_reference(text)
    except PathError as error:
        raise _wrong(step, f"{form}: {error}.", "Selector.Field") from None
    if reference.name not in body or not reference.path:
        raise _wrong(step, f"{form}; the steps of the body are {', '.join(body)}.", "Selector.Field")


def _as_list(items: Any) -> list[Any]:
    """The items: a list as it is, or the JSON text of one.

    Raises:
        ExpressionError: it is neither.
    """
    value = items
    if isinstance(items, str):
        try:
            value = read_json(items)
        except ValueError as error:
            raise ExpressionError("IterableItems", f"'{items[:100]}' is not a JSON list: {error}") from None
    if not isinstance(value, list):
        raise ExpressionError("IterableItems", f"expected a JSON list, not '{as_text(items)[:100]}'")
    return value


def _counts(loop: Loop) -> dict[str, int]:
    ended = {status: loop.counts[status] for status in (SUCCEEDED, FAILED, STOPPED)}
    numbers = (len(loop.run.arguments[ITEMS]), sum(ended.values()), *ended.values())
    return dict(zip(COUNTS, numbers, strict=True))


def _outputs(run: StepRun, host: Host, index: int) -> dict[str, Any]:
    body = [step["Name"] for step in run.step.arguments["ForEachBody"]]
    return {name: host.properties(child_name(name, index)) for name in body}


def _choose(selector: dict[str, Any], outputs: list[dict[str, Any]]) -> tuple[str, int]:
    """The body's step that the selector looks at, and the iteration it picks: of equal ones the first.

    Raises:
        ExpressionError: an iteration has no number there.
    """
    reference = parse_reference(selector["Field"][GET])
    values = [_number(reference, output[reference.name], index) for index, output in enumerate(outputs)]
    best = max(values) if selector["Pick"] == "MaxBy" else min(values)
    return reference.name, values.index(best)


def _number(reference: Reference, properties: Any, index: int) -> float | int:
    where = f"{reference.text} of iteration {index}"
    try:
        value = select(properties, reference.path)
    except PathError as error:
        raise ExpressionError(where, str(error)) from None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    for kind in ("Integer", "Float"):
        try:
            return Parameter(where, kind).read(value)  # type: ignore[return-value]
        except ValueError:
            continue
    raise ExpressionError(where, f"expected a number to compare, not {as_text(value)[:100]}")
