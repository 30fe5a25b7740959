from __future__ import annotations

import re
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

CONTAINERS = Path(__file__).parents[2] / "containers"
IMAGES = sorted(path.parent for path in CONTAINERS.glob("*/Dockerfile"))
KNOWN_INSTRUCTIONS = {"FROM", "RUN", "COPY", "ENV", "WORKDIR", "ENTRYPOINT", "CMD", "LABEL"}


def instructions(image: Path) -> list[tuple[str, str]]:
    lines = (image / "Dockerfile").read_text().splitlines()
    return [(line.split()[0], line.partition(" ")[2]) for line in lines if line and not line.startswith("#")]


def names(path: Path) -> dict[str, str]:
    """Requirements of a file by name."""
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
    return {re.split(r"[=<>]", line)[0]: line for line in lines}


def test_the_images_are_those_of_the_issue() -> None:
    assert [image.name for image in IMAGES] == ["processing", "xgboost"]


@pytest.mark.parametrize("image", IMAGES, ids=lambda image: image.name)
def test_everything_installed_is_pinned(image: Path) -> None:
    pinned = names(image / "requirements.txt")
    assert all(re.fullmatch(r"[a-z0-9-]+==[0-9][\w.]*", line) for line in pinned.values())
    assert set(names(image / "requirements.in")) <= set(pinned)
    assert all(">=" in line for line in names(image / "requirements.in").values())


def test_both_images_agree_on_versions() -> None:
    processing, xgboost = (names(image / "requirements.txt") for image in IMAGES)
    for name in set(processing) & set(xgboost):
        assert processing[name] == xgboost[name]


@pytest.mark.parametrize("image", IMAGES, ids=lambda image: image.name)
def test_a_dockerfile_copies_what_is_there_and_says_no_more_than_needed(image: Path) -> None:
    for instruction, rest in instructions(image):
        assert instruction in KNOWN_INSTRUCTIONS
        if instruction == "COPY":
            assert (image / rest.split()[0]).exists()


@pytest.mark.parametrize("image", IMAGES, ids=lambda image: image.name)
def test_preloaded_modules_are_installed_by_the_image(image: Path) -> None:
    labels = [rest for instruction, rest in instructions(image) if instruction == "LABEL"]
    modules = re.fullmatch(r'preload="([^"]+)"', labels[0])
    assert modules
    installed = set(names(image / "requirements.txt"))
    for module in modules[1].split():
        assert installed & set(packages_distributions()[module.partition(".")[0]]), module
