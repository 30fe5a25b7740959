# ruff: noqa: E501 - tables of cases are easier to read unbroken
import pytest

from emulator.images.dockerfile import read_dockerfile
from emulator.images.errors import DockerfileError


@pytest.fixture
def read(tmp_path):
    """Read a Dockerfile of the given text, in a context with a few files."""
    for name in ("requirements.txt", "train.py", "serve.py", "program/main.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")

    def read(text, start="FROM python:3.11\n"):
        (tmp_path / "Dockerfile").write_text(start + text)
        return read_dockerfile(tmp_path / "Dockerfile", "/base/bin")

    return read


def copies(file):
    return [(copy.source.relative_to(file.context).as_posix(), copy.target) for copy in file.copies]


def test_a_whole_one(read):
    file = read(
        """# syntax=docker/dockerfile:1
        # what training needs
        FROM python:3.11-slim AS base
        LABEL preload="pandas sklearn.metrics" maintainer=me
        ENV PYTHONUNBUFFERED=1 \\
            # in between
            PATH="/opt/program:${PATH}"

        COPY requirements.txt /opt/
        RUN pip install --no-cache-dir -r /opt/requirements.txt
        WORKDIR /opt/program
        COPY program .
        EXPOSE 8080
        ENTRYPOINT ["python3", "main.py"]
        CMD ["serve"]
        """,
        start="",
    )
    assert file.base == "python:3.11-slim"
    assert file.labels == {"preload": "pandas sklearn.metrics", "maintainer": "me"}
    assert file.env == {"PATH": "/opt/program:/base/bin", "PYTHONUNBUFFERED": "1"}
    assert copies(file) == [("requirements.txt", "/opt/requirements.txt"), ("program", "/opt/program")]
    assert [path.name for install in file.installs for path in install.files] == ["requirements.txt"]
    assert (file.workdir, file.entrypoint, file.cmd) == ("/opt/program", ["python3", "main.py"], ["serve"])


@pytest.mark.parametrize(
    ("text", "files", "specifiers"),
    [
        ("pip install -r r.txt", 1, []),
        ("pip3 install --no-cache-dir --requirement r.txt", 1, []),
        ("pip install -rr.txt", 1, []),
        ("pip install --requirement=r.txt --quiet", 1, []),
        ("python -m pip install -U -r r.txt", 1, []),
        ("python3 -m pip install --progress-bar off -r r.txt", 1, []),
        ("pip install --upgrade pip && pip install -r r.txt", 1, []),
        (
            "pip install --upgrade pip && \\\n    pip install --no-cache-dir -r r.txt && \\\n    pip install six",
            1,
            ["six"],
        ),
        ("pip install 'pandas>=2,<4' \"six==1.17.0\"", 0, ["pandas>=2,<4", "six==1.17.0"]),
        ('["pip", "install", "-r", "r.txt"]', 1, []),
        ("pip install -r $FILE", 1, []),
    ],
)
def test_pip_install(read, text, files, specifiers):
    file = read(f"ENV FILE=r.txt\nWORKDIR /w\nCOPY requirements.txt r.txt\nRUN {text}\n")
    assert sum(len(install.files) for install in file.installs) == files
    assert [specifier for install in file.installs for specifier in install.specifiers] == specifiers


def test_pip_installs_follow_each_other_with_the_options_that_decide(read):
    file = read(
        "RUN pip install --no-deps --index-url https://a torch==2 && pip install -f=/w --pre six\nRUN pip install b\n"
    )
    seen = [(install.options, install.specifiers) for install in file.installs]
    assert seen == [
        (["--no-deps", "--index-url", "https://a"], ["torch==2"]),
        (["-f=/w", "--pre"], ["six"]),
        ([], ["b"]),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("COPY train.py /opt/train", [("train.py", "/opt/train")]),
        ("COPY train.py /opt/", [("train.py", "/opt/train.py")]),
        ("COPY train.py .", [("train.py", "/w/train.py")]),
        ("COPY train.py /w", [("train.py", "/w/train.py")]),
        ("COPY program /opt/program/", [("program", "/opt/program")]),
        ("COPY . /opt/all", [(".", "/opt/all")]),
        ("COPY --chown=root:root train.py serve.py code/", [("train.py", "/w/code/train.py"), ("serve.py", "/w/code/serve.py")]),
        ('COPY ["train.py", "/opt/a b"]', [("train.py", "/opt/a b")]),
        ("COPY *.py /opt/", [("serve.py", "/opt/serve.py"), ("train.py", "/opt/train.py")]),
        ("ARG D=/opt/d\nCOPY train.py ${D}/x", [("train.py", "/opt/d/x")]),
    ],
)  # fmt: skip
def test_copy(read, text, expected):
    assert copies(read(f"WORKDIR /w\n{text}\n")) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ENV A=1 B=2", {"A": "1", "B": "2"}),
        ("ENV A the whole line", {"A": "the whole line"}),
        ('ENV A="two words"', {"A": "two words"}),
        (r"ENV A=two\ words", {"A": "two words"}),
        ("ENV A='$PATH'", {"A": "$PATH"}),
        ("ENV A=${NONE:-other} B=${PATH:+set}", {"A": "other", "B": "set"}),
        (r"ENV A=\$PATH", {"A": "$PATH"}),
        ("ENV A=1\nENV B=$A$A", {"A": "1", "B": "11"}),
        ("ARG V=5\nENV A=$V", {"A": "5"}),
        ('ENV A="it\'s" B=x', {"A": "it's", "B": "x"}),
        ('ENV A=""', {"A": ""}),
    ],
)
def test_env(read, text, expected):
    assert read(text + "\n").env == {"PATH": "/base/bin"} | expected


@pytest.mark.parametrize(
    ("text", "entrypoint", "cmd"),
    [
        ('ENTRYPOINT ["a", "b c"]', ["a", "b c"], []),
        ("ENTRYPOINT exec a $B", ["/bin/sh", "-c", "exec a $B"], []),
        ("CMD a 'b c'", [], ["/bin/sh", "-c", "a 'b c'"]),
        ('cmd ["a"]', [], ["a"]),
        ("ENTRYPOINT ['a']", ["/bin/sh", "-c", "['a']"], []),
    ],
)
def test_entrypoint_and_cmd(read, text, entrypoint, cmd):
    file = read(text + "\n")
    assert (file.entrypoint, file.cmd) == (entrypoint, cmd)


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("VOLUME /data", 2, "VOLUME"),
        ("ADD model.tar.gz /m/", 2, "unpacked"),
        ("RUN rm -rf /opt", 2, "rm -rf /opt"),
        ("\nADD http://x/y /z", 3, "ADD"),
        ("RUN apt-get update", 2, "apt-get update"),
        ("RUN pip install -r requirements.txt; rm -rf /", 2, "pip install"),
        ("RUN pip install -r requirements.txt || true", 2, "pip install"),
        ("RUN pip install --target /x -r requirements.txt", 2, "--target"),
        ("RUN pip install .", 2, "'.'"),
        ("RUN pip install -r nowhere.txt", 2, "nowhere.txt"),
        ("RUN <<EOF\npip install six\nEOF", 2, "here-documents"),
        ("COPY missing.py /", 2, "missing.py"),
        ("COPY ../secret /", 2, "../secret"),
        ("COPY --from=build a /", 2, "--from"),
        ("COPY train.py", 2, "destination"),
        ("ENV A=1 \\\n  B", 2, "NAME=value"),
        ("FROM other", 2, "second FROM"),
        ("STOPSIGNAL SIGINT", 2, "STOPSIGNAL"),
        ('SHELL ["/bin/bash", "-c"]', 2, "SHELL"),
        ("CMD a \\", 2, "backslash"),
    ],
)
def test_what_is_not_understood_is_refused_by_name_file_and_line(read, text, line, what):
    with pytest.raises(DockerfileError) as caught:
        read(text + "\n")
    assert what in str(caught.value)
    assert f"Dockerfile, line {line}:" in str(caught.value)


def test_without_from(read):
    with pytest.raises(DockerfileError, match="no FROM"):
        read("ENV A=1\n", start="")


@pytest.mark.parametrize(
    "line", ["USER 1000:1000", "HEALTHCHECK CMD curl localhost", "MAINTAINER me", "EXPOSE 8080/tcp"]
)
def test_what_changes_nothing_for_a_job(read, line):
    assert read(line) == read("")


@pytest.mark.parametrize("base", ["pytorch/pytorch:2.4", "tensorflow/tensorflow", "nvidia/cuda:12", "scratch"])
def test_an_image_with_more_than_python_is_no_base_that_is_known(read, base):
    with pytest.raises(DockerfileError, match=f"line 1: FROM {base}: what that image has"):
        read("", start=f"FROM {base}\n")


@pytest.mark.parametrize(
    "base",
    [
        "python:3.11-slim",
        "public.ecr.aws/docker/library/python:3.12",
        "debian:bookworm",
        "--platform=linux/amd64 ubuntu@sha256:1",
    ],
)
def test_images_that_have_only_python(read, base):
    assert read("", start=f"FROM {base}\n").base == base.split()[-1]


def test_an_argument_of_the_base_keeps_its_value_where_it_is_named_again(read):
    file = read(
        "ARG VERSION\nARG OTHER\nENV V=$VERSION O=$OTHER", start="ARG VERSION=3.11\nFROM python:${VERSION}-slim\n"
    )
    assert (file.base, file.env["V"], file.env["O"]) == ("python:3.11-slim", "3.11", "")


def test_files_are_added_as_they_are_copied(read):
    assert copies(read("ADD train.py program /opt/")) == copies(read("COPY train.py program /opt/"))


def test_caches_are_not_there_to_be_cleaned(read):
    file = read("RUN pip install six && rm -rf /root/.cache/pip /tmp/x && pip cache purge")
    assert [install.specifiers for install in file.installs] == [["six"]]


def test_an_empty_command_is_none(read):
    file = read("ENTRYPOINT []\nCMD []")
    assert (file.entrypoint, file.cmd) == ([], [])


def test_what_it_is_built_on_is_inherited(tmp_path, read):
    base = read('ENV A=1 B=2\nWORKDIR /opt\nRUN pip install six\nENTRYPOINT ["a"]\nCMD ["b"]')

    def inheriting(text=""):
        (tmp_path / "Dockerfile").write_text("FROM me/base:1\nENV B=3\nRUN pip install attrs\nCOPY train.py .\n" + text)
        return read_dockerfile(tmp_path / "Dockerfile", "/base/bin", {"me/base:1": base}.get)

    file = inheriting()
    assert (file.env["A"], file.env["B"], file.workdir) == ("1", "3", "/opt")
    assert [install.specifiers for install in file.installs] == [["six"], ["attrs"]]
    assert copies(file) == [("train.py", "/opt/train.py")]
    assert (file.entrypoint, file.cmd) == (["a"], ["b"])
    assert inheriting('ENTRYPOINT ["c"]').cmd == []
    assert inheriting('CMD ["d"]\nENTRYPOINT ["c"]').cmd == ["d"]
    assert len(base.installs) == 1
