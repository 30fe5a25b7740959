"""What every launcher promises, whatever it does to keep it."""

import os
import signal
import stat
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest

from .workshop import gone, processes_with


@pytest.mark.parametrize("code", [0, 1, 3, 255])
def test_exit_code(shop, code):
    assert shop.shell(f"exit {code}").exit.code == code
    assert shop.script(f"import sys; sys.exit({code})").exit.code == code


def test_a_program_that_is_not_there_ends_with_127_and_says_so(shop):
    job = shop.run(["no-such-program"])
    assert job.exit.code == 127
    assert "no-such-program" in job.text


def test_a_file_that_is_no_program_ends_with_126(shop):
    assert shop.run(["/opt/ml/data.txt"], files={"data.txt": "x"}).exit.code == 126


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM])
def test_death_by_signal(shop, number):
    for job in (shop.shell(f"kill -{int(number)} $$"), shop.script(f"import os; os.kill(os.getpid(), {int(number)})")):
        assert (job.exit.code, job.exit.signal, job.exit.out_of_memory) == (128 + number, number, False)


def test_output_comes_while_the_job_runs(shop):
    job = shop.start(["/bin/sh", "-c", "echo first; echo second >&2; while [ ! -e /opt/ml/go ]; do sleep 0.02; done"])
    job.wait_for(b"first\nsecond\n")
    assert job.process.wait(0) is None
    (job.ml / "go").touch()
    assert job.end().code == 0


def test_all_output_is_there_when_wait_returns(shop):
    job = shop.script("import sys\nfor n in range(50_000): print(n)\nprint('end', file=sys.stderr)")
    assert job.text.splitlines() == [str(n) for n in range(50_000)] + ["end"] or job.text.count("\n") == 50_001
    assert sorted(job.text.split()) == sorted([str(n) for n in range(50_000)] + ["end"])


def test_a_gigabyte_of_output_is_cheap_and_complete(shop):
    counted = [0]

    def count(data):
        counted[0] += len(data)

    before = time.process_time()
    assert shop.run(["/bin/sh", "-c", "head -c 1G /dev/zero"], output=count).exit.code == 0
    assert counted[0] == 1 << 30
    assert time.process_time() - before < 5


def test_output_of_any_bytes(shop):
    assert shop.run(["printf", r"\377\000\200\n"]).output == b"\xff\x00\x80\n"


def test_output_that_cannot_be_kept_ends_the_job_with_that_error(shop):
    def refuse(data):
        raise OSError(28, "No space left on device")

    job = shop.start(["/bin/sh", "-c", "yes"], output=refuse)
    with pytest.raises(OSError, match="No space left"):
        job.end()


def test_opt_ml_is_the_folder_of_the_job(shop):
    job = shop.shell("cat /opt/ml/input/config.json && mkdir -p /opt/ml/model && echo fit > /opt/ml/model/m.txt",
                     files={"input/config.json": "{}"})  # fmt: skip
    assert job.text == "{}"
    assert (job.ml / "model/m.txt").read_text() == "fit\n"
    assert (job.ml / "model/m.txt").stat().st_uid == os.getuid()


def test_inputs_are_writable_and_their_source_stays_as_it_is(shop, tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    (source / "data.csv").write_text("1,2\n")
    (source / "data.csv").chmod(0o444)
    (source / "gone.csv").write_text("3\n")
    text = "cd /opt/ml/input/data/train; cat *; chmod +w data.csv; echo 9 >> data.csv; rm gone.csv; touch new; ls"
    job = shop.shell(text, mounts={"/opt/ml/input/data/train": source})
    assert job.text == "1,2\n3\ndata.csv\nnew\n"
    assert sorted(path.name for path in source.iterdir()) == ["data.csv", "gone.csv"]
    assert (source / "data.csv").read_text() == "1,2\n"
    assert stat.S_IMODE((source / "data.csv").stat().st_mode) == 0o444


def test_an_output_folder_inside_an_input_folder_is_found(shop, tmp_path):
    (tmp_path / "source").mkdir()
    (tmp_path / "source/a").write_text("a")
    job = shop.shell(
        "cd /opt/ml/processing && rm a && echo done > output/result",
        mounts={"/opt/ml/processing": tmp_path / "source"},
        files={"processing/output/.keep": ""},
    )
    assert job.exit.code == 0, job.text
    assert (job.ml / "processing/output/result").read_text() == "done\n"
    assert not (job.ml / "processing/a").exists()


def test_a_mount_outside_opt_ml(shop, tmp_path):
    (tmp_path / "source").mkdir()
    (tmp_path / "source/a").write_text("there")
    assert shop.shell("cat /data/in/a", mounts={"/data/in": tmp_path / "source"}).text == "there"


def test_unicode_and_awkward_names(shop, tmp_path):
    source = tmp_path / "weird:name, with\\all"
    source.mkdir()
    (source / "données ☃.csv").write_text("é")
    text = "import pathlib; print([(p.name, p.read_text()) for p in pathlib.Path('/opt/ml/in put').iterdir()])"
    job = shop.script(text, mounts={"/opt/ml/in put": source}, env={"PYTHONIOENCODING": "utf-8"})
    assert job.text == "[('données ☃.csv', 'é')]\n"


def test_environment_is_the_launchs_own(shop, monkeypatch):
    monkeypatch.setenv("A_SECRET_OF_THE_HOST", "hidden")
    job = shop.script(
        "import os; print(os.environ.get('A_SECRET_OF_THE_HOST'), os.environ['SM_X'])", env={"SM_X": "ü\n="}
    )
    assert job.text == "None ü\n=\n"


def test_a_large_environment_and_many_arguments(shop):
    env = {f"SM_HP_{n}": "v" * 1000 for n in range(100)}
    arguments = [f"--argument-{n}" for n in range(2000)]
    job = shop.script("import os, sys; print(len(sys.argv), sum(k.startswith('SM_HP_') for k in os.environ))",
                      *arguments, env=env)  # fmt: skip
    assert job.text == "2001 100\n"


def test_jobs_one_after_another_share_nothing_but_the_image(shop):
    shop.shell("echo x > /opt/ml/left; echo x > /tmp/left-by-a-test; true")
    assert shop.shell("ls /opt/ml").text == ""
    Path("/tmp/left-by-a-test").unlink(missing_ok=True)


def test_terminate_lets_the_program_end_in_its_own_way(shop):
    text = """
        import os, signal, sys, time
        def stop(*_):
            os.write(1, b"saving\\n")
            sys.exit(5)
        signal.signal(signal.SIGTERM, stop)
        os.write(1, b"ready\\n")
        time.sleep(60)
    """
    job = shop.start(["python3", "/opt/ml/s.py"], files={"s.py": textwrap.dedent(text)})
    job.wait_for(b"ready")
    job.process.terminate()
    assert job.end().code == 5
    assert job.text == "ready\nsaving\n"


def test_terminate_ends_a_program_that_does_not_mind(shop):
    job = shop.start(["/bin/sh", "-c", "echo ready; exec sleep 60"])
    job.wait_for(b"ready")
    job.process.terminate()
    assert job.end().signal == signal.SIGTERM


def test_kill_ends_everything_whatever_it_ignores(shop):
    mark = f"31{os.getpid()}.25"
    job = shop.start(
        ["/bin/sh", "-c", f"trap '' TERM; (trap '' TERM; setsid sleep {mark} & sleep {mark}) & echo ready; wait"]
    )
    job.wait_for(b"ready")
    job.process.terminate()
    assert job.process.wait(0.2) is None
    job.process.kill()
    assert job.end().signal == signal.SIGKILL
    assert gone(mark)


def test_what_a_job_leaves_behind_dies_with_it(shop):
    mark = f"32{os.getpid()}.25"
    job = shop.shell(f"setsid sleep {mark} >/dev/null 2>&1 & (sleep {mark} &) & sleep 0.1; echo ended")
    assert job.exit.code == 0
    assert processes_with(mark) == []


def test_wait_does_not_wait_longer_than_told(shop):
    job = shop.start(["/bin/sh", "-c", "sleep 60"])
    before = time.monotonic()
    assert job.process.wait(0.1) is None
    assert time.monotonic() - before < 2
    job.process.kill()
    assert job.end().code == 137


def test_terminate_and_kill_after_the_end_do_nothing(shop):
    job = shop.shell("true")
    job.process.terminate()
    job.process.kill()
    assert job.process.wait(0) == job.exit


def test_memory_over_the_limit_ends_the_job_and_is_told_apart(shop):
    job = shop.script("import time; held = bytearray(400 << 20); time.sleep(30)", memory=250 << 20)
    assert (job.exit.code, job.exit.signal, job.exit.out_of_memory) == (137, signal.SIGKILL, True)


def test_memory_counts_all_processes_together(shop):
    text = """
        import subprocess, sys, time
        hold = "held = bytearray(120 << 20); import time; time.sleep(30)"
        children = [subprocess.Popen([sys.executable, "-c", hold]) for _ in range(3)]
        time.sleep(30)
    """
    assert shop.script(textwrap.dedent(text), memory=300 << 20).exit.out_of_memory


def test_memory_within_the_limit_is_left_alone(shop):
    job = shop.script("import time; held = bytearray(100 << 20); time.sleep(0.5)", memory=600 << 20)
    assert (job.exit.code, job.exit.out_of_memory) == (0, False)


def test_reading_files_is_not_memory(shop):
    text = """
        import mmap, time
        open("/opt/ml/big", "wb").write(bytes(300 << 20))
        with open("/opt/ml/big", "rb") as file:
            view = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
            total = sum(view[n] for n in range(0, len(view), 4096))
            time.sleep(0.5)
    """
    assert shop.script(textwrap.dedent(text), memory=250 << 20).exit.code == 0


def test_threads_and_processes_of_python(shop):
    text = """
        import concurrent.futures, multiprocessing, subprocess, sys, threading
        def square(n): return n * n
        if __name__ == "__main__":
            for method in ("fork", "spawn", "forkserver"):
                with multiprocessing.get_context(method).Pool(2) as pool:
                    print(method, pool.map(square, range(5)))
            with concurrent.futures.ThreadPoolExecutor(4) as threads:
                print(sum(threads.map(square, range(100))))
            threading.Thread(target=lambda: print("thread")).start()
            print(subprocess.run([sys.executable, "-c", "print(6 * 7)"], capture_output=True, text=True).stdout.strip())
    """
    job = shop.script(textwrap.dedent(text))
    assert job.exit.code == 0, job.text
    expected = [f"{method} [0, 1, 4, 9, 16]" for method in ("fork", "spawn", "forkserver")] + ["328350", "42", "thread"]
    assert sorted(job.text.splitlines()) == sorted(expected)


def test_a_deep_tree_of_processes(shop):
    text = """
        import subprocess, sys
        depth = int(sys.argv[1])
        if depth:
            sys.exit(subprocess.run([sys.executable, __file__, str(depth - 1)]).returncode + 1)
        print("bottom")
    """
    job = shop.script(textwrap.dedent(text), "6")
    assert (job.exit.code, job.text) == (6, "bottom\n")


def test_xgboost_with_threads(shop):
    text = """
        import numpy, xgboost
        x = numpy.random.default_rng(0).normal(size=(2000, 5)); y = (x[:, 0] > 0).astype(int)
        model = xgboost.train({"objective": "binary:logistic", "nthread": 2}, xgboost.DMatrix(x, y), 10)
        print(((model.predict(xgboost.DMatrix(x)) > 0.5) == y).mean() > 0.95)
    """
    assert shop.script(textwrap.dedent(text)).text == "True\n"


def test_random_numbers_differ_between_jobs(shop):
    text = "import random, numpy; print(random.random(), numpy.random.rand())"
    drawn = [value for _ in range(3) for value in shop.script(text).text.split()]
    assert len(set(drawn)) == 6


def test_launching_from_many_threads(shop):
    jobs, errors = [], []

    def launch(number):
        try:
            jobs.append((number, shop.script(f"print({number})").text))
        except BaseException as error:
            errors.append(error)
            raise

    threads = [threading.Thread(target=launch, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not errors
    assert sorted(jobs) == [(number, f"{number}\n") for number in range(8)]


def test_files_are_not_left_open(shop):
    def count():
        return len(list(Path("/proc/self/fd").iterdir()))

    shop.shell("true")
    time.sleep(0.2)
    before = count()
    for _ in range(5):
        shop.shell("true")
    deadline = time.monotonic() + 10  # folders are removed aside
    while count() > before:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_job_that_waits_for_input_finds_none(shop):
    assert shop.script("import sys; print(repr(sys.stdin.read()))").text == "''\n"


EMULATOR = """
import sys, time
from pathlib import Path
from tests.emulator.launchers.workshop import Workshop, environment_of, make_launcher
folder = Path(sys.argv[2])
launcher = make_launcher(sys.argv[1], folder / "m")
shop = Workshop(launcher, folder, environment_of(launcher))
mark = sys.argv[3]
job = shop.start(["/bin/sh", "-c", f"setsid sleep {mark} & (sleep {mark} &); python3 -c 'import time; time.sleep({mark})' & echo ready; wait"])
job.wait_for(b"ready")
time.sleep(0.3)
print("running", flush=True)
time.sleep(60)
"""  # noqa: E501


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_when_the_emulator_dies_nothing_of_it_is_left(shop, tmp_path, number):
    mark = f"{int(number)}{os.getpid()}.5"
    arguments = [sys.executable, "-c", EMULATOR, shop.launcher.name, str(tmp_path), mark]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, cwd=Path(__file__).parents[3]) as emulator:
        assert emulator.stdout.readline() == b"running\n"
        assert len(processes_with(mark)) >= 3
        emulator.send_signal(number)
        emulator.wait()
    assert gone(mark), processes_with(mark)
    assert gone(str(tmp_path))
