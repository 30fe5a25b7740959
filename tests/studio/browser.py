"""A browser for tests and screenshots: headless Chromium, spoken to over a pipe by its own protocol (CDP)."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from pathlib import Path
from typing import Any

FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--no-first-run",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
)


def find_chromium() -> str | None:
    """The program, if there is one."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
    return next((path for path in map(shutil.which, names) if path), None)


class Browser:
    """One page of one Chromium."""

    def __init__(self, process: subprocess.Popen[bytes], reader: int, writer: int) -> None:
        self._process = process
        self._reader, self._writer = reader, writer
        self._number = 0
        self._buffer = b""
        self._session: str | None = None
        self.loads = 0
        self.errors: list[str] = []
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Accessibility"):
            self.send(f"{domain}.enable")

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """A command's answer; events that come meanwhile are noted."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._writer, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == self._number:
                assert "error" not in answer, (method, answer["error"])
                result: dict[str, Any] = answer["result"]
                return result
            self._note(answer)

    def open(self, url: str) -> None:
        """Go to a page and wait until it is loaded."""
        before = self.loads
        self.send("Page.navigate", url=url)
        self.until_loaded(before)

    def until_loaded(self, before: int, seconds: float = 20.0) -> None:
        deadline = time.monotonic() + seconds
        while self.loads == before:
            assert time.monotonic() < deadline, "the page does not load"
            self.send("Page.getFrameTree")  # whatever is asked, events come along
            time.sleep(0.01)

    def run(self, script: str) -> Any:
        """The value of an expression in the page."""
        answer = self.send("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def until(self, script: str, seconds: float = 20.0) -> Any:
        """The first true value of an expression; a page that is just changing counts as not yet."""
        deadline = time.monotonic() + seconds
        while True:
            answer = self.send("Runtime.evaluate", expression=script, returnByValue=True)
            if value := answer["result"].get("value"):
                return value
            assert time.monotonic() < deadline, f"never true: {script}\n{self.text()[:2000]}"
            time.sleep(0.03)

    def click(self, selector: str) -> None:
        """Click on what leads to another page, and wait until that is loaded."""
        self.run(f"window.left = false, document.querySelector({json.dumps(selector)}).click()")
        self.until("window.left === undefined && document.readyState === 'complete'")

    def click_by_mouse(self, selector: str, *, leads_on: bool = True) -> None:
        """Click as a hand does, which needs no script in the page; wait for the page that it leads to."""
        node = self.send("DOM.querySelector", nodeId=self._root(), selector=selector)["nodeId"]
        assert node, f"there is no {selector}: {self.seen()[:500]}"
        self.send("DOM.scrollIntoViewIfNeeded", nodeId=node)
        corners = self.send("DOM.getContentQuads", nodeId=node)["quads"][0]
        at = {"x": (corners[0] + corners[4]) / 2, "y": (corners[1] + corners[5]) / 2, "button": "left", "clickCount": 1}
        before = self.loads
        for kind in ("mousePressed", "mouseReleased"):
            self.send("Input.dispatchMouseEvent", type=kind, **at)
        if leads_on:
            self.until_loaded(before)

    def mouse(self, kind: str, x: float, y: float) -> None:
        """``mousePressed``, ``mouseMoved`` or ``mouseReleased``, with the left button."""
        self.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", buttons=1, clickCount=1)

    def drag(self, selector: str, dx: float, dy: float) -> None:
        """Press on the middle of what is selected, move and let go."""
        middle = "(({x, y, width, height}) => [x + width / 4, y + height / 2])"
        x, y = self.run(f"{middle}(document.querySelector({json.dumps(selector)}).getBoundingClientRect())")
        self.mouse("mousePressed", x, y)
        for part in (0.5, 1):
            self.mouse("mouseMoved", x + dx * part, y + dy * part)
        self.mouse("mouseReleased", x + dx, y + dy)

    def seen(self) -> str:
        """The text of the page, asked without any script."""
        html: str = self.send("DOM.getOuterHTML", nodeId=self._root())["outerHTML"]
        bare = re.sub(r"<(script|style|head).*?</\1>|<[^>]*>", " ", html, flags=re.DOTALL)
        return re.sub(r"\s+", " ", unescape(bare))

    def load(self, url: str) -> str:
        """Go to a page; its text."""
        self.open(url)
        return self.seen()

    def address(self) -> str:
        history = self.send("Page.getNavigationHistory")
        return str(history["entries"][history["currentIndex"]]["url"])

    def _root(self) -> int:
        return int(self.send("DOM.getDocument")["root"]["nodeId"])

    def fill(self, selector: str, value: str) -> None:
        self.run(f"document.querySelector({json.dumps(selector)}).value = {json.dumps(value)}")

    def press(self, key: str) -> None:
        code = {"Tab": 9, "Enter": 13, "Escape": 27}.get(key, 0)
        typed = {"Enter": "\r"}.get(key, key)
        for kind in ("keyDown", "keyUp"):
            text = {"text": typed} if len(typed) == 1 and kind == "keyDown" else {}
            self.send("Input.dispatchKeyEvent", type=kind, key=key, windowsVirtualKeyCode=code, **text)

    def accessible(self) -> list[dict[str, Any]]:
        """What a screen reader is given: the nodes that are not ignored, as role, name, description and level."""
        nodes = self.send("Accessibility.getFullAXTree")["nodes"]
        return [_plain(node) for node in nodes if not node["ignored"]]

    def focus(self) -> str:
        """What has the focus, as a screen reader says it: the role and the name."""
        focused = [node for node in self.accessible() if node.get("focused") and node["role"] != "RootWebArea"]
        return f"{focused[-1]['role']} {focused[-1]['name']}" if focused else ""

    def text(self) -> str:
        return str(self.run("document.body.innerText"))

    def resize(self, width: int, height: int, *, dark: bool = False, scale: float = 1.0) -> None:
        self.send(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=False
        )
        feature = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.send("Emulation.setEmulatedMedia", features=[feature])

    def screenshot(self, path: Path) -> None:
        path.write_bytes(base64.b64decode(self.send("Page.captureScreenshot", format="png")["data"]))

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            data = os.read(self._reader, 1 << 20)
            assert data, f"Chromium ended: {self._process.poll()}"
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\0")
        message: dict[str, Any] = json.loads(line)
        return message

    def _note(self, event: dict[str, Any]) -> None:
        match event.get("method"):
            case "Page.loadEventFired":
                self.loads += 1
            case "Runtime.exceptionThrown":
                self.errors.append(str(event["params"]["exceptionDetails"]))
            case "Log.entryAdded" if event["params"]["entry"]["level"] == "error":
                self.errors.append(str(event["params"]["entry"]))


def _plain(node: dict[str, Any]) -> dict[str, Any]:
    properties = {entry["name"]: entry["value"].get("value") for entry in node.get("properties", [])}
    said = {member: (node.get(member) or {}).get("value", "") for member in ("role", "name", "description")}
    return properties | said


@contextmanager
def launched(program: str) -> Iterator[Browser]:
    """A browser with a profile of its own, which is gone afterwards."""
    to_browser, writer = os.pipe()
    reader, from_browser = os.pipe()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        script = f'exec "$@" 3<&{to_browser} 4>&{from_browser}'
        process = subprocess.Popen(
            ["bash", "-c", script, "bash", program, *FLAGS, f"--user-data-dir={profile}"],
            pass_fds=(to_browser, from_browser),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        os.close(to_browser)
        os.close(from_browser)
        try:
            yield Browser(process, reader, writer)
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            os.close(reader)
            os.close(writer)
