"""Which installs mean the same to every job, and so may be taken from an earlier one."""

import contextlib
import io
import json
import tarfile

import pytest

from emulator.images import job_pip


@pytest.fixture
def requirements(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "more.txt").write_text("six==1.17.0\n")
    (tmp_path / "r.txt").write_text(
        "# all\n-r more.txt\ntabulate \\\n  == 0.10.0  # pinned\n--extra-index-url https://a/simple\n"
    )
    return tmp_path


LINES = ["six==1.17.0", "tabulate    == 0.10.0", "--extra-index-url https://a/simple"]


@pytest.mark.parametrize(
    ("text", "options", "lines"),
    [
        ("install -r r.txt", [], LINES),
        ("install -rr.txt -U --no-cache-dir", ["-U", "--no-cache-dir"], LINES),
        ("install --requirement=r.txt", [], LINES),
        ("install six==1.17.0 tabulate[widechars]", [], ["six==1.17.0", "tabulate[widechars]"]),
        ("install -i https://i six", ["-i", "https://i"], ["six"]),
        ("install --index-url=https://i six", ["--index-url=https://i"], ["six"]),
    ],
)
def test_what_any_job_may_install(requirements, text, options, lines):
    assert job_pip.read_request(text.split()) == {"options": options, "requirements": lines}


@pytest.mark.parametrize(
    "text",
    [
        "list",
        "uninstall six",
        "install",
        "install .",
        "install ./package",
        "install -e .",
        "install /opt/ml/code/a.whl",
        "install git+https://example.com/a.git",
        "install a@file:///opt/ml/a",
        "install --target /x six",
        "install -c constraints.txt six",
        "install -f /opt/ml/wheels six",
        "install -r absent.txt",
        "install more.txt",
    ],
)
def test_what_means_something_to_this_job_only_is_left_to_pip(requirements, text):
    assert job_pip.read_request(text.split()) is None


@pytest.mark.parametrize(
    "line", ["./package", "-e .", "-c other.txt", "a @ file:///x", "${TOKEN}", "--find-links /opt/ml/x"]
)
def test_a_file_with_such_a_line_is_left_to_pip(requirements, line):
    (requirements / "r.txt").write_text(f"six\n{line}\n")
    assert job_pip.read_request(["install", "-r", "r.txt"]) is None


def test_with_packages_of_the_job_s_own_pip_is_left_alone(requirements, monkeypatch):
    monkeypatch.setenv("PIP_FIND_LINKS", "/opt/ml/input/data/wheels")
    assert job_pip.read_request(["install", "six"]) is None


def test_where_a_job_keeps_what_pip_downloads_says_nothing_of_what_it_installs(requirements, monkeypatch):
    monkeypatch.setenv("PIP_CACHE_DIR", "/opt/ml/cache/sm_remotefunction_user_dependencies_cache/pip")
    assert job_pip.read_request(["install", "six"]) == {"options": [], "requirements": ["six"]}


def test_a_layer_replaces_what_it_says_it_removes(requirements, monkeypatch):
    monkeypatch.setattr(job_pip.sys, "prefix", str(requirements))
    for name in ("lib/old-1.dist-info/RECORD", "lib/old.py", "lib/other.py"):
        (requirements / name).parent.mkdir(parents=True, exist_ok=True)
        (requirements / name).touch()
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as tar:
        removed = b"lib/old-1.dist-info/RECORD\nlib/old.py\n"
        for name, data in ((job_pip.REMOVED, removed), ("lib/old.py", b"new"), ("bin/program", b"#!")):
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    content.seek(0)
    job_pip._put(content)
    found = {str(path.relative_to(requirements)) for path in requirements.rglob("*") if path.is_file()}
    assert {"lib/old.py", "lib/other.py", "bin/program"} <= found
    assert not (requirements / "lib" / "old-1.dist-info").exists()
    assert (requirements / "lib" / "old.py").read_text() == "new"


@pytest.mark.parametrize(
    ("prefix", "sent"), [("/opt/conda/envs/mine", {"prefix": "/opt/conda/envs/mine"}), ("/usr", {})]
)
def test_errors_go_where_pip_sends_them_and_a_new_environment_is_named(monkeypatch, capsys, prefix, sent):
    bodies = []

    def call(method, url, body=None):
        bodies.append(json.loads(body))
        return contextlib.closing(io.BytesIO(b"said Collecting six\nsaid ERROR: there is none\nfailed 1\n"))

    monkeypatch.setattr(job_pip, "_call", call)
    monkeypatch.setattr(job_pip.sys, "prefix", prefix)
    assert job_pip._take("http://emulator", {"options": [], "requirements": ["six"]}) == 1
    said = capsys.readouterr()
    assert (said.out, said.err) == ("Collecting six\n", "ERROR: there is none\n")
    bodies[0].pop("environment")
    assert bodies == [{"options": [], "requirements": ["six"], **sent}]
