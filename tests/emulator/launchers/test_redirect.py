"""What is particular to jobs without a sandbox; what they share with the others is in test_contract."""

import threading
import time
from pathlib import Path

import pytest

from emulator.images import Environment
from emulator.launchers import LaunchError
from emulator.launchers.redirect import RedirectLauncher

from .workshop import Workshop, environment_of_tests


def workshop(tmp_path, link=None, **changes):
    return Workshop(RedirectLauncher("a test", link), tmp_path / "jobs", environment_of_tests(**changes))


def test_it_says_plainly_that_there_is_no_isolation():
    assert "isolation: none (because)" in RedirectLauncher("because", None).description
    assert RedirectLauncher("because", None).isolation == "none"


def test_one_job_at_a_time(tmp_path):
    shop = workshop(tmp_path)
    first = shop.start(["/bin/sh", "-c", "echo ready; sleep 30"])
    first.wait_for(b"ready")
    seconds = []
    thread = threading.Thread(target=lambda: seconds.append(shop.shell("echo second").text))
    thread.start()
    time.sleep(0.2)
    assert seconds == []
    first.process.kill()
    thread.join(20)
    assert seconds == ["second\n"]


def test_a_link_leads_to_the_job_that_runs_and_is_gone_afterwards(tmp_path):
    link = tmp_path / "opt-ml"
    shop = workshop(tmp_path, link)
    assert "symbolic link" in shop.launcher.description
    for number in range(2):
        job = shop.shell(f"cat {link}/number; echo out > {link}/made", files={"number": str(number)})
        assert job.text == str(number)
        assert (job.ml / "made").read_text() == "out\n"
    assert not link.is_symlink()


def test_a_link_left_by_an_emulator_that_was_killed_is_replaced(tmp_path):
    link = tmp_path / "opt-ml"
    link.symlink_to(tmp_path / "gone")
    assert workshop(tmp_path, link).shell(f"ls -d {link}/.").exit.code == 0


def test_a_real_folder_is_never_replaced(tmp_path):
    (tmp_path / "opt-ml").mkdir()
    launcher = RedirectLauncher("a test", tmp_path / "opt-ml")
    assert "symbolic link" not in launcher.description


def test_configuration_and_environment_lead_to_the_jobs_folder(tmp_path):
    shop = workshop(tmp_path)
    job = shop.shell(
        'cat /opt/ml/config.json; echo " $SM_MODEL_DIR"; echo $TMPDIR; echo $HOME',
        files={"config.json": '"/opt/ml/x"'},
        env={"SM_MODEL_DIR": "/opt/ml/model"},
    )
    ml = job.ml
    paths, temporary, home = job.text.splitlines()
    assert (paths, home) == (f'"{ml}/x" {ml}/model', f"{job.directory}/home")
    assert len(temporary) < 60, "a socket's path has to fit below it"
    assert not Path(temporary).exists()


def test_files_of_the_image_are_found(tmp_path):
    (tmp_path / "main.sh").write_text("echo main\n")
    shop = workshop(tmp_path, files=[(tmp_path / "main.sh", "/opt/program/main.sh")], workdir="/opt/program")
    assert shop.run(["/bin/sh", "/opt/program/main.sh"]).text == "main\n"


def test_a_job_that_cannot_be_prepared_lets_the_next_one_in(tmp_path):
    shop = workshop(tmp_path)
    with pytest.raises(LaunchError, match="nothing-here"):
        shop.shell("true", mounts={"/opt/ml/in": tmp_path / "nothing-here"})
    assert shop.shell("echo next").text == "next\n"


def test_close_ends_what_runs(tmp_path):
    shop = workshop(tmp_path)
    job = shop.start(["/bin/sh", "-c", "sleep 60"])
    shop.launcher.close()
    assert job.end().code == 137


def test_there_is_nothing_to_warm_up(tmp_path):
    before = threading.active_count()
    workshop(tmp_path).launcher.warm_up(Environment("x", tmp_path, tmp_path))
    assert threading.active_count() == before
