from __future__ import annotations

import json
from pathlib import Path

import pytest
from sagemaker.core import image_uris

from emulator.images import Images
from emulator.images.aws import catalog
from emulator.images.dockerfile import read_dockerfile
from emulator.images.errors import ImageNotFound
from emulator.images.images import repository_of, tag_of

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


def test_an_unknown_image_is_refused_with_those_that_are_known(images: Images) -> None:
    with pytest.raises(ImageNotFound, match=r"no pytorch-training/Dockerfile.*xgboost.*sagemaker-scikit-learn"):
        images.resolve("763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:2.1-cpu")


def test_the_log_says_what_runs_instead_of_what_was_asked_for(images: Images) -> None:
    aws = images.resolve(XGBOOST).aws
    assert aws is not None
    assert "sagemaker-xgboost:1.7-1" in aws.explanation()
    assert "xgboost-cpu 3." in aws.explanation()


def test_repository_and_tag_of_uris() -> None:
    assert (repository_of(XGBOOST).rpartition("/")[2], tag_of(XGBOOST)) == ("sagemaker-xgboost", "1.7-1")
    assert tag_of("localhost:5000/a/b") == ""
    assert tag_of("registry/a@sha256:0123") == ""


@pytest.mark.parametrize("definition", sorted({d.name for d in catalog.REPOSITORIES.values()}))
def test_every_definition_can_be_read_and_is_pinned(definition: str) -> None:
    file = read_dockerfile(catalog.FOLDER / f"{definition}.Dockerfile", "/bin")
    assert file.requirement_files == [catalog.FOLDER / f"requirements-{definition}.txt"]
    lines = [line for line in file.requirement_files[0].read_text().splitlines() if not line.startswith("#")]
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


@pytest.mark.parametrize("definition", sorted({d.name for d in catalog.REPOSITORIES.values()}))
def test_the_page_about_images_has_the_versions_that_run(definition: str) -> None:
    page = (Path(__file__).parents[4] / "docs" / "images.md").read_text()
    found = next(d for d in catalog.REPOSITORIES.values() if d.name == definition)
    assert f"| {', '.join(found.versions())} |" in page
