"""Which image a URI means to a container engine, and when it is built or pulled."""

import pytest

from emulator.images import BuildError, ImageNotFound
from emulator.images.container_images import MERGING_SHELL, ContainerImages
from emulator.images.engine import EngineError

OWN = "123456789012.dkr.ecr.us-east-1.amazonaws.com/tiny:1"
XGBOOST = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
CONFIG = {"Entrypoint": ["python3", "main.py"], "Cmd": None, "WorkingDir": "/opt"}


class Engine:
    """Has the images that it was told of, and those that it built; notes what it was asked."""

    name = "podman"

    def __init__(self, *images, refuses=()):
        self.images = set(images)
        self.refuses = refuses
        self.followed = []
        self.called = []

    def image(self, reference):
        return CONFIG if reference in self.images else None

    def follow(self, arguments, progress):
        self.followed.append(arguments)
        if arguments[0] in self.refuses:
            raise EngineError(f"podman {arguments[0]} failed:\nno network")
        progress("STEP 1")
        self.images.add(arguments[arguments.index("--tag") + 1] if arguments[0] == "build" else arguments[1])

    def call(self, *arguments):
        self.called.append(arguments)
        if "run" in self.refuses:
            raise EngineError("no such file: sh")
        return ""


@pytest.fixture
def images(tmp_path):
    (tmp_path / "containers/tiny").mkdir(parents=True)
    (tmp_path / "containers/tiny/Dockerfile").write_text("FROM python\nRUN apt-get install jq\n")
    return lambda engine: ContainerImages(tmp_path / "containers", tmp_path / "cache", engine)


def environment(made, uri):
    said = []
    return made.environment(made.resolve(uri), said.append), said


def test_a_definition_is_built_once_for_its_content(images, tmp_path):
    engine = Engine()
    made = images(engine)
    first, said = environment(made, OWN)
    assert first.image.startswith("localhost/sagemaker-emulator/tiny:")
    assert (first.entrypoint, first.cmd, first.workdir) == (["python3", "main.py"], [], "/opt")
    assert first.shell == MERGING_SHELL
    assert said == ["image tiny: STEP 1"]
    assert environment(made, OWN) == (first, [])
    assert len(engine.followed) == len(engine.called) == 1
    (tmp_path / "containers/tiny/more.py").write_text("1")
    assert environment(made, OWN)[0].image != first.image
    assert [arguments[0] for arguments in engine.followed] == ["build", "build"]


def test_an_image_of_aws_that_the_engine_has_is_taken_as_it_is(images):
    assert environment(images(Engine(XGBOOST)), XGBOOST)[0].image == XGBOOST
    built, said = environment(images(Engine()), XGBOOST)
    assert built.image.startswith("localhost/sagemaker-emulator/xgboost:")
    assert "running its open stand-in" in said[0]
    assert built.env["EMULATOR_IMAGE_VERSION"] == "1.7-1"


def test_any_other_image_is_pulled_unless_it_is_there(images):
    engine = Engine()
    assert environment(images(engine), "ghcr.io/me/mine:2")[0].image == "ghcr.io/me/mine:2"
    assert engine.followed == [["pull", "ghcr.io/me/mine:2"]]
    engine = Engine("ghcr.io/me/mine:2")
    assert environment(images(engine), "ghcr.io/me/mine:2")[0].image == "ghcr.io/me/mine:2"
    assert engine.followed == []


def test_what_cannot_be_had_is_named_with_what_the_engine_said(images):
    with pytest.raises(
        ImageNotFound, match=r"There is no image ghcr.io/me/mine:2(?s:.*)podman pull failed:\nno network"
    ):
        environment(images(Engine(refuses=["pull"])), "ghcr.io/me/mine:2")
    with pytest.raises(BuildError, match=r"Cannot build image tiny (?s:.*)podman build failed:\nno network"):
        environment(images(Engine(refuses=["build"])), OWN)


def test_an_image_without_a_shell_runs_its_commands_plainly(images):
    assert environment(images(Engine(refuses=["run"])), OWN)[0].shell == []
