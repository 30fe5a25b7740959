import io

import pytest
from rich.console import Console
from rich.live import Live

from pipelines.views import LiveView, PlainView, on_terminal, open_view, seconds
from tests.pipelines.fakes import step


def test_durations_read_well() -> None:
    assert [seconds(value) for value in (0.04, 59.94, 200, 7500)] == ["0.0 s", "59.9 s", "3 min 20 s", "2 h 05 min"]


def test_plain_lines_come_once_per_change() -> None:
    lines: list[str] = []
    view = PlainView(lines.append)
    view.update([step("A", "Executing")])
    view.update([step("A", "Executing")])
    view.update([step("A", "Succeeded", 0, 1.5), step("B", "Succeeded", 2, 2, CacheHitResult={"x": "y"})])
    assert [line.split("] ")[1] for line in lines] == [
        "A: Executing",
        "A: Succeeded  1.5 s",
        "B: Succeeded  0.0 s  (cached)",
    ]


def test_the_table_shows_waiting_steps_too() -> None:
    output = io.StringIO()
    console = Console(file=output, width=100, force_terminal=False)
    with Live(console=console, auto_refresh=False) as live:
        view = LiveView(live, ["A", "B"])
        view.update([step("A", "Failed", 0, 3), step("C", "Executing")])
    rows = [line.split() for line in output.getvalue().splitlines() if line.strip()]
    assert rows[0] == ["✗", "A", "Failed", "3.0", "s"]
    assert rows[1] == ["·", "B", "waiting"]
    assert rows[2][:3] == ["▸", "C", "Executing"]


def test_without_a_terminal_the_output_is_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout", io.StringIO())
    assert not on_terminal()
    with open_view(["A"], lambda line: None) as view:
        assert isinstance(view, PlainView)


@pytest.mark.parametrize(("no_color", "colored"), [("", True), ("1", False)])
def test_a_terminal_has_colors_unless_it_wants_none(
    monkeypatch: pytest.MonkeyPatch, no_color: str, colored: bool
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr("sys.stdout", terminal)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("NO_COLOR", no_color)
    with open_view(["A"], lambda line: None) as view:
        assert isinstance(view, LiveView)
        view.update([step("A", "Failed", 0, 3)], ended=True)
    assert "Failed" in terminal.getvalue()
    assert ("\x1b[31m" in terminal.getvalue()) is colored
