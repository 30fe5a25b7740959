from __future__ import annotations

import re
from pathlib import Path

import pytest

import pipelines.checks.all  # noqa: F401  (registers the checks)
from pipelines.checks.registry import CHECKS, check, run_checks
from tests.pipelines.checks.cases import CASES, tiny


def test_a_sound_pipeline_has_no_findings(tmp_path: Path) -> None:
    assert run_checks(tiny(tmp_path).subject()) == []


def test_every_check_has_a_case() -> None:
    assert set(CHECKS) - set(CASES) == {"PL100"}
    assert set(CASES) <= set(CHECKS)
    assert len(CHECKS) >= 30


@pytest.mark.parametrize("code", sorted(CASES))
def test_a_check_finds_what_is_wrong(code: str, tmp_path: Path) -> None:
    made = tiny(tmp_path)
    CASES[code](made)
    found = [finding for finding in run_checks(made.subject()) if finding.code == code]
    assert found
    for finding in found:
        assert (tmp_path / finding.file).is_file(), finding
        assert finding.line >= 1
        assert finding.message
        assert finding.remedy
        assert finding.pipeline == "tiny"


@pytest.mark.parametrize(
    "code", ["PL101", "PL201", "PL203", "PL303", "PL306", "PL403", "PL501", "PL601", "PL701", "PL801", "PL901"]
)
def test_a_fault_is_told_once(code: str, tmp_path: Path) -> None:
    made = tiny(tmp_path)
    CASES[code](made)
    assert {finding.code for finding in run_checks(made.subject())} == {code}


def test_a_finding_in_the_sources_has_its_line(tmp_path: Path) -> None:
    made = tiny(tmp_path)
    CASES["PL101"](made)
    (found,) = run_checks(made.subject())
    assert (found.file, found.line) == ("pipelines/tiny/pipeline.py", 7)
    assert found.message == "f-string with the pipeline variable data"


def test_a_finding_in_a_step_has_the_line_that_made_it_and_its_field(tmp_path: Path) -> None:
    made = tiny(tmp_path)
    CASES["PL503"](made)
    (found,) = run_checks(made.subject())
    assert (found.file, found.line, found.step) == ("steps/prepare/step.py", 2, "Prepare")
    assert found.field == "Arguments.Environment.LEVEL"


def test_without_a_build_the_sources_are_checked(tmp_path: Path) -> None:
    made = tiny(tmp_path)
    CASES["PL102"](made)
    CASES["PL901"](made)
    subject = made.subject()
    subject.definition.clear()
    assert {finding.code for finding in run_checks(subject)} == {"PL102"}


@pytest.mark.parametrize(
    "line",
    [
        'Join(on="/", values=["s3:/", data])',
        'name = f"{data.name}-x"',
        'name = f"{environment.bucket}-x"',
        "if data is None: raise ValueError",
        "text = depth.to_string()",
    ],
)
def test_what_is_known_when_building_is_no_fault(line: str, tmp_path: Path) -> None:
    from tests.pipelines.checks.cases import _code

    made = tiny(tmp_path)
    _code(line)(made)
    assert run_checks(made.subject()) == []


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ('x = "{}".format(data)', "PL102"),
        ('x = "s3://" + data', "PL102"),
        ("x = str(depth)", "PL102"),
        ("x = int(depth)", "PL102"),
        ('x = "/".join([data, "x"])', "PL102"),
        ("x = os.path.join(data)", "PL102"),
        ('x = f"{ExecutionVariables.PIPELINE_NAME}"', "PL101"),
        ('x = f"{step.properties.ModelArtifacts.S3ModelArtifacts}"', "PL101"),
        ("x = 1 if depth else 2", "PL103"),
        ("x = 1 if not (depth == 4 and True) else 2", "PL103"),
    ],
)
def test_ways_to_misuse_a_variable(line: str, code: str, tmp_path: Path) -> None:
    from tests.pipelines.checks.cases import _code

    made = tiny(tmp_path)
    _code(line)(made)
    assert [finding.code for finding in run_checks(made.subject())] == [code]


def test_two_checks_cannot_have_one_code() -> None:
    with pytest.raises(ValueError, match="PL101"):
        check("PL101", "again")(lambda subject: iter(()))


def test_codes_and_titles_are_in_order() -> None:
    for code, registered in CHECKS.items():
        assert re.fullmatch(r"PL[1-9]\d\d", code)
        assert registered.title
        assert len(registered.explanation) > 20, code
