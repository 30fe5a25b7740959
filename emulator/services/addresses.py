"""Where clients on this machine reach the emulator; queue URLs and functions' endpoints are made of it."""

from __future__ import annotations

from emulator.settings import Settings


def endpoint_url(settings: Settings) -> str:
    """Without a slash at the end."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host).strip("[]")
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"
