"""``pipelines new``: a pipeline with one step, its script, sample data and tests, to begin from."""

from __future__ import annotations

from pathlib import Path
from string import Template

from pipelines.catalog import NAME
from pipelines.errors import UsageError

PIPELINE = '''"""Are there enough rows to work with?"""

from __future__ import annotations

from sagemaker.core.workflow.conditions import ConditionLessThan
from sagemaker.core.workflow.functions import Join, JsonGet
from sagemaker.core.workflow.parameters import ParameterInteger, ParameterString
from sagemaker.mlops.workflow import ConditionStep, FailStep, Pipeline

from pipelines.environment import Environment
from steps.${module}.step import SUMMARY, summarise_step


def build(environment: Environment) -> Pipeline:
    """Summarise -> Check -> TooFew, or done."""
    data = ParameterString("InputDataUri", default_value=f"s3://{environment.bucket}/$name/input/")
    enough = ParameterInteger("Enough", default_value=3)
    summarise = summarise_step(environment, data)
    total = JsonGet(step_name=summarise.name, property_file=SUMMARY, json_path="total")
    too_few = FailStep(name="TooFew", error_message=Join(on=" ", values=["Only", total, "rows"]))
    check = ConditionStep(name="Check", conditions=[ConditionLessThan(left=total, right=enough)], if_steps=[too_few])
    return Pipeline(
        name="$name",
        parameters=[data, enough],
        steps=[summarise, check],
        sagemaker_session=environment.session,
    )
'''
SEED = '''"""The sample data of the pipeline."""

from __future__ import annotations

from pathlib import Path


def seed(folder: Path) -> None:
    """Write the files that the parameter InputDataUri points at into ``folder``."""
    folder.joinpath("rows.csv").write_text("name,value\\na,1\\nb,2\\nc,3\\n")
'''
STEP = '''"""Summarise: how many rows there are."""

from __future__ import annotations

from pathlib import Path

from sagemaker.core.processing import ScriptProcessor
from sagemaker.core.workflow.parameters import ParameterString
from sagemaker.core.workflow.properties import PropertyFile
from sagemaker.mlops.workflow import ProcessingStep

from pipelines.environment import Environment
from steps.storage import processing_input, processing_output

SUMMARY = PropertyFile(name="Summary", output_name="summary", path="summary.json")


def summarise_step(environment: Environment, data: ParameterString) -> ProcessingStep:
    """Output ``summary``: the number of rows, by file and in total."""
    processor = ScriptProcessor(
        image_uri=environment.image("processing"),
        command=["python3"],
        role=environment.role,
        instance_type="ml.m5.large",
        instance_count=1,
        sagemaker_session=environment.session,
    )
    arguments = processor.run(
        code=str(Path(__file__).with_name("script.py")),
        inputs=[processing_input("data", data, "/opt/ml/processing/input")],
        outputs=[processing_output("summary", "/opt/ml/processing/summary")],
    )
    return ProcessingStep(name="Summarise", step_args=arguments, property_files=[SUMMARY])
'''
SCRIPT = '''"""Count the rows of every CSV file below the input folder."""

import json
from pathlib import Path

BASE = Path("/opt/ml/processing")


def summarise(folder: Path) -> dict[str, object]:
    """Rows by file, and in total; a header is no row."""
    rows = {path.name: len(path.read_text().splitlines()) - 1 for path in sorted(folder.glob("*.csv"))}
    return {"files": rows, "total": sum(rows.values())}


if __name__ == "__main__":
    (BASE / "summary" / "summary.json").write_text(json.dumps(summarise(BASE / "input")))
'''
SCRIPT_TEST = """from pathlib import Path

from steps.${module}.script import summarise


def test_rows_are_counted_without_the_header(tmp_path: Path) -> None:
    tmp_path.joinpath("a.csv").write_text("x\\n1\\n2\\n")
    assert summarise(tmp_path) == {"files": {"a.csv": 2}, "total": 2}
"""
PIPELINE_TEST = """from collections.abc import Callable

import pytest

from pipelines.testing import PipelineUnderTest


@pytest.fixture
def pipeline(pipeline_under_test: Callable[[str], PipelineUnderTest]) -> PipelineUnderTest:
    return pipeline_under_test("$name")


def test_the_graph(pipeline: PipelineUnderTest) -> None:
    assert list(pipeline.steps) == ["Summarise", "Check", "TooFew"]
    assert pipeline.steps["TooFew"].branch == ("Check", "if")


def test_enough_rows_succeed_and_too_few_fail(pipeline: PipelineUnderTest) -> None:
    pipeline.put({"rows.csv": "x\\n1\\n2\\n3\\n"})
    run = pipeline.run()
    assert run.status == "Succeeded"
    assert run.output_json("Summarise", "summary", "summary.json")["total"] == 3
    run = pipeline.run(Enough=4)
    assert run.status == "Failed"
    assert "Only 3 rows" in run.reasons["TooFew"]
"""


def scaffold(name: str) -> dict[str, str]:
    """Text by path of every file of a new pipeline."""
    module = name.replace("-", "_")
    texts = {
        f"pipelines/{module}/__init__.py": "",
        f"pipelines/{module}/pipeline.py": PIPELINE,
        f"pipelines/{module}/seed.py": SEED,
        f"steps/{module}/__init__.py": "",
        f"steps/{module}/step.py": STEP,
        f"steps/{module}/script.py": SCRIPT,
        f"tests/pipelines/{module}/__init__.py": "",
        f"tests/pipelines/{module}/test_pipeline.py": PIPELINE_TEST,
        f"tests/pipelines/{module}/test_script.py": SCRIPT_TEST,
    }
    return {path: Template(text).substitute(name=name, module=module) for path, text in texts.items()}


def write_scaffold(root: Path, name: str) -> list[str]:
    """Write a new pipeline; the paths of its files.

    Raises:
        UsageError: the name cannot be one, or something is there already, which stays as it is.
    """
    if not NAME.fullmatch(name) or not name.replace("-", "_").isidentifier() or name != name.lower():
        raise UsageError(f"{name!r} cannot be the name of a new pipeline: small letters, digits and -, a letter first")
    files = scaffold(name)
    if taken := [path for path in files if (root / path).exists()]:
        raise UsageError(f"{taken[0]} is there already: choose another name, or remove it")
    if (root / "pipelines" / f"{name}.py").exists():
        raise UsageError(f"{name!r} is a module of the tool: choose another name")
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return list(files)
