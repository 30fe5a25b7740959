"""Conda's way to ask for a package, as pip's."""

from __future__ import annotations

import sys

import pytest

from emulator.images.aws.conda import names, specs
from emulator.images.aws.conda.errors import CondaError

OURS = f"{sys.version_info.major}.{sys.version_info.minor}"


@pytest.mark.parametrize(
    ("spec", "requirement"),
    [
        ("numpy", "numpy"),
        ("numpy=1.26", "numpy==1.26.*"),
        ("numpy=1.26.*", "numpy==1.26.*"),
        ("numpy==1.26.4", "numpy==1.26.4"),
        ("numpy=1.26.4=py311h64a7726_0", "numpy==1.26.4.*"),
        ("numpy==1.26.4=py311h64a7726_0", "numpy==1.26.4"),
        ("numpy=2.0rc1", "numpy==2.0rc1"),
        ("numpy >=1.2 , <2", "numpy>=1.2,<2"),
        ("numpy>=1.2.*", "numpy>=1.2"),
        ("numpy 1.26.*", "numpy==1.26.*"),
        ("numpy !=1.5", "numpy!=1.5"),
        ("conda-forge::numpy[version='>=1.26.4']", "numpy>=1.26.4"),
        ("conda-forge/linux-64::numpy", "numpy"),
        ("Pillow", "pillow"),
        ("pytorch>=2", "torch>=2"),
        ("sagemaker-python-sdk", "sagemaker"),
        ("librosa", "librosa"),
        ("fonttools", "fonttools"),
        ("ruamel.yaml=0.18", "ruamel.yaml==0.18.*"),
    ],
)
def test_a_package_is_asked_of_pypi_by_its_name_there(spec: str, requirement: str) -> None:
    assert specs.translate([spec]).requirements == [requirement]


@pytest.mark.parametrize(
    "spec", ["openssl=3.0.13=h7f8727e_0", "_libgcc_mutex=0.1=main", "libffi", "ld_impl_linux-64", "pip"]
)
def test_libraries_are_this_machine_s(spec: str) -> None:
    wanted = specs.translate([spec])
    assert (wanted.requirements, len(wanted.ignored)) == ([], 1)


@pytest.mark.parametrize("spec", ["r-base", "r-ggplot2", "no-such-program"])
def test_a_program_that_this_machine_has_not_is_refused_by_its_name(spec: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(names.PROGRAMS, "no-such-program", "surely-not-installed")
    monkeypatch.setitem(names.PROGRAMS, "r-base", "surely-not-installed")
    with pytest.raises(CondaError, match=f"PackagesNotFoundError: {spec} is not a Python package"):
        specs.translate([spec])


def test_a_program_that_it_has_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(names.PROGRAMS, "a-shell", "sh")
    assert specs.translate(["a-shell=1"]).ignored == ["a-shell"]


@pytest.mark.parametrize(
    "spec",
    [
        "python",
        f"python={OURS}",
        f"python=={OURS}.0",
        f"python={OURS}.9=h1_0_cpython",
        "python>=3.8",
        "python=3",
        "python<4",
    ],
)
def test_the_image_s_python_is_enough(spec: str) -> None:
    assert specs.translate([spec]).requirements == []


@pytest.mark.parametrize("spec", ["python=3.6", "python==2.7.18", "python>=4", "python<3.7", "python>3.6,<3.8"])
def test_another_python_is_refused(spec: str) -> None:
    with pytest.raises(CondaError, match=rf"UnsatisfiableError: python.*have its Python, {OURS}"):
        specs.translate([spec])


@pytest.mark.parametrize("spec", ["", "a b|c", "=1", "a[", "numpy=1.2|1.3"])
def test_what_is_not_understood_is_refused(spec: str) -> None:
    with pytest.raises(CondaError, match="InvalidMatchSpec"):
        specs.translate([spec])
