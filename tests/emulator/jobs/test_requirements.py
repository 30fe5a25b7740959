"""What decides whether two jobs' requirements are the same; tests/integration/test_requirements.py installs some."""

from pathlib import Path

import pytest

from emulator.images import Environment
from emulator.jobs import requirements
from emulator.jobs.requirements import LayerFailed, RequirementLayers, Wanted
from emulator.launchers.redirect import RedirectLauncher


def environment(name="a"):
    folder = Path("/cache/environments") / name
    return Environment(name=f"image-{name}", python=folder / "bin" / "python", bin=folder / "bin")


def wanted(*lines, options=(), **variables):
    return Wanted.read({"options": list(options), "requirements": list(lines), "environment": variables})


def test_the_same_requirements_are_one_layer():
    name = requirements._digest(environment(), wanted("six==1.0"))
    assert requirements._digest(environment(), wanted("six==1.0", HOME="/elsewhere")) == name
    others = [
        requirements._digest(environment("b"), wanted("six==1.0")),
        requirements._digest(environment(), wanted("six==1.1")),
        requirements._digest(environment(), wanted("six==1.0", options=["--pre"])),
        requirements._digest(environment(), wanted("six==1.0", PIP_INDEX_URL="https://other")),
    ]
    assert len({name, *others}) == 5


@pytest.mark.parametrize(
    ("line", "pinned"),
    [
        ("six==1.0", True),
        ("six===1.0", True),
        ("six == 1.0 ; python_version > '3'", True),
        ("a @ https://example.com/a", True),
        ("--extra-index-url https://a", True),
        ("six", False),
        ("six>=1.0", False),
        ("six==1.*", False),
    ],
)
def test_what_is_not_pinned_is_another_layer_each_day(monkeypatch, line, pinned):
    class Later(requirements.datetime.datetime):
        @classmethod
        def now(cls, tz=None):
            return cls(2100, 1, 1, tzinfo=tz)

    today = requirements._digest(environment(), wanted(line))
    monkeypatch.setattr(requirements.datetime, "datetime", Later)
    assert (requirements._digest(environment(), wanted(line)) == today) is pinned


@pytest.mark.parametrize(
    "document",
    [
        [],
        {},
        {"options": [], "requirements": [1], "environment": {}},
        {"options": [], "requirements": ["a\nb"], "environment": {}},
    ],
)
def test_a_request_of_another_form_is_refused(document):
    with pytest.raises(ValueError, match="options, requirements and environment"):
        Wanted.read(document)


@pytest.fixture
def layers(tmp_path):
    return RequirementLayers(RedirectLauncher("a test", link=None), tmp_path / "jobs", tmp_path / "cache", 0)


def test_without_a_sandbox_jobs_keep_their_own_pip(layers):
    with layers.admitted(environment()) as key:
        assert key == ""


def test_a_job_that_has_gone_gets_nothing(layers):
    assert not layers.knows("0" * 32)
    with pytest.raises(LayerFailed):
        layers.layer("0" * 32, wanted("six"), print)


@pytest.mark.parametrize("name", ["", "..", "0" * 32, "../" + "0" * 29])
def test_only_a_layer_s_name_leads_to_an_archive(layers, name):
    with pytest.raises(FileNotFoundError):
        layers.path(name)


def test_a_new_environment_of_conda_has_layers_of_its_own():
    document = {"options": ["-U"], "requirements": ["six==1.0"], "environment": {}}
    new = Wanted.read({**document, "prefix": "/opt/conda/envs/mine"})
    assert requirements._digest(environment(), new) != requirements._digest(environment(), Wanted.read(document))
    command = new.command(Path("/bin/python"), "/r.txt")
    assert command[3:] == ["/opt/conda/envs/mine", "-m", "pip", "install", "-U", "-r", "/r.txt"]
    assert Wanted.read(document).command(Path("/bin/python"), "/r.txt")[0] == "/bin/python"


@pytest.mark.parametrize("prefix", ["/", "/opt/conda/envs/", "/opt/conda/envs/../x", "/opt/conda/envs/a b", "/usr"])
def test_a_prefix_elsewhere_is_refused(prefix):
    with pytest.raises(ValueError, match="prefix must be a folder of"):
        Wanted.read({"options": [], "requirements": [], "environment": {}, "prefix": prefix})
