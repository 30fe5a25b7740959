from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from sagemaker.core import image_uris

from emulator.images import Images
from emulator.images.aws import catalog, refused
from emulator.images.dockerfile import read_dockerfile
from emulator.images.errors import ImageNotFound
from emulator.images.images import repository_of, tag_of
from emulator.images.mapping import Mapping
from emulator.settings import SettingsError

XGBOOST = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"


@pytest.fixture
def images(tmp_path: Path) -> Images:
    (tmp_path / "containers" / "xgboost").mkdir(parents=True)
    (tmp_path / "containers" / "xgboost" / "Dockerfile").write_text("FROM python:3.11\n")
    return Images(tmp_path / "containers", tmp_path / "cache")


@pytest.mark.parametrize(
    ("region", "framework", "version", "definition"),
    [
        ("us-east-1", "xgboost", "1.7-1", "xgboost"),
        ("eu-west-1", "xgboost", "0.90-2", "xgboost"),
        ("us-gov-west-1", "xgboost", "3.0-5", "xgboost"),
        ("cn-north-1", "sklearn", "1.2-1", "scikit-learn"),
        ("ap-northeast-1", "sklearn", "0.23-1", "scikit-learn"),
    ],
)
def test_what_the_sdk_retrieves_is_found(
    images: Images, region: str, framework: str, version: str, definition: str
) -> None:
    image = images.resolve(image_uris.retrieve(framework, region=region, version=version))
    assert image.name == definition
    assert image.aws is not None
    assert image.aws.version == version


def test_the_algorithm_image_of_before_2019_is_a_very_old_xgboost(images: Images) -> None:
    image = images.resolve(image_uris.retrieve("xgboost", region="us-east-1", version="1"))
    assert image.aws is not None
    assert (image.aws.repository, image.aws.version) == ("xgboost", "0.72")


def test_a_team_s_own_repository_wins_in_the_team_s_account(images: Images) -> None:
    image = images.resolve("123456789012.dkr.ecr.us-east-1.amazonaws.com/xgboost:latest")
    assert image.aws is None
    assert image.dockerfile.read_text() == "FROM python:3.11\n"


def test_a_copy_of_aws_s_image_in_another_account_is_known_by_its_name(images: Images) -> None:
    image = images.resolve("123456789012.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.5-1")
    assert image.aws is not None
    assert image.aws.version == "1.5-1"


@pytest.mark.parametrize(
    ("framework", "version", "python", "scope", "instance"),
    [
        ("pytorch", "2.3", "py311", "training", "ml.m5.large"),
        ("pytorch", "2.3", "py311", "training", "ml.p3.2xlarge"),
        ("pytorch", "2.1.0", "py310", "inference", "ml.c6g.large"),
        ("pytorch", "1.13.1", "py39", "inference", "ml.c5.large"),
        ("tensorflow", "2.14.1", "py310", "training", "ml.m5.large"),
        ("tensorflow", "2.14.1", None, "inference", "ml.m5.large"),
    ],
)
@pytest.mark.parametrize("region", ["us-east-1", "cn-north-1", "us-gov-west-1"])
def test_framework_images_are_found_whatever_their_version_and_device(
    images: Images, region: str, framework: str, version: str, python: str, scope: str, instance: str
) -> None:
    uri = image_uris.retrieve(
        framework, region=region, version=version, image_scope=scope, instance_type=instance, py_version=python
    )
    image = images.resolve(uri)
    assert image.name == framework
    assert image.aws is not None
    assert f"{framework}-" in image.aws.explanation("3.11")
    assert ("without GPUs" in image.aws.explanation("3.11")) == ("p3" in instance)


def test_framework_images_of_other_registries_are_known_by_their_names(images: Images) -> None:
    assert images.resolve("public.ecr.aws/deep-learning-containers/pytorch-training:2.8.0-cpu-py312").name == "pytorch"
    assert (
        images.resolve("123456789012.dkr.ecr.eu-west-1.amazonaws.com/mirror/tensorflow-training:2").name == "tensorflow"
    )


def test_an_unknown_image_is_refused_with_those_that_are_known(images: Images) -> None:
    with pytest.raises(
        ImageNotFound, match=r"no fancy/Dockerfile.*xgboost.*sagemaker-scikit-learn.*EMULATOR_IMAGE_MAP"
    ):
        images.resolve("763104351884.dkr.ecr.us-east-1.amazonaws.com/fancy:2.1-cpu")


@pytest.mark.parametrize(
    ("framework", "options", "advice"),
    [
        ("linear-learner", {}, "linear-learner is closed source.*sagemaker-scikit-learn"),
        ("kmeans", {}, "kmeans is closed source"),
        ("blazingtext", {}, "blazingtext is closed source"),
        (
            "huggingface",
            {"version": "4.28", "base_framework_version": "pytorch2.0.0", "py_version": "py310"},
            "take pytorch-training or pytorch-inference, with transformers",
        ),
        ("mxnet", {"version": "1.9", "py_version": "py38"}, "MXNet has ended"),
    ],
)
def test_what_nothing_stands_in_for_is_refused_with_what_to_do(
    images: Images, framework: str, options: dict[str, str], advice: str
) -> None:
    uri = image_uris.retrieve(
        framework, region="us-east-1", image_scope="training", instance_type="ml.g5.xlarge", **options
    )
    with pytest.raises(ImageNotFound, match=advice):
        images.resolve(uri)


def test_every_image_of_the_sdk_is_known_or_refused_by_name(images: Images) -> None:
    """The SDK's own list of images; what it adds must be found here, or refused with a reason of its own."""
    folder = Path(image_uris.__file__).parent / "image_uri_config"
    found = set(re.findall(r'"repository": "([^"]+)"', "".join(path.read_text() for path in folder.glob("*.json"))))
    found -= {"sagemaker-base-python"}  # the SDK appends Python's version
    assert {name for name in found if name not in catalog.REPOSITORIES and not refused.reason(name)} == set()


def test_a_team_maps_images_to_its_own_or_to_stand_ins(images: Images, tmp_path: Path) -> None:
    text = "763104351884.dkr.ecr.*/huggingface-*=xgboost, */legacy:*=scikit-learn, */lost:*=nowhere"
    mapped = Images(tmp_path / "containers", tmp_path / "cache", Mapping.parse(text))
    own = mapped.resolve("763104351884.dkr.ecr.eu-west-1.amazonaws.com/huggingface-pytorch-training:2.0")
    assert own.dockerfile == tmp_path / "containers" / "xgboost" / "Dockerfile"
    stand_in = mapped.resolve("registry.example.com/team/legacy:7")
    assert (stand_in.name, stand_in.aws is not None) == ("scikit-learn", True)
    with pytest.raises(ImageNotFound, match=r"maps registry\.example\.com/lost:1 to nowhere"):
        mapped.resolve("registry.example.com/lost:1")


@pytest.mark.parametrize("text", ["a", "a=", "=b", "a=b, c"])
def test_a_map_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="PATTERN=NAME"):
        Mapping.parse(text)


def test_the_log_says_what_runs_instead_of_what_was_asked_for(images: Images) -> None:
    aws = images.resolve(XGBOOST).aws
    assert aws is not None
    assert "sagemaker-xgboost:1.7-1" in aws.explanation("3.11")
    assert "xgboost-cpu 3." in aws.explanation("3.11")


def test_repository_and_tag_of_uris() -> None:
    assert (repository_of(XGBOOST).rpartition("/")[2], tag_of(XGBOOST)) == ("sagemaker-xgboost", "1.7-1")
    assert tag_of("localhost:5000/a/b") == ""
    assert tag_of("registry/a@sha256:0123") == ""


@pytest.mark.parametrize("definition", sorted(catalog.DEFINITIONS))
def test_every_definition_can_be_read_and_is_pinned(definition: str) -> None:
    file = read_dockerfile(catalog.FOLDER / f"{definition}.Dockerfile", "/bin")
    (path,) = [path for install in file.installs for path in install.files]
    assert path == catalog.FOLDER / f"requirements-{definition}.txt"
    lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
    assert all("==" in line for line in lines)


def test_accounts_are_twelve_digits() -> None:
    accounts = json.loads((catalog.FOLDER / "accounts.json").read_text())
    assert all(len(account) == 12 and account.isdigit() for found in accounts.values() for account in found)


def test_metrics_of_the_algorithm_are_known_and_a_program_s_are_not() -> None:
    definitions = catalog.metric_definitions(XGBOOST, {"num_round": "3"})
    assert {"train:rmse", "validation:auc"} <= {definition["Name"] for definition in definitions}
    assert len({definition["Name"] for definition in definitions}) == len(definitions) <= 40
    assert catalog.metric_definitions(XGBOOST, {"sagemaker_program": '"a.py"'}) == []
    assert catalog.metric_definitions("123456789012.dkr.ecr.us-east-1.amazonaws.com/xgboost:1", {}) == []


@pytest.mark.parametrize("definition", sorted(catalog.DEFINITIONS))
def test_the_page_about_images_has_the_versions_that_run(definition: str) -> None:
    page = (Path(__file__).parents[4] / "docs" / "images.md").read_text()
    found = catalog.DEFINITIONS[definition]
    assert f"| {', '.join(found.versions())} |" in page
