"""What a program must find in its environment to reach the emulator instead of AWS, unchanged itself."""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path

from emulator.settings import Settings

PLUGINS = Path(__file__).parent / "client_plugins"
PLUGIN = "sagemaker_emulator_endpoint"
CLI_PLUGIN = "sagemaker_emulator_cli"
SDK_CONFIG = "sagemaker-sdk.yaml"
ADMIN_CONFIG = "SAGEMAKER_ADMIN_CONFIG_OVERRIDE"
USER_CONFIG = "SAGEMAKER_USER_CONFIG_OVERRIDE"
SITE_CONFIG = Path("/etc/xdg/sagemaker/config.yaml")
"""Where the SDK finds the administrator's configuration by itself."""
AWS_CONFIG = "aws-config"
_SDK_CONFIG_TEXT = """\
# Read by the SageMaker Python SDK (SAGEMAKER_ADMIN_CONFIG_OVERRIDE): no telemetry leaves for AWS.
SchemaVersion: '1.0'
SageMaker:
  PythonSDK:
    Modules:
      TelemetryOptOut: true
"""


def build(settings: Settings, url: str, environ: Mapping[str, str]) -> dict[str, str | None]:
    """Variables to set, and with None those to remove, for a program that has ``environ``."""
    variables: dict[str, str | None] = {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": settings.access_key_id or "test",
        "AWS_SECRET_ACCESS_KEY": settings.secret_access_key or "test",
        "AWS_REGION": settings.region,
        "AWS_DEFAULT_REGION": settings.region,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_PROFILE": None,
        "AWS_DEFAULT_PROFILE": None,
        "AWS_SESSION_TOKEN": None,
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": None,
    }
    # An endpoint of one service would win over AWS_ENDPOINT_URL.
    variables |= {name: None for name in environ if name.startswith("AWS_ENDPOINT_URL_")}
    variables |= {name: _joined(",", environ.get(name), "127.0.0.1", "localhost") for name in ("NO_PROXY", "no_proxy")}
    variables["BOTOCORE_EXPERIMENTAL__PLUGINS"] = _joined(
        ",", environ.get("BOTOCORE_EXPERIMENTAL__PLUGINS"), f"{PLUGIN}={PLUGIN}"
    )
    variables["PYTHONPATH"] = _joined(os.pathsep, environ.get("PYTHONPATH"), str(PLUGINS))
    variables |= _sdk_variables(_sdk_config(settings.data_dir), environ)
    variables["AWS_CONFIG_FILE"] = _aws_config(settings.data_dir, environ)
    return variables


def apply(variables: Mapping[str, str | None], environ: Mapping[str, str]) -> dict[str, str]:
    """``environ`` with the variables set and removed."""
    kept = {name: value for name, value in environ.items() if name not in variables}
    return kept | {name: value for name, value in variables.items() if value is not None}


def _joined(separator: str, present: str | None, *wanted: str) -> str:
    """A list variable with the wanted entries appended once, whatever it holds already."""
    entries = [entry for entry in (present or "").split(separator) if entry]
    return separator.join(entries + [entry for entry in wanted if entry not in entries])


def _sdk_variables(config: str, environ: Mapping[str, str]) -> dict[str, str | None]:
    """The SDK merges a configuration of the administrator's with the user's own, which wins and which programs replace.

    So ``config`` takes the administrator's place; if that is taken the user's, and if that is taken too neither.
    """
    administrator = environ.get(ADMIN_CONFIG, config)
    if administrator == config and not SITE_CONFIG.exists():
        return {ADMIN_CONFIG: config}
    return {USER_CONFIG: config} if environ.get(USER_CONFIG, config) == config else {}


def _sdk_config(data_dir: Path) -> str:
    path = data_dir.resolve() / SDK_CONFIG
    if not path.exists():
        path.write_text(_SDK_CONFIG_TEXT)
    return str(path)


def _aws_config(data_dir: Path, environ: Mapping[str, str]) -> str:
    """A copy of the user's AWS configuration in which the AWS CLI finds the emulator's plugin."""
    path = data_dir.resolve() / AWS_CONFIG
    # Unlike Path's, this expansion leaves the path as it is where there is no home.
    mine = Path(os.path.expanduser(environ.get("AWS_CONFIG_FILE") or "~/.aws/config"))  # noqa: PTH111
    if mine != path:  # else the program is in the emulator's environment already
        path.touch(mode=0o600)
        path.write_text(with_cli_plugin(_text_of(mine)), errors="surrogateescape")
    return str(path)


def _text_of(path: Path) -> str:
    """Empty where there is no file or none that may be read: a program would not find more in it."""
    try:
        return path.read_text(errors="surrogateescape")
    except OSError:
        return ""


def with_cli_plugin(config: str) -> str:
    """An AWS configuration that names the plugin, beside those which it names already.

    ``cli_legacy_plugin_path`` is where version 2 of the CLI looks for plugins; without it, it looks for none.
    """
    entry = f"[plugins]\n{CLI_PLUGIN} = {CLI_PLUGIN}\n"
    config = re.sub(r"(?m)^(cli_legacy_plugin_path\s*=.*)$", lambda found: f"{found[1]}{os.pathsep}{PLUGINS}", config)
    named, sections = re.subn(r"(?m)^\[plugins\][^\S\n]*\n?", entry, config, count=1)
    return named if sections else f"{config}\n{entry}"


def _shell(variables: Mapping[str, str | None]) -> str:
    return "\n".join(
        f"unset {name}" if value is None else f"export {name}={shlex.quote(value)}" for name, value in variables.items()
    )


def _powershell(variables: Mapping[str, str | None]) -> str:
    return "\n".join(
        f"Remove-Item Env:{name} -ErrorAction SilentlyContinue"
        if value is None
        else "$Env:{} = '{}'".format(name, value.replace("'", "''"))
        for name, value in variables.items()
    )


def _dotenv(variables: Mapping[str, str | None]) -> str:
    """A file of this kind can only set, and an empty AWS_PROFILE would be an error: removals are left out."""
    return "\n".join(f"{name}={json.dumps(value)}" for name, value in variables.items() if value is not None)


def _json(variables: Mapping[str, str | None]) -> str:
    return json.dumps(variables, indent=2)


FORMATS: dict[str, Callable[[Mapping[str, str | None]], str]] = {
    "shell": _shell,
    "json": _json,
    "dotenv": _dotenv,
    "powershell": _powershell,
}
