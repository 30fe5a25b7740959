"""Which image URIs are AWS's own, and which definition of this folder stands in for each.

``image_uris.retrieve`` of the SDKs gives ``<account>.dkr.ecr.<region>.amazonaws.com/<repository>:<tag>``. The account
differs by region (``accounts.json``, as the SDKs publish it); the repository says what the image is; every tag of it
runs the one pinned set of current libraries here, which the job's log says plainly.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent
_REGISTRY = re.compile(r"^(\d{12})\.dkr\.ecr(?:-fips)?\.[a-z0-9-]+\.")
_PINNED = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)")


@dataclass(frozen=True, slots=True)
class Definition:
    """A stand-in: ``<name>.Dockerfile`` in this folder, and the packages whose versions the log names."""

    name: str
    title: str
    packages: tuple[str, ...]
    python: str = "3.11"
    """The version that its Dockerfile asks for."""
    others: tuple[Definition, ...] = ()
    """The same for jobs that need another version of Python."""

    @property
    def dockerfile(self) -> Path:
        return FOLDER / f"{self.name}.Dockerfile"

    def versions(self) -> list[str]:
        """``xgboost-cpu 3.2.0`` and so on, as pinned."""
        text = (FOLDER / f"requirements-{self.name}.txt").read_text()
        pinned = {match[1]: match[2] for line in text.splitlines() if (match := _PINNED.match(line))}
        return [f"{package} {pinned[package]}" for package in self.packages]


XGBOOST = Definition("xgboost", "XGBoost", ("xgboost-cpu", "scikit-learn", "pandas", "numpy"))
SCIKIT_LEARN = Definition("scikit-learn", "scikit-learn", ("scikit-learn", "pandas", "numpy"))
BASE_PYTHON_310 = Definition("base-python-310", "base Python", ("sagemaker", "pandas", "numpy"), python="3.10")
BASE_PYTHON = Definition("base-python", "base Python", ("sagemaker", "pandas", "numpy"), others=(BASE_PYTHON_310,))
PYTORCH = Definition("pytorch", "PyTorch", ("torch", "scikit-learn", "pandas", "numpy"))
TENSORFLOW = Definition("tensorflow", "TensorFlow", ("tensorflow-cpu", "keras", "scikit-learn", "pandas", "numpy"))
SPARK = Definition("spark", "Spark", ("pyspark", "pandas", "numpy"))
DISTRIBUTION = Definition(
    "sagemaker-distribution",
    "SageMaker Distribution",
    ("sagemaker", "torch", "xgboost-cpu", "scikit-learn", "pandas", "numpy"),
)
_ALL = (XGBOOST, SCIKIT_LEARN, BASE_PYTHON, BASE_PYTHON_310, PYTORCH, TENSORFLOW, SPARK, DISTRIBUTION)
DEFINITIONS = {each.name: each for each in _ALL}
REPOSITORIES = {
    "sagemaker-xgboost": XGBOOST,
    "xgboost": XGBOOST,
    "sagemaker-scikit-learn": SCIKIT_LEARN,
    "sagemaker-base-python-310": BASE_PYTHON,
    "sagemaker-base-python-38": BASE_PYTHON,
    "pytorch-training": PYTORCH,
    "pytorch-inference": PYTORCH,
    "pytorch-inference-graviton": PYTORCH,
    "pytorch-inference-arm64": PYTORCH,
    "pytorch": PYTORCH,
    "sagemaker-pytorch": PYTORCH,
    "tensorflow-training": TENSORFLOW,
    "tensorflow-inference": TENSORFLOW,
    "tensorflow-inference-graviton": TENSORFLOW,
    "sagemaker-tensorflow-scriptmode": TENSORFLOW,
    "sagemaker-tensorflow-serving": TENSORFLOW,
    "sagemaker-spark-processing": SPARK,
    "sagemaker-distribution-prod": DISTRIBUTION,
    "sagemaker-distribution": DISTRIBUTION,
}
"""Names of repositories; ``xgboost`` is the algorithm image of before 2019."""
_ONLY_OF_AWS = {"xgboost", "pytorch"}
"""Names so common that only an account of AWS's makes them AWS's image."""
_FLOAT = r"[-+]?[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?"
_METRICS = (
    "accuracy", "auc", "aucpr", "balanced_accuracy", "error", "f1", "f1_binary", "f1_macro", "logloss", "mae", "map",
    "merror", "mlogloss", "mse", "ndcg", "precision", "r2", "recall", "rmse",
)  # fmt: skip
_LEGACY_VERSION = "0.72"


@dataclass(frozen=True, slots=True)
class AwsImage:
    """One image URI that means an image of AWS's."""

    definition: Definition
    repository: str
    tag: str

    @property
    def version(self) -> str:
        """The version that was asked for, ``1.7-1``; the legacy algorithm images are of XGBoost 0.72."""
        return _LEGACY_VERSION if self.repository == "xgboost" else self.tag.removesuffix("-cpu-py3")

    def explanation(self, python: str) -> str:
        """What runs instead of what was asked for, with which version of Python, for the job's log."""
        asked = f"{self.definition.title} image {self.repository}:{self.tag or '(no tag)'}"
        running = ", ".join([*self.definition.versions(), f"Python {python}"])
        devices = ", without GPUs" if "gpu" in self.tag else ""
        return f"asked for AWS's {asked}, running its open stand-in: {running}{devices} (docs/images.md)"


def metric_definitions(uri: str, hyperparameters: Mapping[str, str]) -> list[dict[str, str]]:
    """The metrics that AWS reads from the log of its own algorithm without being asked; none for a user's program.

    As DescribeTrainingJob shows them of a job of the XGBoost algorithm.
    """
    repository = uri.partition("@")[0].rpartition("/")[2].partition(":")[0]
    image = find(uri, repository, "")
    if image is None or image.definition is not XGBOOST or "sagemaker_program" in hyperparameters:
        return []
    return [
        {"Name": f"{channel}:{metric}", "Regex": rf".*\[[0-9]+\].*#011{channel}-{metric}:({_FLOAT}).*"}
        for channel in ("train", "validation")
        for metric in _METRICS
    ]


def find(uri: str, repository: str, tag: str) -> AwsImage | None:
    """The image of AWS's that a URI means, if it does; the account must be AWS's."""
    match = _REGISTRY.match(uri)
    name = repository.rpartition("/")[2]
    if match and name in REPOSITORIES and match[1] in _accounts(name):
        return AwsImage(REPOSITORIES[name], name, tag)
    return None


def find_copy(repository: str, tag: str) -> AwsImage | None:
    """The image of AWS's that a repository in another account is a copy of, by its name."""
    name = repository.rpartition("/")[2]
    if name in REPOSITORIES and name not in _ONLY_OF_AWS:
        return AwsImage(REPOSITORIES[name], name, tag)
    return None


def _accounts(repository: str) -> frozenset[str]:
    return frozenset(
        account for name, accounts in _all_accounts() if repository.startswith(name) for account in accounts
    )


@cache
def _all_accounts() -> tuple[tuple[str, tuple[str, ...]], ...]:
    return tuple(_read_accounts())


def _read_accounts() -> Iterator[tuple[str, tuple[str, ...]]]:
    for name, accounts in json.loads((FOLDER / "accounts.json").read_text()).items():
        yield name, tuple(accounts)
