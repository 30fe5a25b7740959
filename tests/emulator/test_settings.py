from pathlib import Path

import pytest

from emulator.settings import Settings, SettingsError


def test_defaults_need_no_environment():
    settings = Settings.load({"HOME": "/home/a"})
    assert (settings.port, settings.account, settings.isolation) == (4570, "123456789012", "auto")
    assert settings.cache_dir == Path("/home/a/.cache/sagemaker-emulator")


def test_the_environment_is_read_by_type():
    settings = Settings.load({"EMULATOR_PORT": "0", "EMULATOR_WARM": "false", "EMULATOR_DATA_DIR": "/d"})
    assert (settings.port, settings.warm, settings.data_dir) == (0, False, Path("/d"))


def test_an_override_beats_the_environment_and_none_is_no_override():
    settings = Settings.load({"EMULATOR_PORT": "1", "EMULATOR_REGION": "eu-west-1"}, port=2, region=None)
    assert (settings.port, settings.region) == (2, "eu-west-1")


@pytest.mark.parametrize(
    ("name", "value"), [("PORT", "many"), ("WARM", "perhaps"), ("ISOLATION", "chroot"), ("STOP_GRACE_SECONDS", "")]
)
def test_a_value_that_cannot_be_used_is_named(name, value):
    with pytest.raises(SettingsError, match=f"EMULATOR_{name}='{value}'"):
        Settings.load({f"EMULATOR_{name}": value})


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:1"),
        ("0.0.0.0", "http://127.0.0.1:1"),
        ("::", "http://[::1]:1"),
        ("::1", "http://[::1]:1"),
    ],
)
def test_the_url_is_one_that_clients_here_can_use(host: str, url: str) -> None:
    assert Settings(host=host, port=1).url == url
