from __future__ import annotations

import importlib
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from emulator import client_environment
from emulator.settings import Settings

URL = "http://127.0.0.1:4570"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings.load({}, data_dir=tmp_path, region="eu-west-1")


def test_credentials_region_and_endpoint_are_set_and_rivals_removed(settings: Settings) -> None:
    mine = {"AWS_PROFILE": "work", "AWS_SESSION_TOKEN": "t", "AWS_ENDPOINT_URL_S3": "https://elsewhere", "HOME": "/h"}
    found = client_environment.apply(client_environment.build(settings, URL, mine), mine)

    assert found["AWS_ENDPOINT_URL"] == URL
    assert (found["AWS_ACCESS_KEY_ID"], found["AWS_SECRET_ACCESS_KEY"]) == ("test", "test")
    assert found["AWS_REGION"] == found["AWS_DEFAULT_REGION"] == "eu-west-1"
    assert found["HOME"] == "/h"
    assert {"AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_S3"} & found.keys() == set()


def test_known_keys_are_handed_out(tmp_path: Path) -> None:
    settings = Settings.load({}, data_dir=tmp_path, access_key_id="AKIA", secret_access_key="s3cret")
    found = client_environment.build(settings, URL, {})
    assert (found["AWS_ACCESS_KEY_ID"], found["AWS_SECRET_ACCESS_KEY"]) == ("AKIA", "s3cret")


def test_list_variables_keep_what_they_hold_and_grow_once(settings: Settings) -> None:
    mine = {"PYTHONPATH": "/a:/b", "NO_PROXY": "intranet,localhost", "BOTOCORE_EXPERIMENTAL__PLUGINS": "x=y"}
    once = client_environment.apply(client_environment.build(settings, URL, mine), mine)
    twice = client_environment.apply(client_environment.build(settings, URL, once), once)

    assert once["PYTHONPATH"] == f"/a:/b:{client_environment.PLUGINS}"
    assert once["NO_PROXY"] == "intranet,localhost,127.0.0.1"
    assert once["no_proxy"] == "127.0.0.1,localhost"
    assert once["BOTOCORE_EXPERIMENTAL__PLUGINS"].startswith("x=y,")
    assert twice == once


@pytest.mark.parametrize(
    ("own", "site", "taken"),
    [
        ((), False, "ADMIN"),
        (("USER",), False, "ADMIN"),
        (("ADMIN",), False, "USER"),
        ((), True, "USER"),
        (("ADMIN", "USER"), False, None),
        (("USER",), True, None),
    ],
)
def test_the_sdk_configuration_takes_a_place_that_is_free(
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    own: tuple[str, ...],
    site: bool,
    taken: str | None,
) -> None:
    monkeypatch.setattr(client_environment, "SITE_CONFIG", tmp_path if site else tmp_path / "absent")
    mine = {f"SAGEMAKER_{whose}_CONFIG_OVERRIDE": "/mine.yaml" for whose in own}
    once = client_environment.build(settings, URL, mine)
    wanted = {f"SAGEMAKER_{taken}_CONFIG_OVERRIDE"} if taken else set()
    assert {name for name in once if name.startswith("SAGEMAKER_")} == wanted
    assert client_environment.build(settings, URL, client_environment.apply(once, mine)) == once


def test_the_users_aws_configuration_stays_and_gains_the_plugin_of_the_cli(settings: Settings, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.write_text("[profile work]\nregion = eu-central-1\n")
    environ = {"AWS_CONFIG_FILE": str(mine)}
    once = client_environment.apply(client_environment.build(settings, URL, environ), environ)
    twice = client_environment.apply(client_environment.build(settings, URL, once), once)
    written = Path(once["AWS_CONFIG_FILE"])

    assert twice == once
    assert written.stat().st_mode & 0o077 == 0
    assert written.read_text() == (
        "[profile work]\nregion = eu-central-1\n\n[plugins]\nsagemaker_emulator_cli = sagemaker_emulator_cli\n"
    )


def test_an_aws_configuration_that_is_not_there_is_none(settings: Settings, tmp_path: Path) -> None:
    for missing in (tmp_path, tmp_path / "none"):
        written = client_environment.build(settings, URL, {"AWS_CONFIG_FILE": str(missing)})["AWS_CONFIG_FILE"]
        assert written
        assert Path(written).read_text().strip().startswith("[plugins]")


def test_the_users_own_plugins_of_the_cli_stay() -> None:
    mine = "[default]\noutput = text\n[plugins]\nmine = my_plugin\ncli_legacy_plugin_path = /lib\n[profile a]\n"
    assert client_environment.with_cli_plugin(mine) == (
        "[default]\noutput = text\n[plugins]\nsagemaker_emulator_cli = sagemaker_emulator_cli\nmine = my_plugin\n"
        f"cli_legacy_plugin_path = /lib:{client_environment.PLUGINS}\n[profile a]\n"
    )


def test_the_cli_is_told_the_endpoint_unless_the_user_said_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", URL)
    monkeypatch.syspath_prepend(str(client_environment.PLUGINS))
    handlers: list[Callable[..., None]] = []
    plugin = importlib.import_module(client_environment.CLI_PLUGIN)
    plugin.awscli_initialize(SimpleNamespace(register=lambda event, handler: handlers.append(handler)))
    unsaid, said = SimpleNamespace(endpoint_url=None), SimpleNamespace(endpoint_url="https://mine")
    for each in (unsaid, said):
        handlers[0](parsed_globals=each, session=None)
    assert (unsaid.endpoint_url, said.endpoint_url) == (URL, "https://mine")


def test_the_sdk_configuration_turns_telemetry_off(settings: Settings) -> None:
    path = client_environment.build(settings, URL, {})["SAGEMAKER_ADMIN_CONFIG_OVERRIDE"]
    assert path
    assert "TelemetryOptOut: true" in Path(path).read_text()


AWKWARD: dict[str, str | None] = {"SPACED": "a b", "QUOTED": """it's "so" $HOME""", "GONE": None}


def test_a_shell_reads_the_shell_format() -> None:
    exports = client_environment.FORMATS["shell"](AWKWARD)
    command = f"{exports}\n{shlex.quote(sys.executable)} -c 'import json, os; print(json.dumps(dict(os.environ)))'"
    output = subprocess.run(["sh", "-c", command], env={"GONE": "x"}, capture_output=True, check=True).stdout
    found = json.loads(output)
    assert {name: found.get(name) for name in AWKWARD} == AWKWARD


def test_the_other_formats_are_what_their_readers_want() -> None:
    assert json.loads(client_environment.FORMATS["json"](AWKWARD)) == AWKWARD
    assert client_environment.FORMATS["dotenv"](AWKWARD).splitlines() == [
        'SPACED="a b"',
        '''QUOTED="it's \\"so\\" $HOME"''',
    ]
    assert client_environment.FORMATS["powershell"](AWKWARD).splitlines() == [
        "$Env:SPACED = 'a b'",
        """$Env:QUOTED = 'it''s "so" $HOME'""",
        "Remove-Item Env:GONE -ErrorAction SilentlyContinue",
    ]


PROBE = """
import boto3
seen = []
def record(request, **_):
    seen.append(request.url)
    raise SystemExit(seen[0])
client = boto3.client({service!r}, endpoint_url={endpoint!r})
client.meta.events.register("before-send", record)
client.{call}()
"""


@pytest.mark.parametrize(
    ("service", "endpoint", "call", "reached"),
    [
        ("sts", "https://sts.eu-west-1.amazonaws.com", "get_caller_identity", URL + "/"),
        ("sts", "https://sts.cn-north-1.amazonaws.com.cn", "get_caller_identity", URL + "/"),
        ("sts", None, "get_caller_identity", URL + "/"),
        ("sts", "http://sts.mine.example", "get_caller_identity", "http://sts.mine.example/"),
        ("s3", "https://s3.eu-west-1.amazonaws.com", "list_buckets", "https://s3.eu-west-1.amazonaws.com/"),
    ],
)
def test_calls_with_a_hard_coded_aws_address_reach_the_emulator(
    settings: Settings, service: str, endpoint: str | None, call: str, reached: str
) -> None:
    environment = client_environment.apply(client_environment.build(settings, URL, os.environ), os.environ)
    program = PROBE.format(service=service, endpoint=endpoint, call=call)
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)
    assert done.stderr.strip() == reached


CONFIGURED = """
import os, sys, types, boto3
schema = sys.modules["sagemaker.config.config_schema"] = types.ModuleType("schema")
{members}
boto3.client("sts")
print(os.environ.get("SAGEMAKER_ADMIN_CONFIG_OVERRIDE"))
"""


@pytest.mark.parametrize(
    ("members", "own", "stays"),
    [
        ("schema.TELEMETRY_OPT_OUT = 'TelemetryOptOut'", None, True),
        ("", None, False),  # SDK v2 of before 2.200
        ("", "/mine.yaml", True),
    ],
)
def test_an_sdk_that_cannot_read_the_configuration_is_given_none(
    settings: Settings, members: str, own: str | None, stays: bool
) -> None:
    mine = {**os.environ, **({"SAGEMAKER_ADMIN_CONFIG_OVERRIDE": own} if own else {})}
    environment = client_environment.apply(client_environment.build(settings, URL, mine), mine)
    command = [sys.executable, "-c", CONFIGURED.format(members=members)]
    found = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.strip()
    assert found == (environment["SAGEMAKER_ADMIN_CONFIG_OVERRIDE"] if stays else "None")


def test_without_the_plugin_folder_clients_still_work(settings: Settings) -> None:
    environment = client_environment.apply(client_environment.build(settings, URL, os.environ), os.environ)
    del environment["PYTHONPATH"]
    program = PROBE.format(service="sts", endpoint=None, call="get_caller_identity")
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)
    assert done.stderr.strip() == URL + "/"
