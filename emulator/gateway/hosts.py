"""Which names the emulator answers to: another site's page must not reach it by rebinding its name to 127.0.0.1."""

from __future__ import annotations

import ipaddress
from functools import lru_cache

from emulator.aws.errors import AwsError
from emulator.launchers.container_lan import POOLS


class MisdirectedRequest(AwsError):
    code = "AccessDeniedException"
    status = 421


def is_loopback(host: str) -> bool:
    """Whether a server bound to ``host`` is reached from this machine only."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def check_host(header: str) -> None:
    """Refuse requests whose ``Host`` is neither this machine's nor AWS's own name.

    Raises:
        MisdirectedRequest: the name is foreign, or missing.
    """
    if not _is_own(header):
        raise MisdirectedRequest(
            f"Host {header[:200]!r} is not a name of this emulator (localhost, *.localhost, 127.0.0.1, [::1] or "
            "*.amazonaws.com): refused, because a web page could reach it that way. Use http://127.0.0.1 as endpoint."
        )


@lru_cache(maxsize=1024)
def _is_own(header: str) -> bool:
    name = header[: header.index("]") + 1] if header.startswith("[") and "]" in header else header.partition(":")[0]
    name = name.lower().rstrip(".")
    return is_loopback(name) or name.endswith(".amazonaws.com") or _is_of_a_job(name)


def _is_of_a_job(name: str) -> bool:
    """Hosts of a job in containers reach the emulator by the address of their network's gateway; no name is rebound."""
    try:
        address = ipaddress.IPv4Address(name)
    except ValueError:
        return False
    return any(address in pool for pool in POOLS)
