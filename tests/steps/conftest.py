"""The chain of scripts run once on a sample of the real flights; the tests look at what it leaves."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from pipelines.flights.seed import TABLES, find_data

ROOT = Path(__file__).parents[2]
EVERY = 60


@dataclass(frozen=True)
class Chain:
    """Folders of one run of preprocess, train and evaluate."""

    tables: Path
    data: Path
    model: Path
    archive: Path
    evaluation: Path
    log: str


def run_script(step: str, *arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run the script of a step as a container does: isolated from the repo, from another folder."""
    script = ROOT / "steps" / step / "script.py"
    command = [sys.executable, "-I", script, *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


def pack_model(model: Path, archive: Path) -> Path:
    """The folder of a ``model.tar.gz`` as a training job uploads it."""
    archive.mkdir(parents=True)
    with tarfile.open(archive / "model.tar.gz", "w:gz") as tar:
        for path in sorted(model.iterdir()):
            tar.add(path, path.name)
    return archive


def sample_tables(folder: Path) -> Path:
    """A flight in sixty of the real year, and the other tables whole."""
    folder.mkdir(parents=True)
    with zipfile.ZipFile(find_data() / "flights.csv.zip").open("flights.csv") as stream:
        lines = io.TextIOWrapper(stream, newline="").readlines()
    (folder / "flights.csv").write_text("".join([lines[0], *lines[1::EVERY]]))
    for name in TABLES:
        (folder / name).write_bytes((find_data() / name).read_bytes())
    return folder


def read_flights(tables: Path) -> list[dict[str, str]]:
    """The rows of flights.csv, with an empty string where a value is missing."""
    with (tables / "flights.csv").open(newline="") as stream:
        return [{name: "" if text == "NA" else text for name, text in row.items()} for row in csv.DictReader(stream)]


def write_flights(tables: Path, flights: list[dict[str, str]]) -> None:
    with (tables / "flights.csv").open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(flights[0]))
        writer.writeheader()
        writer.writerows(flights)


def train_arguments(data: Path, model: Path) -> list[str | Path]:
    channels = [argument for name in ("train", "validation", "features") for argument in (f"--{name}", data / name)]
    return [*channels, "--model", model, "--num_round", "20"]


@pytest.fixture(scope="session")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Chain:
    folder = tmp_path_factory.mktemp("chain")
    tables, data, model, evaluation = (folder / name for name in ("tables", "data", "model", "evaluation"))
    sample_tables(tables)
    log = ""
    for step, arguments in (
        ("preprocess", ["--input", tables, "--output", data]),
        ("train", train_arguments(data, model)),
        ("evaluate", ["--model", folder / "archive", "--output", evaluation, *both(data)]),
    ):
        if step == "evaluate":
            pack_model(model, folder / "archive")
        result = run_script(step, *arguments, cwd=folder)
        assert result.returncode == 0, result.stderr
        assert result.stderr == ""
        log += result.stdout
    return Chain(tables, data, model, folder / "archive", evaluation, log)


def both(data: Path) -> list[str | Path]:
    return ["--train", data / "train", "--test", data / "test"]


@pytest.fixture
def tables(chain: Chain, tmp_path: Path) -> Path:
    """Tables of a test's own, to change."""
    own = tmp_path / "tables"
    own.mkdir()
    for path in chain.tables.iterdir():
        (own / path.name).write_bytes(path.read_bytes())
    return own
