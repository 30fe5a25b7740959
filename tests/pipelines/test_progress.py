import io
from pathlib import Path

import pytest

from pipelines import progress
from pipelines.connection import Connection
from pipelines.progress import CLEAR, CountedFile, Progress
from pipelines.storage import ensure_bucket, put_files


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every change is told."""
    monkeypatch.setattr(progress, "REDRAW_SECONDS", 0.0)
    monkeypatch.setattr(progress, "LINE_SECONDS", 0.0)


def test_a_terminal_has_one_line_that_is_taken_away(at_once: None) -> None:
    written: list[str] = []
    shown = Progress(3_000_000, written.append, redraws=True)
    shown.advance(1_000_000)
    shown.advance(500_000)
    shown.close()
    assert written == [f"{CLEAR}uploading  1.0 of 3.0 MB", f"{CLEAR}uploading  1.5 of 3.0 MB", CLEAR]


def test_elsewhere_there_are_lines_without_control_characters(at_once: None) -> None:
    written: list[str] = []
    shown = Progress(3_000_000, written.append, redraws=False)
    shown.advance(1_000_000)
    shown.close()
    assert written == ["uploading  1.0 of 3.0 MB\n"]


def test_what_is_over_at_once_says_nothing() -> None:
    written: list[str] = []
    shown = Progress(10, written.append, redraws=True)
    shown.advance(10)
    shown.close()
    assert written == []


def test_what_is_sent_again_counts_once() -> None:
    counts: list[int] = []
    file = CountedFile(io.BytesIO(b"0123456789"), counts.append)
    assert file.read() == b"0123456789"
    assert (file.seek(0), file.tell()) == (0, 0)
    assert file.read(4) == b"0123"
    assert sum(counts) == 4


def test_an_upload_tells_all_its_bytes(
    at_once: None, connection: Connection, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ensure_bucket(connection, "one-bucket", "us-east-1")
    files = {f"x/{name}": tmp_path / name for name in ("a", "b")}
    for path in files.values():
        path.write_bytes(b"x" * 2_000_000)
    put_files(connection, "one-bucket", files)
    assert "uploading  4.0 of 4.0 MB\n" in capsys.readouterr().err
