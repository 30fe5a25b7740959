"""What a folder of an invocation shows, whoever looks into it, and whatever died in between."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from emulator.services.lambda_.run_folder import Outcome, RunFolder


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return RunFolder(tmp_path / "runs" / "id")


def test_a_folder_that_nobody_made_shows_nothing(folder: RunFolder) -> None:
    assert (folder.is_claimed, folder.begun, folder.outcome) == (False, False, None)
    folder.remove()


def test_the_claim_ends_with_the_last_descriptor_of_it(folder: RunFolder) -> None:
    claim = folder.claim()
    copy = os.dup(claim)
    os.close(claim)
    assert folder.is_claimed
    os.close(copy)
    assert not folder.is_claimed


def test_a_claim_makes_the_folder_anew(folder: RunFolder) -> None:
    os.close(folder.claim())
    folder.begin()
    folder.conclude(Outcome("1", False))
    os.close(folder.claim())
    assert (folder.begun, folder.outcome) == (False, None)


def test_an_outcome_is_read_as_it_was_left(folder: RunFolder) -> None:
    os.close(folder.claim())
    folder.begin()
    assert folder.begun
    left = Outcome('{"ü": "\\u0000"}', True, b"\xff\n\x00")
    folder.conclude(left)
    assert folder.outcome == left
    folder.remove()
    assert not folder.path.exists()


@pytest.mark.parametrize("text", ["", "{", '{"payload": "1"'])
def test_half_an_outcome_is_none(folder: RunFolder, text: str) -> None:
    """As a machine leaves it that lost its power."""
    os.close(folder.claim())
    (folder.path / "outcome.json").write_text(text)
    assert folder.outcome is None


def test_folders_that_nobody_may_enter_are_removed(folder: RunFolder) -> None:
    os.close(folder.claim())
    (folder.path / "overlay" / "work").mkdir(parents=True)
    (folder.path / "overlay" / "work").chmod(0)
    folder.remove()
    assert not folder.path.exists()
