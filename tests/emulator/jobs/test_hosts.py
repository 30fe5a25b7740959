"""Jobs on several instances: what each host gets and knows, and what becomes of what they leave."""

import io
import tarfile
import time

import pytest

from emulator.aws.errors import ResourceLimitExceeded
from emulator.jobs.hosts import cluster, resource_config
from tests.emulator.jobs.world import BUCKET, PlainLan, channel, outputs, s3_input, s3_output, until

PREFIX = f"s3://{BUCKET}"
GROUPS = [
    {"InstanceGroupName": "loaders", "InstanceType": "ml.m5.large", "InstanceCount": 2},
    {"InstanceGroupName": "none", "InstanceType": "ml.m5.large", "InstanceCount": 0},
    {"InstanceGroupName": "trainers", "InstanceType": "ml.c5.xlarge", "InstanceCount": 1},
]


HOST = "$(grep -o 'current_host\": \"[^\"]*' $ML/input/config/resourceconfig.json | cut -d'\"' -f3)"
"""The name of the host of a Training job, in a shell script."""


def on(host):
    """A condition that holds on one host of a Training job."""
    return f"[ {HOST} = {host} ]"


def of(count):
    return {"InstanceCount": count, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 10}


def instances(count):
    """For a Training job."""
    return {"ResourceConfig": of(count)}


def nodes(count):
    """For a Processing job."""
    return {"ProcessingResources": {"ClusterConfig": of(count)}}


def members(data):
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        return {member.name: archive.extractfile(member).read().decode() for member in archive.getmembers()}


def streams(world, kind, job):
    """The lines of each host."""
    group = f"/aws/sagemaker/{kind}Jobs"
    found = world.logs.streams(world.context.scope, group, f"{job}/")
    return {
        stream.name.removeprefix(f"{job}/").rpartition("-")[0]: [e.message for e in world.logs.events(stream)]
        for stream in found
    }


def test_hosts_of_equal_instances():
    first, second = cluster(of(2))
    assert (first.name, first.index, second.name, second.index) == ("algo-1", 0, "algo-2", 1)
    assert resource_config(second) == {
        "current_host": "algo-2",
        "current_instance_type": "ml.m5.large",
        "current_group_name": "homogeneousCluster",
        "hosts": ["algo-1", "algo-2"],
        "instance_groups": [
            {
                "instance_group_name": "homogeneousCluster",
                "instance_type": "ml.m5.large",
                "hosts": ["algo-1", "algo-2"],
            }
        ],
        "network_interface_name": "eth0",
    }


def test_hosts_of_instance_groups_are_numbered_through():
    *_, last = cluster({"InstanceGroups": GROUPS})
    config = resource_config(last)
    assert (config["current_host"], config["current_instance_type"]) == ("algo-3", "ml.c5.xlarge")
    assert config["current_group_name"] == "trainers"
    assert config["hosts"] == ["algo-1", "algo-2", "algo-3"]
    assert [(group["instance_group_name"], group["hosts"]) for group in config["instance_groups"]] == [
        ("loaders", ["algo-1", "algo-2"]),
        ("trainers", ["algo-3"]),
    ]


def test_names_are_told_in_the_order_of_the_alphabet():
    told = resource_config(cluster(of(11))[-1])
    assert told["current_host"] == "algo-11"
    assert told["hosts"][:4] == ["algo-1", "algo-10", "algo-11", "algo-2"]


def test_a_channel_of_some_groups_is_there_on_their_hosts_alone_and_shared_out_among_them(world):
    for name in "abcde":
        world.put(f"in/{name}")
    script = (
        "cd $ML/input/data; ls -d * | tr '\\n' ' '; ls loaded 2>/dev/null | tr '\\n' ' ';"
        " python3 -c 'import json; print(sorted(json.load(open(\"../config/inputdataconfig.json\"))))'"
    )
    loaded = {"InstanceGroupNames": ["loaders"], "S3DataDistributionType": "ShardedByS3Key"}
    world.training(
        "groups",
        script,
        ResourceConfig={"InstanceGroups": GROUPS, "VolumeSizeInGB": 1},
        InputDataConfig=[
            channel("loaded", f"{PREFIX}/in/", **loaded),
            channel("all", f"{PREFIX}/in/", InstanceGroupNames=["loaders", "trainers"]),
        ],
    )
    world.trained("groups")
    assert {host: lines[0] for host, lines in streams(world, "Training", "groups").items()} == {
        "algo-1": "all loaded a c e ['all', 'loaded']",
        "algo-2": "all loaded b d ['all', 'loaded']",
        "algo-3": "all ['all']",
    }


def test_inputs_of_processing_are_sharded_or_replicated_and_outputs_meet_in_one_place(world):
    for name in "abc":
        world.put(f"in/{name}", name.encode())
    world.processing(
        "shards",
        "cd $ML/processing; for f in $(ls shard); do cp shard/$f out/; done; ls all | wc -w",
        ProcessingInputs=[
            s3_input("shard", f"{PREFIX}/in/", "/opt/ml/processing/shard", S3DataDistributionType="ShardedByS3Key"),
            s3_input("all", f"{PREFIX}/in/", "/opt/ml/processing/all"),
        ],
        ProcessingOutputConfig=outputs(s3_output("out", "/opt/ml/processing/out", f"{PREFIX}/out")),
        **nodes(2),
    )
    world.processed("shards")
    assert world.keys("out/") == ["out/a", "out/b", "out/c"]
    assert streams(world, "Processing", "shards") == {"algo-1": ["3"], "algo-2": ["3"]}


def test_the_models_of_all_hosts_make_one_and_the_first_hosts_files_count(world):
    script = (
        f"host={HOST}; cd $ML/model; echo $host > $host.txt; echo $host > same; mkdir sub; echo x > sub/$host;"
        " echo $host > ../output/data/$host"
    )
    world.training("merged", script, **instances(2))
    world.trained("merged")
    assert members(world.get("models/merged/output/model.tar.gz")) == {
        "algo-1.txt": "algo-1\n",
        "algo-2.txt": "algo-2\n",
        "same": "algo-1\n",
        "sub/algo-1": "x\n",
        "sub/algo-2": "x\n",
    }
    assert sorted(members(world.get("models/merged/output/output.tar.gz"))) == ["algo-1", "algo-2"]
    (line,) = streams(world, "Training", "merged")["algo-1"]
    assert line.endswith("/opt/ml/model/same of more than one host: that of the first is uploaded")


def test_a_host_that_fails_ends_the_others_and_its_reason_is_the_jobs(world):
    script = f"if {on('algo-2')}; then echo 'no rows' > $ML/output/failure; exit 3; fi; sleep 100"
    world.training("failing", script, **instances(3))
    job = world.trained("failing", "Failed")
    assert job["FailureReason"] == "AlgorithmError: no rows, exit code: 3"


def test_a_host_that_is_through_waits_for_the_others(world):
    world.training("apart", f"{on('algo-1')} || sleep 0.3; echo done > $ML/model/$$", **instances(2))
    world.trained("apart")
    assert len(members(world.get("models/apart/output/model.tar.gz"))) == 2


def test_stop_reaches_every_host(world):
    world.training("stopped", "trap 'echo bye; exit 1' TERM; echo ready; while :; do sleep 0.05; done", **instances(2))
    until(lambda: streams(world, "Training", "stopped") == {"algo-1": ["ready"], "algo-2": ["ready"]})
    world.call("StopTrainingJob", TrainingJobName="stopped")
    world.trained("stopped", "Stopped")
    ends = [lines[:2] for lines in streams(world, "Training", "stopped").values()]
    assert ends == [["ready", "bye"], ["ready", "bye"]]


def test_the_limit_of_time_reaches_every_host(world):
    stopping = {"StoppingCondition": {"MaxRuntimeInSeconds": 1}}
    world.training("long", "echo ready; sleep 100", **stopping, **instances(2))
    job = world.trained("long", "Stopped")
    assert job["SecondaryStatus"] == "MaxRuntimeExceeded"


def test_metrics_are_the_last_of_any_host(world):
    script = f"if {on('algo-1')}; then echo 'a=1;'; else sleep 0.3; echo 'a=2; b=3;'; fi"
    definitions = [{"Name": name, "Regex": f"{name}=(.*?);"} for name in "ab"]
    algorithm = {
        "TrainingImage": "123456789012.dkr.ecr.us-east-1.amazonaws.com/processing:1",
        "TrainingInputMode": "File",
        "ContainerEntrypoint": ["sh", "-c", script],
        "MetricDefinitions": definitions,
    }
    world.training("metrics", "", AlgorithmSpecification=algorithm, **instances(2))
    found = world.trained("metrics")["FinalMetricDataList"]
    assert [(metric["MetricName"], metric["Value"]) for metric in found] == [("a", 2.0), ("b", 3.0)]


def test_several_hosts_run_again_after_a_crash(world):
    script = f"echo began; [ -e {world.root}/go ] || sleep 60; echo x > $ML/model/$$"
    world.training("again", script, **instances(2))
    until(lambda: streams(world, "Training", "again") == {"algo-1": ["began"], "algo-2": ["began"]})
    world.restart()
    (world.root / "go").touch()
    world.jobs.recover()
    world.trained("again")
    assert len(members(world.get("models/again/output/model.tar.gz"))) == 2
    until(lambda: not list((world.root / "jobs").iterdir()))


def test_continuous_outputs_of_all_hosts_come_while_they_run(world):
    script = f"echo $$ > $ML/processing/out/$$; while [ ! -e {world.root}/go ]; do sleep 0.05; done"
    out = s3_output("out", "/opt/ml/processing/out", f"{PREFIX}/out", "Continuous")
    world.processing("meanwhile", script, ProcessingOutputConfig=outputs(out), **nodes(2))
    until(lambda: len(world.keys("out/")) == 2)
    (world.root / "go").touch()
    world.processed("meanwhile")


@pytest.mark.parametrize("count", [1, 2])
def test_an_input_that_is_missing_fails_the_job_before_any_host_starts(world, count):
    world.put("in/a")
    world.training("gone", "true", {"train": f"{PREFIX}/in/a"}, **instances(count))
    world.trained("gone")
    launches = len(world.launcher.launches)
    assert launches == count
    world.processing(
        "none", "true", ProcessingInputs=[s3_input("x", f"{PREFIX}/nothing/", "/opt/ml/processing/x")], **nodes(count)
    )
    assert "No S3 objects found" in world.processed("none", "Failed")["FailureReason"]
    assert len(world.launcher.launches) == launches


def test_billing_is_of_the_job_not_of_its_hosts(world):
    began = time.time()
    world.training("billed", "true", **instances(2))
    job = world.trained("billed")
    assert job["BillableTimeInSeconds"] == job["TrainingTimeInSeconds"] <= time.time() - began + 1


def test_a_launcher_that_cannot_join_hosts_has_them_refused_at_once(world, monkeypatch):
    monkeypatch.setattr(type(world.launcher), "joins_hosts", False)
    with pytest.raises(ResourceLimitExceeded, match=r"is 1 Instances.*need EMULATOR_ISOLATION=namespaces"):
        world.processing("two", "true", **nodes(2))
    world.processing("one", "true", **nodes(1))
    world.processed("one")


def test_of_a_checkpoint_that_several_hosts_have_the_last_one_written_counts(world):
    world.put("saved/step", b"0")
    wait = f"until [ -e {world.root}/go ]; do sleep 0.02; done"
    script = (
        f"cd $ML/checkpoints; cat step; if {on('algo-2')}; then echo 2 > step; else {wait}; echo 1 > step; fi; {wait}"
    )
    world.training("saving", script, CheckpointConfig={"S3Uri": f"s3://{BUCKET}/saved"}, **instances(2))
    until(lambda: world.get("saved/step") == b"2\n")
    (world.root / "go").touch()
    world.trained("saving")
    assert world.get("saved/step") == b"1\n"
    assert world.keys("saved/") == ["saved/step"]
    assert {host: lines[0][:1] for host, lines in streams(world, "Training", "saving").items()} == {
        "algo-1": "0",
        "algo-2": "0",
    }


def test_what_the_network_of_the_hosts_lacks_is_in_the_log(world, monkeypatch):
    monkeypatch.setattr(PlainLan, "shortcoming", "/dev/net/tun: Permission denied")
    world.training("lacking", "true", **instances(2))
    world.trained("lacking")
    first, *_ = streams(world, "Training", "lacking")["algo-1"]
    assert first.endswith(
        "the hosts reach each other and the emulator, but nothing else: /dev/net/tun: Permission denied"
    )
