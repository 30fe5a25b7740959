from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from pipelines.build import BuiltPipeline
from pipelines.checks.registry import CHECKS
from pipelines.validate import as_sarif, as_text
from tests.pipelines.checks.cases import CASES, tiny
from tests.pipelines.conftest import Cli


def test_a_sound_pipeline_passes(cli: Cli, built: BuiltPipeline) -> None:
    result = cli(built.folder.parents[2], "validate", "tiny")
    assert result.exit_code == 0
    assert "tiny: 0 errors, " in result.output


def test_strict_fails_on_a_warning_too(cli: Cli, built: BuiltPipeline) -> None:
    root = built.folder.parents[2]
    documents = json.loads(cli(root, "validate", "--format", "json").stdout)
    assert {item["level"] for item in documents} == {"warning"}
    assert {(item["code"], item["pipeline"]) for item in documents} == {
        ("PL201", "tiny"),  # its parameter Approval
        ("PL306", "tiny"),  # its script writes nothing
    }
    assert cli(root, "validate", "--strict").exit_code == 2


def test_a_build_that_fails_is_a_finding_beside_those_of_the_sources(cli: Cli, project: Path) -> None:
    path = project / "pipelines/tiny/pipeline.py"
    text = path.read_text()
    path.write_text(
        text.replace("    prepare = ", '    name = f"{data}/x"\n    raise ValueError("no")\n    prepare = ')
    )
    result = cli(project, "validate", "tiny", "--format", "json")
    assert result.exit_code == 2
    found = {item["code"]: item for item in json.loads(result.stdout)}
    assert set(found) == {"PL100", "PL101"}
    assert found["PL100"]["file"] == "pipelines/tiny/pipeline.py"
    line = text[: text.index("    prepare = ")].count("\n") + 1
    assert found["PL101"]["line"] == line
    assert found["PL100"]["line"] >= line


def test_list_prints_every_code(cli: Cli, project: Path) -> None:
    lines = cli(project, "validate", "--list").output.splitlines()
    assert [line.split()[0] for line in lines] == sorted(CHECKS)


def test_text_names_place_step_field_and_remedy(tmp_path: Path) -> None:
    from pipelines.checks.registry import run_checks

    made = tiny(tmp_path)
    CASES["PL503"](made)
    place, message, remedy = as_text(run_checks(made.subject()))
    assert place == "steps/prepare/step.py:2: error PL503 environment value too long"
    assert message.startswith("    pipeline tiny, step Prepare Arguments.Environment.LEVEL: 257 characters")
    assert remedy == "    remedy: pass it by a file  (docs/checks/PL503.md)"


def test_sarif_points_at_lines(tmp_path: Path) -> None:
    from pipelines.checks.registry import run_checks

    made = tiny(tmp_path)
    CASES["PL101"](made)
    (run,) = json.loads(as_sarif(run_checks(made.subject())))["runs"]
    (result,) = run["results"]
    assert result["ruleId"] == "PL101"
    location = result["locations"][0]["physicalLocation"]
    assert location == {"artifactLocation": {"uri": "pipelines/tiny/pipeline.py"}, "region": {"startLine": 7}}
    assert {rule["id"] for rule in run["tool"]["driver"]["rules"]} == set(CHECKS)


def test_an_unchanged_pipeline_takes_half_a_second_without_the_sdk(built: BuiltPipeline) -> None:
    code = (
        "import sys\nfrom pipelines.cli import main\n"
        "try:\n    main(['validate', 'tiny'])\nexcept SystemExit:\n    pass\n"
        "print(sorted({'sagemaker', 'boto3', 'botocore'} & set(sys.modules)), file=sys.stderr)"
    )
    environ = os.environ | {"PIPELINES_ROOT": str(built.folder.parents[2])}
    taken = []
    for _ in range(4):
        begun = os.times().children_user
        process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environ, check=True)
        assert process.stderr.strip() == "[]"
        taken.append(os.times().children_user - begun)
    assert min(taken) < 0.5  # of processor time: the machine may be busy with other tests
