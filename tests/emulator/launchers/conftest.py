import pytest

from emulator.images.engine import NAMES, Engine, EngineError
from emulator.launchers.selection import why_not_namespaces

from . import machine_image
from .workshop import PRELOAD, Workshop, environment_of, environment_of_tests, make_launcher

LAUNCHERS = ["warm", "process", "redirect"]
ENGINES = [pytest.param(name, marks=pytest.mark.containers) for name in NAMES]


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


@pytest.fixture(scope="session")
def engine(tmp_path_factory):
    """A container engine that has the image of the tests; skips where the machine has no engine of that name."""
    found = {}

    def get(name):
        if name not in found:
            try:
                found[name] = Engine.find(name)
            except EngineError as error:
                pytest.skip(str(error))
            machine_image.make(found[name], tmp_path_factory.mktemp("image"))
        return found[name]

    return get


@pytest.fixture(params=[*LAUNCHERS, *ENGINES])
def shop(request, launchers, tmp_path):
    """A workshop with each launcher in turn."""
    if request.param in NAMES:
        request.getfixturevalue("engine")(request.param)
    elif request.param != "redirect":
        request.getfixturevalue("namespaces")
    launcher = launchers(request.param)
    return Workshop(launcher, tmp_path, environment_of(launcher, PRELOAD))


@pytest.fixture(params=LAUNCHERS[:2])
def sandbox(request, namespaces, launchers, tmp_path):
    """A workshop with each launcher that isolates."""
    return Workshop(launchers(request.param), tmp_path, environment_of_tests(preload=PRELOAD))


@pytest.fixture(params=[*LAUNCHERS[:2], *ENGINES])
def joining(request, launchers, tmp_path):
    """A workshop with each launcher that makes networks for several hosts."""
    if request.param in NAMES:
        request.getfixturevalue("engine")(request.param)
    else:
        request.getfixturevalue("namespaces")
    launcher = launchers(request.param)
    return Workshop(launcher, tmp_path, environment_of(launcher, PRELOAD))


@pytest.fixture
def warm(namespaces, launchers, tmp_path):
    """A workshop with the warm launcher."""
    return Workshop(launchers("warm"), tmp_path, environment_of_tests(preload=PRELOAD))
