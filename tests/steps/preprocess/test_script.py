from __future__ import annotations

import json
import random
from pathlib import Path

import pandas as pd
import pytest

from steps.preprocess import script
from tests.steps.conftest import Chain, read_flights, run_script, write_flights

SPLITS = ("train", "validation", "test")
FORBIDDEN = ("dep_time", "dep_delay", "arr_time", "air_time")


def description(data: Path) -> dict[str, object]:
    loaded: dict[str, object] = json.loads((data / "features" / "features.json").read_text())
    return loaded


def columns(data: Path) -> list[str]:
    return ["late", *(feature["name"] for feature in description(data)["features"])]  # type: ignore[attr-defined]


def rows(data: Path, split: str) -> pd.DataFrame:
    return pd.read_csv(data / split / f"{split}.csv", header=None, names=columns(data))


def outputs(data: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(data.rglob("*")) if path.is_file()}


def preprocess(tables: Path) -> dict[str, bytes]:
    data = tables.parent / "data"
    script.preprocess(tables, data)
    return outputs(data)


def test_splits_by_time_and_leaves_out_who_never_arrived(chain: Chain) -> None:
    arrived = [flight for flight in read_flights(chain.tables) if flight["arr_delay"]]
    months = {"train": range(1, 9), "validation": range(9, 11), "test": range(11, 13)}
    for split in SPLITS:
        expected = [int(float(f["arr_delay"]) > 15) for f in arrived if int(f["month"]) in months[split]]
        assert rows(chain.data, split)["late"].tolist() == expected
    left_out = len(read_flights(chain.tables)) - len(arrived)
    assert f"{left_out} never arrived" in chain.log


def test_the_label_is_later_than_15_minutes(tables: Path) -> None:
    flights = [flight for flight in read_flights(tables) if flight["arr_delay"]]
    for number, flight in enumerate(flights):
        flight["arr_delay"] = "15" if number % 2 else "16"
    write_flights(tables, flights)
    preprocess(tables)
    labels = pd.concat([rows(tables.parent / "data", split)["late"] for split in SPLITS])
    assert labels.sum() == len(flights) // 2 + len(flights) % 2


def test_what_happens_after_departure_is_never_read(tables: Path) -> None:
    before = preprocess(tables)
    flights = read_flights(tables)
    chance = random.Random(1)
    for flight in flights:
        for column in FORBIDDEN:
            flight[column] = str(chance.randrange(2400))
        if flight["arr_delay"]:
            late = float(flight["arr_delay"]) > script.LATE_MINUTES
            flight["arr_delay"] = str(chance.randrange(16, 900) if late else chance.randrange(-90, 16))
    write_flights(tables, flights)
    assert preprocess(tables) == before
    assert not set(FORBIDDEN) & {column for kinds in script.TABLES.values() for column in kinds}


def test_labels_of_the_test_months_do_not_reach_train(tables: Path) -> None:
    before = preprocess(tables)
    flights = read_flights(tables)
    later = [flight for flight in flights if int(flight["month"]) >= 11 and flight["arr_delay"]]
    delays = [flight["arr_delay"] for flight in later]
    random.Random(2).shuffle(delays)
    for flight, delay in zip(later, delays, strict=True):
        flight["arr_delay"] = delay
    write_flights(tables, flights)
    after = preprocess(tables)
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"test.csv"}


@pytest.mark.parametrize("month", ["9", "11"])
def test_vocabularies_are_those_of_the_train_months(tables: Path, month: str) -> None:
    before = preprocess(tables)
    flights = read_flights(tables)
    split = "validation" if month == "9" else "test"
    marked = [flight for flight in flights if flight["month"] == month]
    for flight in marked:
        flight["carrier"] = "AAA"
    write_flights(tables, flights)
    after = preprocess(tables)
    assert after["features.json"] == before["features.json"]
    assert after["train.csv"] == before["train.csv"]
    arrived = sum(bool(flight["arr_delay"]) for flight in marked)
    assert rows(tables.parent / "data", split)["carrier"].isna().sum() == arrived


def test_weather_is_that_of_origin_and_scheduled_hour(chain: Chain) -> None:
    weather = pd.read_csv(chain.tables / "weather.csv").set_index(["origin", "time_hour"])
    flights = [f for f in read_flights(chain.tables) if f["arr_delay"] and int(f["month"]) <= 8]
    train = rows(chain.data, "train")
    for number in (0, 100, 2000):
        flight = flights[number]
        expected = weather.loc[(flight["origin"], flight["time_hour"])]
        assert train.loc[number, "temp"] == pytest.approx(expected["temp"], rel=1e-5)
        assert train.loc[number, "visib"] == pytest.approx(expected["visib"], rel=1e-5)


def test_features_are_what_they_are_called(chain: Chain) -> None:
    flight = next(f for f in read_flights(chain.tables) if f["arr_delay"] and int(f["month"]) <= 8)
    first = rows(chain.data, "train").iloc[0]
    departure = int(flight["sched_dep_time"])
    assert first["scheduled_departure"] == departure // 100 * 60 + departure % 100
    assert first["weekday"] == pd.Timestamp(2013, int(flight["month"]), int(flight["day"])).day_of_week
    assert first["distance"] == int(flight["distance"])
    planes = pd.read_csv(chain.tables / "planes.csv").set_index("tailnum")
    assert first["plane_age"] == 2013 - planes.loc[flight["tailnum"], "year"]
    airports = pd.read_csv(chain.tables / "airports.csv").set_index("faa")
    assert first["dest_lat"] == pytest.approx(airports.loc[flight["dest"], "lat"], rel=1e-5)
    carriers = script_categories(chain.data)["carrier"]
    assert carriers[int(first["carrier"])] == flight["carrier"]
    assert carriers == sorted(carriers)


def script_categories(data: Path) -> dict[str, list[str]]:
    features = description(data)["features"]
    return {feature["name"]: feature.get("categories", []) for feature in features}  # type: ignore[attr-defined]


def test_traffic_of_an_hour_counts_the_cancelled(tables: Path) -> None:
    flights = [flight for flight in read_flights(tables) if flight["arr_delay"]]
    crowd = [dict(flights[0]) for _ in range(7)]
    for flight in crowd[:3]:
        flight["arr_delay"] = "NA"
    others = [f for f in flights if (f["origin"], f["time_hour"]) != (crowd[0]["origin"], crowd[0]["time_hour"])]
    write_flights(tables, crowd + others)
    preprocess(tables)
    assert rows(tables.parent / "data", "train")["departures_in_hour"][:4].tolist() == [7] * 4


def test_two_runs_are_byte_identical(chain: Chain, tmp_path: Path) -> None:
    result = run_script("preprocess", "--input", chain.tables, "--output", tmp_path / "again", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert outputs(tmp_path / "again") == outputs(chain.data)


def replace_column(path: Path, old: str, new: str) -> None:
    header, _, rest = path.read_text().partition("\n")
    path.write_text(header.replace(old, new) + "\n" + rest)


def test_a_missing_table_is_named(tables: Path) -> None:
    (tables / "planes.csv").unlink()
    with pytest.raises(script.BadInput, match=r"planes\.csv is missing"):
        preprocess(tables)


def test_a_missing_column_is_named(tables: Path) -> None:
    replace_column(tables / "weather.csv", "visib", "visibility")
    with pytest.raises(script.BadInput, match=r"weather\.csv has no column visib; it has .*visibility"):
        preprocess(tables)


def test_an_empty_table_is_named(tables: Path) -> None:
    (tables / "airports.csv").write_text("")
    with pytest.raises(script.BadInput, match=r"airports\.csv cannot be read as CSV"):
        preprocess(tables)


def test_a_table_without_rows_is_named(tables: Path) -> None:
    header = (tables / "flights.csv").read_text().splitlines()[0]
    (tables / "flights.csv").write_text(header + "\n")
    with pytest.raises(script.BadInput, match=r"flights\.csv has a header and no rows"):
        preprocess(tables)


def test_a_word_in_a_column_of_numbers_is_named_with_its_line(tables: Path) -> None:
    flights = read_flights(tables)
    flights[4]["distance"] = "far"
    write_flights(tables, flights)
    with pytest.raises(script.BadInput, match=r"flights\.csv: column distance: line 6 has 'far'"):
        preprocess(tables)


def test_ambiguous_weather_is_refused(tables: Path) -> None:
    weather = (tables / "weather.csv").read_text()
    (tables / "weather.csv").write_text(weather + weather.splitlines()[1] + "\n")
    with pytest.raises(script.BadInput, match=r"weather\.csv has more than one row of the same origin and time_hour"):
        preprocess(tables)


def test_a_split_without_flights_is_named(tables: Path) -> None:
    write_flights(tables, [flight for flight in read_flights(tables) if int(flight["month"]) < 11])
    with pytest.raises(script.BadInput, match=r"no flights of months 11 to 12 for test"):
        preprocess(tables)


def test_bad_input_ends_with_1_and_an_exit_message(tables: Path, tmp_path: Path) -> None:
    replace_column(tables / "flights.csv", "carrier", "airline")
    message = tmp_path / "message"
    result = run_script(
        "preprocess", "--input", tables, "--output", tmp_path / "data", "--message", message, cwd=tmp_path
    )
    assert result.returncode == 1
    assert result.stderr.startswith(f"error: {tables / 'flights.csv'} has no column carrier")
    assert f"error: {message.read_text()}\n" == result.stderr
    assert not (tmp_path / "data").exists()
