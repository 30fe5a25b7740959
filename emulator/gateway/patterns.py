"""AWS's patterns are Java regular expressions; here they become Python ones with the same meaning.

What differs: ``\\p{…}`` classes, ASCII-only ``\\w \\d \\s``, ``\\z``, surrogate pairs and a bare ``-`` beside a class.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Callable
from functools import cache

_POSIX = {
    "ASCII": r"\x00-\x7f",
    "Alnum": "a-zA-Z0-9",
    "Alpha": "a-zA-Z",
    "Digit": "0-9",
    "Lower": "a-z",
    "Upper": "A-Z",
    "Print": r"\x20-\x7e",
    "Graph": r"\x21-\x7e",
    "Punct": r"!-/:-@\[-`{-~",
    "Space": r"\s",
}
_PROPERTY = re.compile(r"\\p\{(\w+)\}")
_SURROGATES = re.compile(r"\\u(D[89AB][0-9A-F]{2})\\u(D[C-F][0-9A-F]{2})", re.IGNORECASE)
_CLASS_THEN_HYPHEN = re.compile(r"(\\[wds])-(?!\])")
_ANYTHING = frozenset({r"[\S\s]*", r"[\s\S]*", r".*(?:[ \r\n\t].*)*", r"[\w\W]*"})
"""Patterns that every string matches; some would backtrack over a megabyte of definition to find out."""


@cache
def matcher(pattern: str) -> Callable[[str], object] | None:
    """A function that is true for strings that match the whole pattern; None where every string does.

    Patterns that are not regular expressions even in Java (the models have a few, such as ``(…)${1,128}``) check
    nothing, as a service that cannot compile its own pattern does.
    """
    if pattern in _ANYTHING:
        return None
    try:
        return re.compile(_translate(pattern), re.ASCII).fullmatch
    except re.error:
        return None


def _translate(pattern: str) -> str:
    pattern = _SURROGATES.sub(_join_surrogates, pattern)
    pattern = _PROPERTY.sub(lambda found: _expand(found, pattern), pattern)
    pattern = _CLASS_THEN_HYPHEN.sub(r"\1\\-", pattern)
    return pattern.replace(r"\z", r"\Z")


def _join_surrogates(found: re.Match[str]) -> str:
    high, low = (int(half, 16) for half in found.groups())
    return f"\\U{0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00):08x}"


def _expand(found: re.Match[str], pattern: str) -> str:
    name = found.group(1)
    members = _POSIX.get(name) or _category_members().get(name)
    if members is None:
        raise re.error(f"unknown class \\p{{{name}}}")
    before = pattern[: found.start()]
    inside = before.count("[") - before.count(r"\[") > before.count("]") - before.count(r"\]")
    return members if inside else f"[{members}]"


@cache
def _category_members() -> dict[str, str]:
    """Character ranges of each Unicode category by its first letter, L for letters (20 ms, when first asked)."""
    ranges: dict[str, list[tuple[int, int]]] = {}
    current, start = "", 0
    for code in (*range(0x32400), *range(0xE0000, 0xE0200), sys.maxunicode):
        category = unicodedata.category(chr(code))[0]
        if category != current:
            if current:
                ranges.setdefault(current, []).append((start, min(code - 1, 0x323FF) if start < 0x32400 else code - 1))
            current, start = category, code
    return {category: "".join(map(_range, spans)) for category, spans in ranges.items()}


def _range(span: tuple[int, int]) -> str:
    return f"\\U{span[0]:08x}-\\U{span[1]:08x}"
