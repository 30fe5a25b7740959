from __future__ import annotations

from pathlib import Path

from emulator.gateway import parity
from emulator.gateway.registry import load_services

DOCUMENT = Path(__file__).parents[3] / parity.PATH


def test_the_table_is_current() -> None:
    remedy = "docs/parity.md is stale: python -m emulator.gateway.parity"
    assert DOCUMENT.read_text() == parity.render(), remedy


def test_every_registered_operation_is_one_of_aws() -> None:
    load_services()
    assert [name for name in parity.unknown_registrations() if name not in parity.NOT_IN_MODELS] == []


def test_served_and_missing_operations_are_told_apart() -> None:
    text = parity.render()
    sts = text[text.index("## sts") : text.index("## iam")]
    served, missing = (line for line in sts.splitlines() if line.startswith(("| served", "| not yet")))
    assert "AssumeRole, GetCallerIdentity" in served
    assert "AssumeRoleWithSAML" in missing
