import json
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.build import BuiltPipeline, build_pipeline, build_pipelines
from pipelines.catalog import find_pipeline
from pipelines.environments import load_target
from pipelines.errors import BuildError
from tests.pipelines.conftest import copy_project


def build(root: Path) -> BuiltPipeline:
    environment = load_target(root, "local").environment
    return build_pipeline(find_pipeline(root, "tiny"), environment, root / "build", lambda line: None)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def failure(root: Path) -> str:
    with pytest.raises(BuildError) as caught:
        build(root)
    return str(caught.value)


def rewrite(root: Path, text: str) -> None:
    (root / "pipelines" / "tiny" / "pipeline.py").write_text(text)


def test_the_same_sources_elsewhere_and_later_give_the_same_bytes(built: BuiltPipeline, tmp_path: Path) -> None:
    other = copy_project(tmp_path / "another" / "place")
    again = build(other)
    assert not again.cached
    assert contents(again.folder) == contents(built.folder)
    assert len(built.manifest["assets"]) == len(list((built.folder / "assets").rglob("*.*"))) > 5


def test_assets_are_named_by_their_content(built: BuiltPipeline) -> None:
    text = (built.folder / "definition.json").read_text()
    uris = {word for word in text.split('"') if word.startswith("s3://") and "/assets/" in word}
    assert len(uris) == 5  # the tarball, its driver, the trainer's code and drivers, the script
    for uri in uris:
        prefix = uri.split("123456789012/", 1)[1]
        assert any(asset["key"].startswith(prefix) for asset in built.manifest["assets"])
    assert str(built.folder.parents[2]) not in text


def test_the_manifest_says_where_steps_come_from(built: BuiltPipeline) -> None:
    lines = (built.folder.parents[2] / "pipelines" / "tiny" / "pipeline.py").read_text().splitlines()
    path, _, number = built.manifest["steps"]["TooLow"].partition(":")
    assert path == "pipelines/tiny/pipeline.py"
    assert 'FailStep(name="TooLow"' in lines[int(number) - 1]
    assert set(built.manifest["steps"]) == {"Prepare", "Train", "Evaluate", "Check", "TooLow"}


def test_an_unchanged_pipeline_is_not_built_again_and_needs_no_sdk(built: BuiltPipeline) -> None:
    root = built.folder.parents[2]
    code = (
        "import sys; from pathlib import Path\n"
        "from pipelines.build import build_pipeline; from pipelines.catalog import find_pipeline\n"
        "from pipelines.environments import load_target\n"
        f"root = Path({str(root)!r}); environment = load_target(root, 'local').environment\n"
        "built = build_pipeline(find_pipeline(root, 'tiny'), environment, root / 'build', print)\n"
        "print(built.cached, sorted({'sagemaker', 'boto3', 'botocore', 'emulator'} & set(sys.modules)))"
    )
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert process.stdout.strip() == "True []"


def test_a_damaged_build_is_not_trusted(built: BuiltPipeline, tmp_path: Path) -> None:
    from pipelines import build as module

    inputs = built.manifest["inputs"]
    root = built.folder.parents[2]
    assert module._is_current(built.folder, root, inputs)
    copy = tmp_path / "tiny"
    copy.mkdir()
    for name, content in contents(built.folder).items():
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).write_bytes(content)
    assert module._is_current(copy, root, inputs)
    next(copy.glob("assets/*/code/train.py")).unlink()
    assert not module._is_current(copy, root, inputs)
    assert not module._is_current(built.folder, root, "other inputs")


def test_code_that_raises_is_named_with_its_line(project: Path) -> None:
    rewrite(project, "def build(environment):\n    return environment.image('nothing')\n")
    message = failure(project)
    assert message.startswith("pipelines/tiny/pipeline.py:2: pipeline tiny: ContainerNotFound: There is no image")
    assert "    return environment.image('nothing')" in message
    assert message.endswith("Then: pipelines build tiny")


def test_code_that_does_not_parse_is_named_with_its_line(project: Path) -> None:
    rewrite(project, "\n\ndef build(environment:\n")
    assert "pipelines/tiny/pipeline.py:3: pipeline tiny: SyntaxError" in failure(project)


def test_a_build_may_not_call_aws(project: Path) -> None:
    rewrite(
        project,
        "import boto3\n\n\ndef build(environment):\n    return boto3.client('sagemaker').list_models()\n",
    )
    message = failure(project)
    assert message.startswith("pipelines/tiny/pipeline.py:5: pipeline tiny")
    assert "the build called sagemaker:ListModels, and a build is offline" in message


def test_a_build_may_not_use_the_network(project: Path) -> None:
    rewrite(
        project,
        "import socket\n\n\ndef build(environment):\n    return socket.create_connection(('127.0.0.1', 9))\n",
    )
    assert "a build is offline" in failure(project)


def test_a_build_does_not_see_the_users_aws_set_up(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    rewrite(
        project,
        "import os\n\n\ndef build(environment):\n"
        "    raise RuntimeError(sorted(name for name in os.environ if name in ('AWS_PROFILE', 'AWS_ENDPOINT_URL')))\n",
    )
    assert "RuntimeError: []" in failure(project)


def test_the_name_must_be_that_of_the_folder(project: Path) -> None:
    rewrite(
        project,
        "class P:\n    name = 'other'\n    def definition(self):\n        return '{}'\n\n\n"
        "def build(environment):\n    return P()\n",
    )
    assert "pipelines/tiny builds a pipeline named 'other': name it 'tiny'" in failure(project)


def test_a_failed_build_leaves_the_last_good_one(project: Path) -> None:
    rewrite(
        project,
        "class P:\n    name = 'tiny'\n    def definition(self):\n        return '{\"Steps\": []}'\n\n\n"
        "def build(environment):\n    return P()\n",
    )
    good = build(project)
    assert json.loads((good.folder / "definition.json").read_text()) == {"Steps": []}
    rewrite(project, "1 / 0\n")
    assert "ZeroDivisionError" in failure(project)
    assert good.definition == {"Steps": []}
    assert [path.name for path in good.folder.parent.iterdir() if path.is_dir()] == ["tiny"]


def test_another_file_of_the_checkout_that_was_read_counts(project: Path) -> None:
    (project / "settings.json").write_text('{"Steps": []}')
    rewrite(
        project,
        "from pathlib import Path\n\n\nclass P:\n    name = 'tiny'\n    def definition(self):\n"
        "        return (Path(__file__).parents[2] / 'settings.json').read_text()\n\n\n"
        "def build(environment):\n    return P()\n",
    )
    assert not build(project).cached
    assert build(project).cached
    (project / "settings.json").write_text('{"Steps": [], "Version": "2020-12-01"}')
    assert not build(project).cached


def test_several_are_built_with_one_import_of_the_sdk_and_each_for_itself(
    built: BuiltPipeline, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = project / "pipelines" / "broken"
    folder.mkdir()
    (folder / "pipeline.py").write_text(
        "import sys\n\n\ndef build(environment):\n    raise LookupError('sagemaker.mlops.workflow' in sys.modules)\n"
    )
    environment = load_target(project, "local").environment
    sources = [find_pipeline(project, name) for name in ("broken", "tiny")]
    broken, tiny = build_pipelines(sources, environment, project / "build", print)
    assert capsys.readouterr().out == "building broken, tiny (importing the SageMaker SDK takes some seconds)\n"
    assert isinstance(broken, BuildError)
    assert "pipelines/broken/pipeline.py:5: pipeline broken: LookupError: True" in str(broken)
    assert isinstance(tiny, BuiltPipeline)
    assert contents(tiny.folder) == contents(built.folder)
