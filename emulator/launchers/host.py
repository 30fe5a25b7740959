"""What of the host a job is given besides its image: certificates, proxies and pip's configuration.

``pip install -r requirements.txt`` in a job must find packages where the user's own pip finds them: an index in
``pip.conf``, a folder of wheels, a company's certificate. Nothing else of the user's environment goes in, and none of
this into a job without a network.
"""

from __future__ import annotations

import configparser
import functools
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

_CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "PIP_CERT")
_PROXIES = ("http_proxy", "https_proxy", "no_proxy", "all_proxy")
_PIP_PATHS = ("PIP_CONFIG_FILE", "PIP_FIND_LINKS", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_CONSTRAINT")
_SYSTEM_CONFIGS = (Path("/etc/pip.conf"), Path("/etc/xdg/pip/pip.conf"))
_INDEX = "/simple"
"""By convention the folder of an index's pages; the packages that they lead to lie beside it."""
_LOOPBACK = re.compile(r"//(?:[^/@\s]*@)?(?:localhost|127\.\d+\.\d+\.\d+):(\d{1,5})\b")
_ALWAYS_SHOWN = ("/usr", "/etc/ssl", "/etc/pki", "/etc/ca-certificates")


@dataclass(frozen=True, slots=True)
class HostFiles:
    env: dict[str, str]
    files: list[tuple[str, str]]
    """Host path, container path; read-only."""
    loopback_ports: list[int]
    """Where proxies and indexes listen that run on this machine."""


def host_files(environ: Mapping[str, str] = os.environ) -> HostFiles:
    """Read anew for each job: a user who changes ``pip.conf`` sees it at once."""
    names = [name for name in environ if name.startswith("PIP_") or name in _CERTIFICATES or name.lower() in _PROXIES]
    paths = [environ[name] for name in names if name in _CERTIFICATES]
    paths += [word for name in names if name in _PIP_PATHS for word in _local_paths(environ[name])]
    configs = list(_pip_configs(environ))
    settings = [_text(config) for config in (*_SYSTEM_CONFIGS, *(config for config, _ in configs))]
    for text in settings:
        paths += _parse(text)
    files = [(str(config), target) for config, target in configs]
    files += [(path, path) for path in dict.fromkeys(paths) if Path(path).exists() and not _is_shown(path)]
    env = {name: environ[name] for name in names}
    ports = {int(found[1]) for text in (*env.values(), *settings) for found in _LOOPBACK.finditer(text)}
    return HostFiles(env, files, sorted(ports))


def _pip_configs(environ: Mapping[str, str]) -> Iterator[tuple[Path, str]]:
    """The user's pip configuration files, and where pip looks for them when root's home is ``/root``."""
    home = Path(environ.get("HOME", "/nonexistent"))
    config = Path(environ.get("XDG_CONFIG_HOME") or home / ".config") / "pip/pip.conf"
    for path, target in ((config, "/root/.config/pip/pip.conf"), (home / ".pip/pip.conf", "/root/.pip/pip.conf")):
        if os.access(path, os.R_OK):
            yield path, target


def _text(config: Path) -> str:
    try:
        found = config.stat()
        return _text_since(config, found.st_mtime_ns, found.st_size)
    except (OSError, UnicodeDecodeError):
        return ""


@functools.lru_cache(maxsize=16)
def _text_since(config: Path, changed: int, size: int) -> str:
    return config.read_text(encoding="utf-8")


@functools.lru_cache(maxsize=16)
def _parse(text: str) -> list[str]:
    """The paths in a configuration of pip."""
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(text)
    except configparser.Error:
        return []  # pip in the job says what is wrong with it
    return [path for section in parser.sections() for value in parser[section].values() for path in _local_paths(value)]


def _local_paths(value: str) -> list[str]:
    """The absolute paths and ``file:`` addresses among the words of a setting."""
    words = (word.removeprefix("file://").rstrip("/") for word in value.split())
    return [word.removesuffix(_INDEX) for word in words if word.startswith("/") and word != _INDEX]


def _is_shown(path: str) -> bool:
    return any(path == shown or path.startswith(shown + "/") for shown in _ALWAYS_SHOWN)
