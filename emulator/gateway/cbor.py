"""CBOR (RFC 8949), as much of it as Smithy's RPC v2 protocol uses: tag 1 is a time, other tags are refused."""

from __future__ import annotations

import struct
from collections.abc import Callable
from datetime import datetime
from typing import Any, NoReturn

from emulator.gateway import timestamps

_FLOATS = {25: ">e", 26: ">f", 27: ">d"}
_SIMPLE = {20: False, 21: True, 22: None, 23: None}
_SIZES = {24: 1, 25: 2, 26: 4, 27: 8}
_INDEFINITE, _BREAK, _TIME = 31, 0xFF, 1


class MalformedCbor(ValueError):
    """The bytes are not one CBOR item of the kinds that are spoken here."""


def decode(data: bytes) -> Any:
    """The value of one item; times are aware datetimes.

    Raises:
        MalformedCbor: they are not, or something follows the item.
    """
    reader = _Reader(data)
    value = reader.item()
    if reader.position != len(data):
        _malformed("bytes follow the document")
    return value


def encode(value: Any) -> bytes:
    """The item of a value made of dicts with text keys, lists, text, bytes, numbers, datetimes and None."""
    out = bytearray()
    _write(value, out)
    return bytes(out)


def _malformed(why: str) -> NoReturn:
    raise MalformedCbor(f"The body of the request is not valid CBOR: {why}")


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self.position = 0
        self._kinds: tuple[Callable[[int], Any], ...] = (
            self._count,
            lambda extra: -1 - self._count(extra),
            self._bytes,
            self._text,
            self._list,
            self._map,
            self._tagged,
            self._simple,
        )

    def item(self) -> Any:
        head = self._take(1)[0]
        return self._kinds[head >> 5](head & 0x1F)

    def _take(self, size: int) -> bytes:
        taken = self._data[self.position : self.position + size]
        if len(taken) != size:
            _malformed("it ends too early")
        self.position += size
        return taken

    def _count(self, extra: int) -> int:
        if extra < 24:
            return extra
        if extra not in _SIZES:
            _malformed(f"a length or number of the form {extra}")
        return int.from_bytes(self._take(_SIZES[extra]), "big")

    def _more(self) -> bool:
        """Whether an item without a length goes on; takes its end."""
        if self._take(1)[0] == _BREAK:
            return False
        self.position -= 1
        return True

    def _bytes(self, extra: int) -> bytes:
        if extra != _INDEFINITE:
            return self._take(self._count(extra))
        pieces = []
        while self._more():
            pieces.append(self._take(self._count(self._take(1)[0] & 0x1F)))
        return b"".join(pieces)

    def _text(self, extra: int) -> str:
        try:
            return self._bytes(extra).decode()
        except UnicodeDecodeError:
            _malformed("a text is not UTF-8")

    def _list(self, extra: int) -> list[Any]:
        if extra != _INDEFINITE:
            return [self.item() for _ in range(self._count(extra))]
        items = []
        while self._more():
            items.append(self.item())
        return items

    def _map(self, extra: int) -> dict[str, Any]:
        if extra != _INDEFINITE:
            return dict(self._pair() for _ in range(self._count(extra)))
        entries = {}
        while self._more():
            key, value = self._pair()
            entries[key] = value
        return entries

    def _pair(self) -> tuple[str, Any]:
        key = self.item()
        if not isinstance(key, str):
            _malformed("a key is not a text")
        return key, self.item()

    def _tagged(self, extra: int) -> datetime:
        tag, value = self._count(extra), self.item()
        if tag != _TIME or isinstance(value, bool) or not isinstance(value, (int, float)):
            _malformed(f"an item with the tag {tag}")
        try:
            return timestamps.parse(value)
        except ValueError:
            _malformed(f"{value} is not a time")

    def _simple(self, extra: int) -> Any:
        if extra in _SIMPLE:
            return _SIMPLE[extra]
        if extra not in _FLOATS:
            _malformed(f"a simple value of the form {extra}")
        return struct.unpack(_FLOATS[extra], self._take(1 << (extra - 24)))[0]


def _write(value: Any, out: bytearray) -> None:
    match value:
        case list():
            _head(4, len(value), out)
            for item in value:
                _write(item, out)
        case dict():
            _head(5, len(value), out)
            for key, item in value.items():
                _write(key, out)
                _write(item, out)
        case datetime():
            _head(6, _TIME, out)
            _write(timestamps.seconds(value), out)
        case str():
            _sized(3, value.encode(), out)
        case bytes():
            _sized(2, value, out)
        case _:
            _write_number(value, out)


def _write_number(value: Any, out: bytearray) -> None:
    match value:
        case None:
            out.append(0xF6)
        case bool():
            out.append(0xF4 + value)
        case int():
            _head(0 if value >= 0 else 1, value if value >= 0 else -1 - value, out)
        case float():
            out += b"\xfb" + struct.pack(">d", value)
        case _:
            raise TypeError(f"{type(value).__name__} has no form in CBOR")


def _sized(kind: int, content: bytes, out: bytearray) -> None:
    _head(kind, len(content), out)
    out += content


def _head(kind: int, number: int, out: bytearray) -> None:
    if number < 24:
        out.append(kind << 5 | number)
        return
    extra = next(extra for extra, size in _SIZES.items() if number < 1 << 8 * size)
    out.append(kind << 5 | extra)
    out += number.to_bytes(_SIZES[extra], "big")
