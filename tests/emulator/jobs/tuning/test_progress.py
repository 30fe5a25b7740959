from emulator.jobs.training import KIND
from emulator.jobs.tuning.progress import Progress
from tests.emulator.jobs.test_hosts import instances, on
from tests.emulator.jobs.world import SCOPE


def test_an_objective_may_be_reported_by_any_host(world):
    script = f"if {on('algo-2')}; then echo 'loss=3;'; sleep 0.1; echo 'loss=2;'; else echo 'loss: soon'; fi"
    world.training("reporting", script, **instances(2))
    world.trained("reporting")
    progress = Progress(world.logs, "loss=(.*?);")
    job = world.resources.get(SCOPE, KIND, "reporting")
    progress.update(job)
    assert progress.series == [3.0, 2.0]
    progress.update(job)
    assert progress.series == [3.0, 2.0], "what was read is not read again"
