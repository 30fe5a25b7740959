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


@pytest.mark.parametrize("name", ["podman", "docker"])
def test_an_engine_that_is_not_there_is_refused_with_what_to_install(settings, monkeypatch, tmp_path, name):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SettingsError, match=f"ISOLATION={name}, but there is no program {name} on the PATH; inst"):
        select_launcher(settings(isolation=name))


def test_an_engine_that_does_not_answer_is_refused_with_its_words(settings, monkeypatch, tmp_path):
    program = tmp_path / "docker"
    program.write_text("#!/bin/sh\necho Cannot connect to the daemon >&2; exit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SettingsError, match="docker info: Cannot connect to the daemon; install it and start"):
        select_launcher(settings(isolation="docker"))
