"""A root serves one job after another for as long as no job leaves a trace in it."""

import os
from pathlib import Path

import pytest

from emulator.launchers.namespaces import NamespaceLauncher
from emulator.launchers.roots import Roots, UsedRoot, remove_unused
from emulator.launchers.sandbox.overlays import state_of
from emulator.launchers.trash import Trash

from .workshop import Workshop, environment_of_tests


@pytest.fixture
def shop(namespaces, tmp_path):
    launcher = NamespaceLauncher(tmp_path / "launcher", warm=False)
    yield Workshop(launcher, tmp_path / "jobs", environment_of_tests())
    launcher.close()


def roots(shop):
    """The numbers of those that the warden holds."""
    [own] = (shop.folder.parent / "launcher/roots").iterdir()
    return sorted(int(path.name) for path in own.glob("[0-9]*"))


@pytest.mark.parametrize(
    "text",
    [
        "true",
        "echo x > /opt/ml/own; echo x > /tmp/own; echo x > /dev/shm/own; echo '127.0.0.1 other' >> /etc/hosts",
        "mkdir /own && rmdir /own",
    ],
)
def test_what_leaves_no_trace_leaves_the_root(shop, text):
    for _ in range(3):
        assert shop.shell(text).exit.code == 0
        assert "own" not in shop.shell("ls /tmp /dev/shm /opt/ml").text
        assert "other" not in shop.shell("cat /etc/hosts").text
    assert roots(shop) == [0]


@pytest.mark.parametrize(
    ("text", "look"),
    [
        ("echo x > /own", "ls /"),
        ("rm /etc/passwd", "test -e /etc/passwd || echo own"),
        ("echo own >> /etc/group", "cat /etc/group"),
        ("chmod 711 /", "stat -c own-%a / | grep 711"),
        ("mkdir -p /srv/own", "ls /srv"),
    ],
)
def test_a_trace_is_seen_by_nobody_else(shop, text, look):
    assert "own" not in shop.shell(look).text
    assert "own" in shop.shell(f"{text}; {look}").text
    assert "own" not in shop.shell(look).text
    assert roots(shop) == [1]


def test_what_a_job_wrote_is_removed_from_the_disk(shop):
    assert shop.shell("head -c 1000000 /dev/zero > /large").exit.code == 0
    shop.launcher.close()
    assert [path for path in (shop.folder.parent / "launcher").rglob("*") if path.name == "large"] == []


def test_jobs_at_the_same_time_have_roots_of_their_own(shop):
    first = shop.start(["/bin/sh", "-c", "echo x > /own; echo ready; sleep 30"])
    first.wait_for(b"ready")
    assert "own" not in shop.shell("ls /").text
    first.process.kill()
    first.end()
    assert roots(shop) == [1]


def test_an_attribute_is_a_trace(tmp_path):
    used = UsedRoot(0, {str(tmp_path): state_of(str(tmp_path))})
    assert used.untouched()
    os.setxattr(tmp_path, "user.mark", b"x")
    assert not used.untouched()


def test_a_root_that_cannot_be_seen_counts_as_touched(tmp_path):
    assert not UsedRoot(0, {}).untouched()
    assert not UsedRoot(0, {str(tmp_path / "absent"): [0o755, []]}).untouched()


def test_roots_are_removed_once_nobody_holds_them(tmp_path):
    trash = Trash(tmp_path / "trash")
    roots = Roots(tmp_path / "roots", trash)
    (roots.folder / "0").mkdir()
    held = os.dup(roots.lock)  # as a warden that outlives its emulator does
    roots.close()
    assert (roots.folder / "0").is_dir()
    os.close(held)
    remove_unused(tmp_path / "roots", trash)
    trash.close()
    assert list(Path(tmp_path / "roots").iterdir()) == []
