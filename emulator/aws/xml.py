"""XML as AWS's answers have it: what both S3 and the services of the query protocol write."""

from __future__ import annotations

import re
from collections.abc import Callable

DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def escape(text: str, forbidden: str | Callable[[re.Match[str]], str] = "\ufffd") -> str:
    """Text for between tags; ``forbidden`` takes the place of each character that XML 1.0 cannot carry."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#13;")
    return _FORBIDDEN.sub(forbidden, text)


def element(name: str, text: str) -> str:
    return f"<{name}>{escape(text)}</{name}>"
