from collections.abc import Iterator

import pytest

from emulator.images import Images
from emulator.settings import Settings
from tests.integration.emulators import CONTAINERS, Emulator
from tests.integration.small_pipelines import IMAGE, Runner
from tests.integration.transform_desk import Desk


@pytest.fixture(scope="session", autouse=True)
def image() -> None:
    """The environment of the image that most jobs run in. The first job would have its building in its log."""
    images = Images(CONTAINERS, Settings.load().cache_dir)
    images.environment(images.resolve(IMAGE), lambda line: None)


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """One emulator for every test that leaves it as it found it."""
    emulator = Emulator(tmp_path_factory.mktemp("emulator"), job_memory_mib=300, stop_grace_seconds=2).start()
    yield emulator
    emulator.stop()


@pytest.fixture(scope="session")
def runner(emulator: Emulator) -> Runner:
    return Runner(emulator)


@pytest.fixture(scope="session")
def desk(emulator: Emulator, runner: Runner) -> Desk:
    return Desk(emulator, runner)


@pytest.fixture
def own_emulator(tmp_path) -> Iterator[Emulator]:
    """An emulator that a test may kill, fill or break."""
    emulator = Emulator(tmp_path / "data", stop_grace_seconds=2)
    yield emulator
    emulator.run("stop", check=False)
