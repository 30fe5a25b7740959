"""Watches a client's sockets: whatever does not stay on this machine is written to a file and refused.

An audit hook of the interpreter, so nothing in the client can get round it; child processes inherit it by PYTHONPATH.
"""

import os
import socket
import sys

_LOG = os.environ["NETWORK_GUARD_LOG"]
_OWN = {"localhost", "", None, socket.gethostname()}


def _stays(host):
    if isinstance(host, bytes):
        host = host.decode(errors="replace")
    return host in _OWN or str(host).startswith("127.") or host in ("::1", "0.0.0.0", "::")


def _hook(event, arguments):
    if event in ("socket.connect", "socket.sendto"):
        address = arguments[1]
        host = address[0] if isinstance(address, tuple) else None
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        host = arguments[0]
    else:
        return
    if not _stays(host):
        with open(_LOG, "a") as log:
            log.write(f"{event} {host}\n")
        raise OSError(f"{event} {host}: clients under test must not leave this machine")


sys.addaudithook(_hook)
