"""Lists of what cannot be made here."""

from __future__ import annotations

from typing import cast

import pytest

from emulator.aws import operations
from emulator.aws.service_models import service_model
from emulator.gateway.registry import load_services
from emulator.services.context import Context
from emulator.services.sagemaker.unmodelled import FAMILIES


@pytest.mark.parametrize("name", FAMILIES)
def test_a_list_is_empty_as_long_as_nothing_can_be_made(name: str) -> None:
    load_services()
    member, creation = FAMILIES[name]
    model = service_model("sagemaker")
    assert creation in model.operation_names
    assert operations.find("sagemaker", creation) is None, "it can be made: the list must be a real one"
    shape = model.operation_model(name).output_shape
    assert shape is not None
    assert shape.members[member].type_name == "list"
    handler = operations.find("sagemaker", name)
    assert handler is not None
    assert handler.handler({}, cast(Context, None)) == {member: []}
