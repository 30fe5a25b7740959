import sys
from pathlib import Path

import pytest

from emulator.images import BuildError, DockerfileError, ImageNotFound
from emulator.images.images import repository_of

from .conftest import URI


@pytest.mark.parametrize(
    ("uri", "repository"),
    [
        ("123456789012.dkr.ecr.us-east-1.amazonaws.com/flights/train:1.0", "flights/train"),
        ("123456789012.dkr.ecr.us-east-1.amazonaws.com/train", "train"),
        ("localhost:5000/train@sha256:0123", "train"),
        ("localhost:5000/train:tag@sha256:0123", "train"),
        ("train", "train"),
    ],
)
def test_repository(uri, repository):
    assert repository_of(uri).rpartition("/")[2] == repository.rpartition("/")[2]


def test_an_image_is_the_folder_named_like_its_repository(containers, images):
    folder = containers("train")
    assert images.resolve("1.dkr.ecr.us-east-1.amazonaws.com/team/train:9").dockerfile == folder / "Dockerfile"


@pytest.mark.parametrize("name", ["absent", "..", "a/../../etc", "Upper", ""])
def test_an_image_that_is_not_there(containers, images, tmp_path, name):
    containers("one")
    containers("two")
    with pytest.raises(ImageNotFound) as caught:
        images.resolve(URI.format(name))
    for part in (URI.format(name), str(tmp_path / "containers"), "one, two", "EMULATOR_CONTAINERS_DIR"):
        assert part in str(caught.value)


def test_without_any_images(images):
    with pytest.raises(ImageNotFound, match="Defined are: none"):
        images.resolve("x/y:1")


@pytest.mark.timeout(300)
def test_an_environment(containers, build, tmp_path):
    folder = containers(
        dockerfile='FROM python\nENV A=1 PATH=/opt/x:$PATH\nWORKDIR /opt/x\nCOPY main.py .\nENTRYPOINT ["python3"]\n',
        main__py="print(1)",
    )
    environment, said = build()
    assert said[0].startswith("image tiny: making a virtual environment")
    assert environment.python.is_relative_to(tmp_path / "cache")
    assert environment.roots == [environment.python.parent.parent, Path(sys.base_prefix)]
    assert environment.env["PATH"].startswith(f"/opt/x:{environment.bin}:/usr/local")
    assert (environment.workdir, environment.entrypoint, environment.cmd) == ("/opt/x", ["python3"], [])
    assert environment.files == [(folder / "main.py", "/opt/x/main.py")]
    again, silence = build()
    assert again == environment
    assert silence == []
    (folder / "main.py").write_text("print(22)")
    changed, silence = build()
    assert changed.name != environment.name
    assert changed.python == environment.python
    assert silence == []


def test_a_dockerfile_that_is_not_understood(containers, build):
    containers(dockerfile="FROM python\nVOLUME /data\n")
    with pytest.raises(DockerfileError, match="VOLUME"):
        build()


@pytest.mark.timeout(300)
def test_a_failed_build_says_which_image_and_what_pip_said(containers, build):
    containers(
        dockerfile="FROM python\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\n",
        requirements__txt="--no-index\n--find-links /nonexistent\nno-such-package-here==1\n",
    )
    with pytest.raises(BuildError) as caught:
        build()
    assert "Cannot build image tiny" in str(caught.value)
    assert "no-such-package-here" in str(caught.value).splitlines()[-1]
    with pytest.raises(BuildError):
        build()


@pytest.fixture
def unbuilt(monkeypatch):
    """Environments are described, and no virtual environment is made."""
    monkeypatch.setattr("emulator.images.images.Virtualenv.ensure", lambda *_: None)


def test_an_image_may_build_on_another_one_of_the_folder(containers, build, unbuilt):
    base = containers(
        "base", 'FROM python\nLABEL preload=""\nENV A=1\nCOPY main.py /opt/\nENTRYPOINT ["a"]\n', main__py=""
    )
    containers(dockerfile=f"FROM {URI.format('base')}\nENV B=$A\n")
    environment, _ = build()
    assert (environment.env["A"], environment.env["B"], environment.entrypoint) == ("1", "1", ["a"])
    assert environment.files == [(base / "main.py", "/opt/main.py")]


def test_an_image_may_build_on_a_stand_in(containers, build, unbuilt):
    uri = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
    containers(dockerfile=f'FROM {uri}\nLABEL preload=""\nRUN pip install six\n')
    environment, _ = build()
    assert environment.env["EMULATOR_IMAGE_VERSION"] == "1.7-1"
    assert environment.entrypoint[-1].endswith("main.py")


def test_an_image_that_builds_on_itself(containers, build):
    containers(dockerfile=f"FROM {URI.format('tiny')}\n")
    with pytest.raises(DockerfileError, match=r"line 1: FROM .*tiny:1: what that image has besides Python"):
        build()
