import pytest

from emulator.launchers import selection
from emulator.launchers.selection import select_launcher, why_not_namespaces
from emulator.settings import Settings, SettingsError


@pytest.fixture
def settings(tmp_path):
    def settings(**values):
        return Settings(data_dir=tmp_path / "data", **values)

    return settings


@pytest.fixture
def refused(monkeypatch):
    monkeypatch.setattr(selection, "why_not_namespaces", lambda folder: "unshare: Operation not permitted")


@pytest.mark.parametrize(("warm", "name"), [(True, "warm"), (False, "process")])
def test_namespaces_are_preferred(namespaces, settings, warm, name):
    launcher = select_launcher(settings(warm=warm))
    assert (launcher.name, launcher.isolation) == (name, "namespaces")
    assert launcher.description.startswith(name)
    launcher.close()


def test_none_is_obeyed(settings):
    launcher = select_launcher(settings(isolation="none"))
    assert launcher.name == "redirect"
    assert "EMULATOR_ISOLATION=none" in launcher.description


def test_where_namespaces_are_refused_it_says_by_what(settings, refused):
    launcher = select_launcher(settings())
    assert launcher.name == "redirect"
    assert "isolation: none (unshare: Operation not permitted)" in launcher.description


def test_namespaces_that_are_demanded_and_refused(settings, refused):
    with pytest.raises(SettingsError, match="EMULATOR_ISOLATION=namespaces, but this machine refuses them: unshare"):
        select_launcher(settings(isolation="namespaces"))


def test_the_probe_leaves_nothing_behind(namespaces, tmp_path):
    assert why_not_namespaces(tmp_path / "folder") is None
    assert list((tmp_path / "folder").iterdir()) == []


def test_the_probe_says_which_step_is_refused(namespaces, tmp_path, monkeypatch):
    monkeypatch.setattr("emulator.launchers.warden._BOOT", "import sys, socket; "
        "socket.socket(fileno=int(sys.argv[1])).send(b'unshare: Operation not permitted')")  # fmt: skip
    assert "unshare: Operation not permitted" in (why_not_namespaces(tmp_path) or "")


def test_other_systems_have_no_namespaces(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.platform", "darwin")
    assert why_not_namespaces(tmp_path) == "namespaces are Linux's"
