from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from emulator.images.aws.toolkit.unpacking import LeadsOutside, unpack_all


@pytest.fixture(params=["filter", "no filter"], autouse=True)
def python(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Python that has the filter, if this one has it, and one that has not."""
    if request.param == "no filter":
        monkeypatch.delattr(tarfile, "data_filter", raising=False)


def archive(*members: tuple[str, bytes, str]) -> tarfile.TarFile:
    """Of name, type and target of each; files hold their own names."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for name, kind, target in members:
            member = tarfile.TarInfo(name)
            member.type, member.linkname, member.mode = kind, target, 0o4777
            member.size = len(name) if kind == tarfile.REGTYPE else 0
            tar.addfile(member, io.BytesIO(name.encode()))
    stream.seek(0)
    return tarfile.open(fileobj=stream)


FILE, FOLDER, LINK, HARD, PIPE = tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE


def test_files_folders_and_links_within_it_are_there(tmp_path: Path) -> None:
    into = tmp_path / "into"
    members = [("a", FOLDER, ""), ("a/f", FILE, ""), ("l", LINK, "a/f"), ("a/up", LINK, "../a/f"), ("h", HARD, "a/f")]
    with archive(*members) as tar:
        unpack_all(tar, into)
    assert {(into / name).read_text() for name in ("a/f", "l", "a/up", "h")} == {"a/f"}
    assert (into / "a/f").stat().st_mode & 0o7777 == 0o755


def test_an_absolute_name_is_taken_below_the_folder(tmp_path: Path) -> None:
    with archive(("/etc/own", FILE, "")) as tar:
        unpack_all(tar, tmp_path / "into")
    assert (tmp_path / "into/etc/own").is_file()


@pytest.mark.parametrize(
    "members",
    [
        [("../f", FILE, "")],
        [("a/../../f", FILE, "")],
        [("l", LINK, "/etc/passwd")],
        [("l", LINK, "../f")],
        [("h", HARD, "../f")],
        [("l", LINK, ".."), ("l/f", FILE, "")],
        [("p", PIPE, "")],
    ],
    ids=["name", "folder", "absolute link", "link", "hard link", "through a link", "pipe"],
)
def test_what_leads_outside_is_refused(tmp_path: Path, members: list[tuple[str, bytes, str]]) -> None:
    (tmp_path / "f").write_text("untouched")
    (tmp_path / "into").mkdir()
    with archive(*members) as tar, pytest.raises(LeadsOutside):
        unpack_all(tar, tmp_path / "into")
    assert (tmp_path / "f").read_text() == "untouched"
    assert not list((tmp_path / "into").iterdir())
