"""Turn a year of flights into what is known of each before it departs, split by time.

Reads ``flights.csv``, ``weather.csv``, ``planes.csv`` and ``airports.csv``. Writes ``train.csv``, ``validation.csv``,
``test.csv`` (no header, label first, an empty field where a value is missing) and ``features.json``, which says what
the columns are. Runs alone in the ``processing`` image; by hand, every folder is an argument.

The label is 1 where a flight arrived more than 15 minutes late. Flights that never arrived (cancelled, diverted) have
no label and are left out. The features are of the schedule, the plane, the places and the weather that the origin
observed in the scheduled hour: never of how the flight then went. Category vocabularies are of the train months alone.
"""

# mypy: disable-error-code="import-untyped"
# (pyarrow has no type information)

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pa_csv

LATE_MINUTES = 15
MINUTES_PER_DAY = 24 * 60
SPLITS = {"train": range(1, 9), "validation": range(9, 11), "test": range(11, 13)}

TABLES: dict[str, dict[str, str]] = {
    "flights": {
        "year": "number",
        "month": "number",
        "day": "number",
        "sched_dep_time": "number",
        "sched_arr_time": "number",
        "arr_delay": "number",
        "carrier": "text",
        "tailnum": "text",
        "origin": "text",
        "dest": "text",
        "distance": "number",
        "time_hour": "text",
    },
    "weather": {
        "origin": "text",
        "time_hour": "text",
        "temp": "number",
        "dewp": "number",
        "humid": "number",
        "wind_dir": "number",
        "wind_speed": "number",
        "wind_gust": "number",
        "precip": "number",
        "pressure": "number",
        "visib": "number",
    },
    "planes": {"tailnum": "text", "year": "number", "engines": "number", "seats": "number", "engine": "text"},
    "airports": {"faa": "text", "lat": "number", "lon": "number"},
}
"""The columns that are read of each table, and nothing else of it."""


@dataclass(frozen=True)
class Feature:
    name: str
    kind: str
    """``integer``, ``number`` or ``category``."""
    description: str


FEATURES = [
    Feature("weekday", "integer", "day of the week, Monday is 0"),
    Feature("scheduled_departure", "integer", "minutes after midnight, local time"),
    Feature("scheduled_arrival", "integer", "minutes after midnight, local time of the destination"),
    Feature("scheduled_elapsed", "integer", "scheduled arrival minus departure by the local clocks, minutes"),
    Feature("departures_in_hour", "integer", "flights scheduled from the same airport in the same hour"),
    Feature("distance", "integer", "miles"),
    Feature("plane_age", "integer", "years since the plane was built"),
    Feature("plane_seats", "integer", "seats of the plane"),
    Feature("plane_engines", "integer", "engines of the plane"),
    Feature("dest_lat", "number", "latitude of the destination, degrees"),
    Feature("dest_lon", "number", "longitude of the destination, degrees"),
    Feature("temp", "number", "temperature at the origin in the scheduled hour, F"),
    Feature("dewp", "number", "dew point at the origin, F"),
    Feature("humid", "number", "relative humidity at the origin, %"),
    Feature("wind_dir", "integer", "wind direction at the origin, degrees"),
    Feature("wind_speed", "number", "wind speed at the origin, mph"),
    Feature("wind_gust", "number", "wind gusts at the origin, mph; missing without gusts"),
    Feature("precip", "number", "precipitation at the origin, inches"),
    Feature("pressure", "number", "sea level pressure at the origin, millibars"),
    Feature("visib", "number", "visibility at the origin, miles"),
    Feature("carrier", "category", "two-letter code of the airline"),
    Feature("origin", "category", "airport of departure"),
    Feature("engine", "category", "type of the plane's engines"),
]
"""The columns of the output after the label, in order.

The month is not among them: the months of validation and test are never those of train, so a tree can only guess.
"""


class BadInput(Exception):
    """The input cannot be used; the message names the file and the column."""


def main() -> int:
    arguments = parse_arguments()
    try:
        preprocess(arguments.input, arguments.output)
    except BadInput as error:
        return fail(str(error), arguments.message)
    return 0


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--input", type=Path, default=Path("/opt/ml/processing/input"), help="folder of the tables")
    parser.add_argument("--output", type=Path, default=Path("/opt/ml/processing"), help="gets one folder per output")
    parser.add_argument("--message", type=Path, default=Path("/opt/ml/output/message"), help="exit message of the job")
    return parser.parse_args()


def fail(reason: str, message: Path) -> int:
    """Say why, also to SageMaker, which shows the first KiB of ``message`` as the job's ExitMessage."""
    print(f"error: {reason}", file=sys.stderr)
    if message.parent.is_dir():
        message.write_bytes(reason.encode()[:1024])
    return 1


def preprocess(source: Path, output: Path) -> None:
    """Read the tables of ``source``, write ``train/``, ``validation/``, ``test/`` and ``features/`` below ``output``.

    Raises:
        BadInput: a table or a column is missing, is not of its kind, or has no flights for one of the splits.
    """
    tables = {name: read_table(source / f"{name}.csv", kinds) for name, kinds in TABLES.items()}
    flights = arrived_flights(tables["flights"])
    flights = join(flights, tables)
    splits = {name: flights["month"].isin(list(months)).to_numpy() for name, months in SPLITS.items()}
    for name, chosen in splits.items():
        if not chosen.any():
            months = f"{SPLITS[name].start} to {SPLITS[name].stop - 1}"
            raise BadInput(f"{source / 'flights.csv'}: column month has no flights of months {months} for {name}")
    late = (flights["arr_delay"] > LATE_MINUTES).to_numpy()
    categories = vocabularies(flights, splits["train"])
    columns = [pa.array(late.astype(np.int8)), *(encode(flights, feature, categories) for feature in FEATURES)]
    rows = pa.table(columns, names=["late", *(feature.name for feature in FEATURES)])
    for name, chosen in splits.items():
        write_csv(output / name / f"{name}.csv", rows.filter(pa.array(chosen)))
        print(f"{name}: {chosen.sum()} flights, {late[chosen].mean():.1%} late")
    write_description(output / "features" / "features.json", categories)


def read_table(path: Path, kinds: dict[str, str]) -> pd.DataFrame:
    """The columns ``kinds`` of a CSV file.

    Raises:
        BadInput: the file or a column is missing, the file is empty, or a number is not one.
    """
    if not path.is_file():
        raise BadInput(f"{path} is missing: the input needs {', '.join(f'{name}.csv' for name in TABLES)}")
    try:
        header = pd.read_csv(path, nrows=0).columns
        if missing := [column for column in kinds if column not in header]:
            raise BadInput(f"{path} has no column {', '.join(missing)}; it has {', '.join(header)}")
        table = pd.read_csv(path, usecols=list(kinds), low_memory=False)
    except (pd.errors.EmptyDataError, pd.errors.ParserError, UnicodeDecodeError) as error:
        raise BadInput(f"{path} cannot be read as CSV: {error}") from error
    if table.empty:
        raise BadInput(f"{path} has a header and no rows")
    for column, kind in kinds.items():
        if kind == "number" and not pd.api.types.is_numeric_dtype(table[column]):
            raise BadInput(f"{path}: column {column}: {first_non_number(table[column])}")
    return table


def first_non_number(column: pd.Series[str]) -> str:
    bad = column[column.notna() & pd.to_numeric(column, errors="coerce").isna()]
    return f"line {bad.index[0] + 2} has {bad.iloc[0]!r} where a number belongs"


def arrived_flights(flights: pd.DataFrame) -> pd.DataFrame:
    """Flights with a label; the traffic of an hour counts those too that were then cancelled, as the schedule does."""
    flights["departures_in_hour"] = flights.groupby(["origin", "time_hour"])["carrier"].transform("size")
    arrived = flights["arr_delay"].notna()
    print(f"flights: {len(flights)}; {(~arrived).sum()} never arrived (cancelled or diverted) and are left out")
    return flights[arrived]


def join(flights: pd.DataFrame, tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Flights with all features: the weather of origin and hour, the plane, where the destination is."""
    planes = tables["planes"].rename(columns={"year": "built", "engines": "plane_engines", "seats": "plane_seats"})
    airports = tables["airports"].rename(columns={"faa": "dest", "lat": "dest_lat", "lon": "dest_lon"})
    flights = look_up(flights, "weather", tables["weather"], ["origin", "time_hour"])
    flights = look_up(flights, "planes", planes[planes["tailnum"].notna()], ["tailnum"])
    flights = look_up(flights, "airports", airports, ["dest"])
    departure, arrival = minutes(flights["sched_dep_time"]), minutes(flights["sched_arr_time"])
    return flights.assign(
        weekday=pd.to_datetime(flights[["year", "month", "day"]]).dt.day_of_week,
        scheduled_departure=departure,
        scheduled_arrival=arrival,
        scheduled_elapsed=(arrival - departure) % MINUTES_PER_DAY,
        plane_age=flights["year"] - flights["built"],
    )


def look_up(flights: pd.DataFrame, name: str, table: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    try:
        return flights.merge(table, on=keys, how="left", validate="many_to_one")
    except pd.errors.MergeError as error:
        raise BadInput(f"{name}.csv has more than one row of the same {' and '.join(keys)}") from error


def minutes(clock: pd.Series[int]) -> pd.Series[int]:
    """Minutes after midnight of times such as 1755."""
    return clock // 100 * 60 + clock % 100


def vocabularies(flights: pd.DataFrame, train: np.ndarray) -> dict[str, list[str]]:
    """The sorted values of every category in the train months; a value seen later only is missing."""
    names = [feature.name for feature in FEATURES if feature.kind == "category"]
    return {name: sorted(flights.loc[train, name].dropna().unique()) for name in names}


def encode(flights: pd.DataFrame, feature: Feature, categories: dict[str, list[str]]) -> pa.Array:
    """A column of the output: a category as its place in the vocabulary, anything missing as null."""
    column = flights[feature.name]
    if feature.kind == "category":
        codes = pd.Index(categories[feature.name]).get_indexer(column)
        return pa.array(codes, mask=codes < 0)
    values = column.to_numpy(np.float32)
    if feature.kind == "integer":
        missing = np.isnan(values)
        return pa.array(np.where(missing, 0, values).astype(np.int32), mask=missing)
    return pa.array(values, from_pandas=True)


def write_csv(path: Path, table: pa.Table) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pa_csv.write_csv(table, path, pa_csv.WriteOptions(include_header=False))


def write_description(path: Path, categories: dict[str, list[str]]) -> None:
    """What the columns are, for training, evaluation and inference."""
    features = [
        {"name": feature.name, "kind": feature.kind, "description": feature.description}
        | ({"categories": categories[feature.name]} if feature.kind == "category" else {})
        for feature in FEATURES
    ]
    label = {"name": "late", "description": f"1 if the flight arrived more than {LATE_MINUTES} minutes late"}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"label": label, "features": features}, indent=2) + "\n")


if __name__ == "__main__":
    sys.exit(main())
