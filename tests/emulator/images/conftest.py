import pytest

from emulator.images import Images


@pytest.fixture
def containers(tmp_path):
    """Make an image's folder: Dockerfile, requirements and other files."""

    def make(name="tiny", dockerfile="FROM python:3.11\n", **files):
        folder = tmp_path / "containers" / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "Dockerfile").write_text(dockerfile)
        for path, text in files.items():
            (folder / path.replace("__", ".")).write_text(text)
        return folder

    return make


@pytest.fixture
def images(tmp_path):
    return Images(tmp_path / "containers", tmp_path / "cache")


URI = "123456789012.dkr.ecr.us-east-1.amazonaws.com/{}:1"


@pytest.fixture
def build(images):
    """The environment of an image, and what its building said."""

    def build(name="tiny"):
        said = []
        return images.environment(images.resolve(URI.format(name)), said.append), said

    return build
