from datetime import UTC, datetime

from pipelines.purity import find_impurities

NOW = datetime(2026, 11, 22, 8, 30, tzinfo=UTC)


def found(text: str) -> list[str]:
    definition = {"Steps": [{"Name": "Train", "Arguments": {"Environment": {"RUN": text}}}]}
    return find_impurities(definition, ["/home/me"], NOW)


def test_a_local_path_is_found_with_step_and_field() -> None:
    assert found("/home/me/data") == [
        "Steps[Train].Arguments.Environment.RUN contains the local path /home/me: '/home/me/data'"
    ]


def test_the_time_of_the_build_is_found_in_the_sdks_spellings() -> None:
    for text in ("job-2026-11-22-08-29-58-802", "x/xgb-20261122082958/code", "2026-11-22T08:29:58Z"):
        assert "contains the time of the build" in found(text)[0], text


def test_other_times_and_numbers_are_fine() -> None:
    for text in ("2013-11-22-08-29-58", "20269922082958", "123456789012", "s3://bucket/data/2026-11-22/"):
        assert found(text) == []
