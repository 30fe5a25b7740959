import pytest

from emulator.launchers.selection import why_not_namespaces

from .workshop import PRELOAD, Workshop, environment_of_tests, make_launcher

LAUNCHERS = ["warm", "process", "redirect"]


@pytest.fixture(scope="session")
def namespaces(tmp_path_factory):
    """Skips where the machine refuses namespaces."""
    if reason := why_not_namespaces(tmp_path_factory.mktemp("probe")):
        pytest.skip(reason)


@pytest.fixture(scope="session")
def launchers(tmp_path_factory):
    """Launchers by name, made at first use and kept: starting a warm one costs its imports."""
    made = {}

    def get(name):
        if name not in made:
            made[name] = make_launcher(name, tmp_path_factory.mktemp(name))
        return made[name]

    yield get
    for launcher in made.values():
        launcher.close()


@pytest.fixture(params=LAUNCHERS)
def shop(request, launchers, tmp_path):
    """A workshop with each launcher in turn."""
    if request.param != "redirect":
        request.getfixturevalue("namespaces")
    return Workshop(launchers(request.param), tmp_path, environment_of_tests(preload=PRELOAD))


@pytest.fixture(params=LAUNCHERS[:2])
def sandbox(request, namespaces, launchers, tmp_path):
    """A workshop with each launcher that isolates."""
    return Workshop(launchers(request.param), tmp_path, environment_of_tests(preload=PRELOAD))


@pytest.fixture
def warm(namespaces, launchers, tmp_path):
    """A workshop with the warm launcher."""
    return Workshop(launchers("warm"), tmp_path, environment_of_tests(preload=PRELOAD))
