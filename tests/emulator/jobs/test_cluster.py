"""Jobs on several instances in real sandboxes: hosts that find each other, and libraries that train across them."""

import http.server
import json
import threading
from contextlib import contextmanager

import pytest

from tests.emulator.jobs.test_hosts import instances, members, nodes, streams
from tests.emulator.jobs.test_sandbox import PREFIX, SandboxedWorld, run_drivers, upload_drivers
from tests.emulator.jobs.world import channel, outputs, s3_output, until

DRIVEN = [channel("code", f"{PREFIX}/sdk/code"), channel("sm_drivers", f"{PREFIX}/sdk/sm_drivers")]
SHARDED = channel("train", f"{PREFIX}/train/", S3DataDistributionType="ShardedByS3Key")


@contextmanager
def sandboxed(root, **settings):
    made = SandboxedWorld(root, **settings)
    try:
        if made.launcher.isolation == "none":
            pytest.skip("namespaces are refused on this machine")
        yield made
    finally:
        made.close()


@pytest.fixture
def world(tmp_path):
    with sandboxed(tmp_path) as made:
        yield made


def finished(world, name):
    """The lines of each host of a Training job, which must have completed."""
    job = world.trained(name, ("Completed", "Failed"))
    lines = streams(world, "Training", name)
    assert job["TrainingJobStatus"] == "Completed", "\n".join(
        f"{host}: {line}" for host in lines for line in lines[host]
    )
    return lines


def test_hosts_of_a_processing_job_resolve_and_serve_each_other(world):
    script = (
        "getent hosts algo-1 algo-2; cd /opt/ml/processing/out; hostname > $(hostname);"
        " python3 -m http.server 8080 2>/dev/null & "
        " other=$(hostname | tr 12 21);"
        " fetch=\"import urllib.request; print(urllib.request.urlopen('http://$other:8080/$other').read().decode())\";"
        ' until python3 -c "$fetch" 2>/dev/null; do sleep 0.1; done; touch /tmp/fetched; cd /;'
        " peer=\"import urllib.request; urllib.request.urlopen('http://$other:8080/through')\";"
        " mv /tmp/fetched /opt/ml/processing/out/through;"
        ' until python3 -c "$peer" 2>/dev/null; do sleep 0.1; done; sleep 0.5; rm /opt/ml/processing/out/through'
    )
    out = s3_output("out", "/opt/ml/processing/out", f"{PREFIX}/out")
    world.processing("peers", script, ProcessingOutputConfig=outputs(out), **nodes(2))
    assert world.processed("peers", ("Completed", "Failed"))["ProcessingJobStatus"] == "Completed"
    for host, lines in streams(world, "Processing", "peers").items():
        assert [line.split() for line in lines[:2]] == [["198.18.0.1", "algo-1"], ["198.18.0.2", "algo-2"]]
        assert lines[2] == {"algo-1": "algo-2", "algo-2": "algo-1"}[host]
    assert world.keys("out/") == ["out/algo-1", "out/algo-2"]
    until(lambda: not list((world.root / "jobs").iterdir()))


def test_every_host_has_an_opt_ml_and_a_process_table_of_its_own(world):
    script = "hostname > /opt/ml/model/$(hostname); sleep 0.3; ls /opt/ml/model; ps -e | grep -c sleep; hostname"
    world.training("apart", script, **instances(2))
    lines = finished(world, "apart")
    assert [lines[host][0] for host in sorted(lines)] == ["algo-1", "algo-2"]
    assert [lines[host][-1] for host in ("algo-2",)] == ["algo-2"]
    assert sorted(members(world.get("models/apart/output/model.tar.gz"))) == ["algo-1", "algo-2"]


class _Emulator(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"the emulator")

    def log_message(self, *_):
        pass


@pytest.fixture
def answering_world(tmp_path):
    """A world with something that answers where its jobs are told the emulator is."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Emulator) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,)).start()
        try:
            with sandboxed(tmp_path, port=server.server_port) as made:
                yield made
        finally:
            server.shutdown()


CALL = "python3 -c 'import os, urllib.request as r; print(r.urlopen(os.environ[\"AWS_ENDPOINT_URL\"]).read().decode())'"


def test_every_host_reaches_the_emulator(answering_world):
    answering_world.training("calling", CALL, **instances(2))
    assert [lines[0] for lines in finished(answering_world, "calling").values()] == ["the emulator"] * 2


def test_with_network_isolation_hosts_reach_each_other_and_nothing_else(answering_world):
    script = f"getent hosts algo-2 && ip route 2>/dev/null | grep default; if {CALL}; then exit 1; fi"
    answering_world.training("isolated", script, EnableNetworkIsolation=True, **instances(2))
    for lines in finished(answering_world, "isolated").values():
        assert lines[0].split() == ["198.18.0.2", "algo-2"]
        assert not any(line.startswith("default") for line in lines)


def test_encryption_of_the_traffic_between_hosts_is_accepted_and_described(world):
    world.training("secret", "true", EnableInterContainerTrafficEncryption=True, **instances(2))
    finished(world, "secret")
    job = world.call("DescribeTrainingJob", TrainingJobName="secret")
    assert job["EnableInterContainerTrafficEncryption"] is True


XGBOOST = """
import json, os, pathlib, socket, time
import numpy, xgboost
from xgboost import collective
from xgboost.tracker import RabitTracker

hosts, me = json.loads(os.environ["SM_HOSTS"]), os.environ["SM_CURRENT_HOST"]
address = socket.gethostbyname(hosts[0])
if me == hosts[0]:
    tracker = RabitTracker(n_workers=len(hosts), host_ip=address, port=9099, sortby="task")
    tracker.start()
    time.sleep(0.2)  # it listens in a thread; whoever comes too early waits for two seconds and then for four
    ready = socket.create_server(("", 9100))
else:
    while socket.socket().connect_ex((hosts[0], 9100)):
        time.sleep(0.05)
rows = numpy.vstack([numpy.load(path) for path in pathlib.Path(os.environ["SM_CHANNEL_TRAIN"]).iterdir()])
with collective.CommunicatorContext(dmlc_tracker_uri=address, dmlc_tracker_port=9099, dmlc_task_id=me):
    every = collective.allreduce(numpy.array([len(rows)]), collective.Op.SUM)[0]
    matrix = xgboost.DMatrix(rows[:, 1:], rows[:, 0])
    found = {}
    model = xgboost.train(
        {"max_depth": 3, "tree_method": "hist", "nthread": 1}, matrix, 20, [(matrix, "train")], evals_result=found
    )
    print(f"rank {collective.get_rank()} of {collective.get_world_size()} has {len(rows)} of {every} rows")
    print("rmse", found["train"]["rmse"][-1])
    if collective.get_rank() == 0:
        model.save_model(os.environ["SM_MODEL_DIR"] + "/xgboost-model.json")
if me == hosts[0]:
    tracker.wait_for()
"""


def test_xgboost_trains_one_model_over_two_hosts(world, tmp_path):
    numpy = pytest.importorskip("numpy")
    xgboost = pytest.importorskip("xgboost")
    random = numpy.random.default_rng(5)
    features = random.normal(size=(4000, 4))
    rows = numpy.column_stack([features @ [3, -2, 1, 0] + features[:, 0] * features[:, 1], features])
    for number, part in enumerate(numpy.array_split(rows, 4)):
        path = tmp_path / f"{number}.npy"
        numpy.save(path, part)
        world.put(f"train/{number}.npy", path.read_bytes())
    upload_drivers(world, XGBOOST)
    run_drivers(world, "xgboost", InputDataConfig=[*DRIVEN, SHARDED], **instances(2))
    lines = finished(world, "xgboost")
    ranks = sorted(line for host in lines for line in lines[host] if line.startswith("rank "))
    assert ranks == [f"rank {rank} of 2 has 2000 of 4000 rows" for rank in (0, 1)]
    errors = {line for host in lines for line in lines[host] if line.startswith("rmse ")}
    assert len(errors) == 1, "both hosts hold the one model that they trained together"
    (saved,) = members(world.get("models/xgboost/output/model.tar.gz")).items()
    model = xgboost.Booster(model_file=bytearray(saved[1].encode()))
    predicted = model.predict(xgboost.DMatrix(rows[:, 1:]))
    error = float(numpy.sqrt(((predicted - rows[:, 0]) ** 2).mean()))
    assert error == pytest.approx(float(errors.pop().split()[1]), rel=1e-4)
    assert error < rows[:, 0].std() / 3
    assert json.loads(saved[1])["learner"]["gradient_booster"]["model"]["gbtree_model_param"]["num_trees"] == "20"
