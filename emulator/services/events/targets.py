"""What PutTargets refuses of a target, beyond what cannot be reached (see ``services.delivery``)."""

from __future__ import annotations

from typing import Any

from emulator.aws.arns import Arn
from emulator.aws.documents import read_json
from emulator.aws.errors import ValidationException
from emulator.services.delivery import check_target, service_of
from emulator.services.events.inputs import unknown_placeholders

_INPUTS = ("Input", "InputPath", "InputTransformer")


def check_rule_target(target: dict[str, Any]) -> None:
    """Refuse a target whose deliveries would all fail.

    Raises:
        ValidationException: in EventBridge's words.
        NotImplementedHere: it is a target of AWS that the emulator cannot reach.
    """
    check_target(target)
    name = target["Id"]
    if sum(target.get(member) is not None for member in _INPUTS) > 1:
        several = "Only one of Input, InputPath, or InputTransformer must be provided for target"
        raise ValidationException(f"{several} {name}.")
    if target.get("Input") is not None:
        _check_input(target["Input"], name)
    unknown = unknown_placeholders(target["InputTransformer"]) if target.get("InputTransformer") else []
    if unknown:
        raise ValidationException(f"InputTemplate for target {name} contains invalid placeholder {unknown[0]}.")
    fifo = service_of(target) == "sqs" and Arn.parse(target["Arn"]).resource.endswith(".fifo")
    if fifo and not (target.get("SqsParameters") or {}).get("MessageGroupId"):
        raise ValidationException(f"Parameter(s) SqsParameters must be specified for target: {name}.")


def _check_input(text: str, name: str) -> None:
    try:
        read_json(text)
    except ValueError:
        raise ValidationException(f"JSON syntax error in input for target {name}.") from None
