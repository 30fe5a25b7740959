from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.emulators import Emulator
from tests.integration.small_pipelines import Runner
from tests.studio.front import Front, fronting
from tests.studio.servers import Server, serving
from tests.studio.world import World, populate


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    emulator = Emulator(tmp_path_factory.mktemp("emulator"), stop_grace_seconds=2).start()
    yield emulator
    emulator.stop()


@pytest.fixture(scope="session")
def runner(emulator: Emulator) -> Runner:
    return Runner(emulator)


@pytest.fixture(scope="session")
def world(runner: Runner) -> World:
    """A pipeline that succeeded, one that failed, models, and names that try to break out."""
    return populate(runner)


@pytest.fixture(scope="session")
def studio(emulator: Emulator) -> Iterator[Server]:
    with serving(emulator.exports) as server:
        yield server


@pytest.fixture(scope="module")
def front(emulator: Emulator) -> Iterator[Front]:
    """An emulator behind a server that refuses calls or answers in its stead; one for each module of tests."""
    with fronting(emulator.exports) as front:
        yield front


@pytest.fixture
def rules(front: Front) -> Front:
    """The same, without the rules of the test before."""
    front.clear()
    return front


@pytest.fixture(scope="module")
def server(front: Front) -> Iterator[Server]:
    """Studio before it."""
    with serving(front.environ) as server:
        yield server
