import subprocess
import sys
import threading
import time
import zipfile
from pathlib import Path

import pytest

from emulator.images.virtualenv import Install, Virtualenv

pytestmark = pytest.mark.timeout(300)
REPOSITORY = Path(__file__).parents[3]


@pytest.fixture
def requirements(tmp_path):
    """A requirements file for a package of one module, found without a network."""
    (tmp_path / "wheels").mkdir()
    for name in ("tiny_thing", "other_thing"):
        with zipfile.ZipFile(tmp_path / f"wheels/{name}-1.0-py3-none-any.whl", "w") as wheel:
            info = f"{name}-1.0.dist-info"
            wheel.writestr(f"{name}.py", "value = 11")
            wheel.writestr(f"_{name}.py", "")
            wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
            wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            wheel.writestr(f"{info}/RECORD", "")
    path = tmp_path / "requirements.txt"
    path.write_text(f"--no-index\n--find-links {tmp_path / 'wheels'}\n-r more.txt\nTiny.Thing==1.0  # pinned\n")
    (tmp_path / "more.txt").write_text("other-thing\n")
    return path


def output_of(virtualenv, code):
    return subprocess.run([virtualenv.python, "-c", code], capture_output=True, text=True, check=True).stdout


def test_it_is_built_once_and_compiled(requirements, tmp_path):
    virtualenv = Virtualenv(tmp_path / "cache", [Install([requirements])])
    said = []
    virtualenv.ensure(said.append)
    assert any("Successfully installed" in line for line in said)
    assert output_of(virtualenv, "import tiny_thing, other_thing; print(tiny_thing.value)") == "11\n"
    assert virtualenv.modules() == ["tiny_thing"]
    site = next((virtualenv.folder / "lib").glob("python*/site-packages"))
    assert list(site.glob("__pycache__/tiny_thing.*.pyc"))
    said.clear()
    Virtualenv(tmp_path / "cache", [Install([requirements])]).ensure(said.append)
    assert said == []


def test_the_digest_covers_everything_that_is_installed(requirements, tmp_path):
    def digest(*specifiers):
        return Virtualenv(tmp_path, [Install([requirements], list(specifiers))]).digest

    first = digest()
    assert digest() == first
    assert digest("six") != first
    (tmp_path / "more.txt").write_text("other-thing==1.0\n")
    assert digest() != first


BUILD = "import sys; from pathlib import Path; from emulator.images.virtualenv import Install, Virtualenv; " \
    "Virtualenv(Path(sys.argv[1]), [Install([Path(sys.argv[2])])]).ensure(lambda i: print(i, flush=True))"  # fmt: skip


def builder(tmp_path, requirements):
    arguments = [sys.executable, "-c", BUILD, tmp_path / "cache", requirements]
    return subprocess.Popen(arguments, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def test_requirements_that_include_each_other_are_left_to_pip(requirements, tmp_path):
    (tmp_path / "more.txt").write_text(f"-r ../{tmp_path.name}/requirements.txt\n-r more.txt\n")
    assert Virtualenv(tmp_path, [Install([requirements])]).digest


def test_a_build_that_was_killed_is_made_anew(requirements, tmp_path):
    virtualenv = Virtualenv(tmp_path / "cache", [Install([requirements])])
    with builder(tmp_path, requirements) as killed:
        while not virtualenv.python.exists():
            time.sleep(0.02)
        killed.kill()
    assert not (virtualenv.folder / "complete.json").exists()
    (virtualenv.folder / "left-over").write_text("")
    virtualenv.ensure(lambda _: None)
    assert output_of(virtualenv, "import tiny_thing") == ""
    assert not (virtualenv.folder / "left-over").exists()


def test_two_builders_of_one_environment_build_it_once(requirements, tmp_path):
    with builder(tmp_path, requirements) as first, builder(tmp_path, requirements) as second:
        said = [process.communicate()[0] for process in (first, second)]
    assert [first.returncode, second.returncode] == [0, 0], said
    assert sum("Successfully installed" in text for text in said) == 1


def test_threads_of_one_process_build_it_once(requirements, tmp_path):
    said = []
    build = [Virtualenv(tmp_path / "cache", [Install([requirements])]) for _ in range(3)]
    threads = [threading.Thread(target=virtualenv.ensure, args=(said.append,)) for virtualenv in build]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum("Successfully installed" in line for line in said) == 1
    assert output_of(build[0], "import tiny_thing") == ""
