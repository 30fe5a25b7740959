"""Transform jobs on several instances, through several containers, and what they leave for monitoring."""

import json
import re
import struct
import time
import uuid

import pytest
from botocore.exceptions import ClientError

from tests.integration.small_pipelines import BUCKET, ROLE
from tests.integration.transform_desk import IMAGE, archive

RESOURCES = {"InstanceType": "ml.m5.large", "InstanceCount": 3}


def pipeline(desk, name, *containers, **members):
    desk.sagemaker.create_model(ModelName=name, Containers=list(containers), ExecutionRoleArn=ROLE, **members)


def adder(desk, weight, **members):
    desk.put(f"weights/{weight}.tar.gz", archive(weight=str(weight).encode()))
    return {"Image": IMAGE, "ModelDataUrl": f"s3://{BUCKET}/weights/{weight}.tar.gz", **members}


def streams(desk, name):
    group = "/aws/sagemaker/TransformJobs"
    found = desk.logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{name}/")["logStreams"]
    names = [stream["logStreamName"].partition("/")[2] for stream in found]
    assert all(re.match(r"i-[0-9a-f]{17}-\d{9,}(/|$)", name) for name in names), names
    return names


def test_several_instances_share_the_objects(desk, emulator):
    for number in range(7):
        desk.put(f"wide/in/{number}.csv", f"{number}\n".encode())
    desk.run("wide", TransformResources=RESOURCES)
    assert [desk.get(key) for key in desk.keys("wide/out/")] == [str(2 * number) for number in range(7)]
    names = streams(desk, "wide")
    instances = [name for name in names if "/" not in name]
    assert sorted(names) == sorted([*instances, *(f"{name}/data-log" for name in instances)])
    logs = [desk.log_of("wide", instance) for instance in instances]
    assert sorted(log.count("request of") for log in logs) == [2, 2, 3]
    metrics = emulator.client("cloudwatch").list_metrics(
        Namespace="/aws/sagemaker/TransformJobs", MetricName="CPUUtilization", Dimensions=[{"Name": "Host"}]
    )["Metrics"]
    hosts = [metric["Dimensions"][0]["Value"] for metric in metrics]
    assert {host for host in hosts if host.startswith("wide/")} == {
        f"wide/{instance.rpartition('-')[0]}" for instance in instances
    }


def test_more_instances_than_objects(desk):
    desk.put("few/in/a.csv", b"1\n")
    desk.run("few", TransformResources=RESOURCES)
    assert desk.keys("few/out") == ["few/out/a.csv.out"]


def test_what_one_instance_cannot_do_keeps_no_other_from_its_objects(desk):
    for number, text in enumerate(["bad", "1", "2", "3", "4", "5"]):
        desk.put(f"uneven/in/{number}.csv", f"{text}\n".encode())
    assert desk.fail("uneven", TransformResources=RESOURCES) == "ClientError: See job logs for more information"
    assert desk.keys("uneven/out") == [f"uneven/out/{number}.csv.out" for number in range(1, 6)]


def test_an_inference_pipeline_hands_each_answer_to_the_next_container(desk):
    pipeline(desk, "chain", adder(desk, 2), adder(desk, 3), adder(desk, 5, ContainerHostname="last"))
    desk.put("chain/in/a.csv", b"1,2\n3,4\n")
    desk.run("chain", model="chain", output={"AssembleWith": "Line", "Accept": "text/csv"})
    assert desk.get("chain/out/a.csv.out") == "90\n210\n"
    names = [name.partition("/")[2] for name in streams(desk, "chain")]
    assert sorted(names) == ["container-1", "container-2", "data-log", "last"]
    said = [desk.log_of("chain", name) for name in ("container-1", "container-2", "last")]
    assert [re.search(r"request of .*", log)[0] for log in said] == [
        "request of 8 bytes, text/csv for None",
        "request of 4 bytes, text/csv for None",
        "request of 5 bytes, text/csv for text/csv",
    ]


def test_a_pipeline_joins_the_records_with_the_last_answer_on_each_instance(desk):
    pipeline(desk, "chains", adder(desk, 2), adder(desk, 3))
    for number in range(3):
        desk.put(f"chains/in/{number}.csv", f"id{number},{number}\n".encode())
    processing = {"InputFilter": "$[1]", "JoinSource": "Input"}
    resources = {**RESOURCES, "InstanceCount": 2}
    desk.run("chains", model="chains", DataProcessing=processing, TransformResources=resources)
    assert [desk.get(key) for key in desk.keys("chains/out/")] == ["id0,0,0\n", "id1,1,6\n", "id2,2,12\n"]


@pytest.mark.parametrize("failing", [1, 2])
def test_a_pipeline_of_which_one_container_never_comes_up(desk, failing):
    containers = [adder(desk, 2), adder(desk, 3)]
    containers[failing - 1]["Environment"] = {"NEVER": "1"}
    pipeline(desk, f"broken-{failing}", *containers)
    desk.put(f"broken-{failing}/in/a.csv", b"1\n")
    reason = desk.fail(f"broken-{failing}", model=f"broken-{failing}")
    assert reason == "AlgorithmError: See job logs for more information"


def test_containers_that_are_called_one_by_one_have_no_batch_transform(desk):
    containers = [adder(desk, 2, ContainerHostname="one"), adder(desk, 3, ContainerHostname="two")]
    pipeline(desk, "direct", *containers, InferenceExecutionConfig={"Mode": "Direct"})
    with pytest.raises(ClientError, match="Mode Direct is not supported"):
        desk.start("direct", model="direct")


def test_a_model_of_many_models_is_refused_by_name(desk):
    desk.put("many-models/a.tar.gz", archive(weight=b"1"))
    desk.model("multi", "many-models/", Mode="MultiModel")
    with pytest.raises(ClientError, match="Multi-model containers are not supported for batch transform"):
        desk.start("multi", model="multi")


def test_a_model_that_is_not_packed(desk):
    desk.put("unpacked/model/weight", b"4")
    source = {"S3Uri": f"s3://{BUCKET}/unpacked/model/", "S3DataType": "S3Prefix", "CompressionType": "None"}
    container = {"Image": IMAGE, "ModelDataSource": {"S3DataSource": source}}
    desk.sagemaker.create_model(ModelName="unpacked", PrimaryContainer=container, ExecutionRoleArn=ROLE)
    desk.put("unpacked/in/a.csv", b"1,2\n")
    desk.run("unpacked", model="unpacked")
    assert desk.get("unpacked/out/a.csv.out") == "12"


@pytest.mark.parametrize(
    ("key", "kind", "packing"), [("plain/", "S3Prefix", "None"), ("packed.tar.gz", "S3Object", "Gzip")]
)
def test_a_model_with_additional_data(desk, key, kind, packing):
    desk.put("additional/plain/weight", b"7")
    desk.put("additional/packed.tar.gz", archive(weight=b"7"))
    source = {"S3Uri": f"s3://{BUCKET}/additional/{key}", "S3DataType": kind, "CompressionType": packing}
    environment = {"WEIGHT_FILE": "/opt/ml/additional-model-data-sources/more/weight"}
    additional = [{"ChannelName": "more", "S3DataSource": source}]
    name = f"additional-{packing.lower()}"
    desk.model(name, AdditionalModelDataSources=additional, Environment=environment)
    desk.put(f"{name}/in/a.csv", b"1,2\n")
    desk.run(name, model=name)
    assert desk.get(f"{name}/out/a.csv.out") == "21"


def recordio(content, flag=0):
    words = struct.pack("<II", 0xCED7230A, flag << 29 | len(content))
    return words + content + b"\0" * (-len(content) % 4)


def tfrecord(content):
    return struct.pack("<QI", len(content), 7) + content + struct.pack("<I", 9)


@pytest.mark.parametrize(
    ("split", "records"),
    [
        ("RecordIO", [recordio(b"one"), recordio(b"four", 1) + recordio(b"and more", 3), recordio(b"")]),
        ("TFRecord", [tfrecord(b"one"), tfrecord(b"three more")]),
    ],
)
def test_records_with_frames_are_sent_with_them(desk, split, records):
    name = split.lower()
    desk.put(f"{name}/in/a.rec", b"".join(records))
    desk.run(name, kind="application/octet-stream", split=split, BatchStrategy="SingleRecord")
    assert desk.get(f"{name}/out/a.rec.out") == "".join(f"{len(record)};" for record in records)
    desk.put(f"{name}-cut/in/a.rec", b"".join(records)[:-1])
    reason = desk.fail(f"{name}-cut", kind="application/octet-stream", split=split)
    assert reason == "ClientError: See job logs for more information"
    assert f"Failed to parse object as {split}: its last record is cut off" in desk.log(f"{name}-cut")


def test_captured_data_are_manifests_by_the_hour(desk):
    for number in range(3):
        desk.put(f"captured/in/deep/{number}.csv", f"{number}\n".encode())
    config = {"DestinationS3Uri": f"s3://{BUCKET}/capture/"}
    job = desk.run("captured", DataCaptureConfig=config, TransformResources={**RESOURCES, "InstanceCount": 2})
    assert job["DataCaptureConfig"] == config
    hour = job["CreationTime"].strftime("%Y/%m/%d/%H")
    names = [f"captured-algo-{number}.json" for number in (1, 2)]
    assert desk.keys("capture/") == [f"capture/{way}/{hour}/{name}" for way in ("input", "output") for name in names]
    read, stored = (
        [json.loads(desk.get(f"capture/{way}/{hour}/{name}")) for name in names] for way in ("input", "output")
    )
    prefix = f"s3://{BUCKET}/captured"
    assert read == [[{"prefix": f"{prefix}/in/deep/"}, "0.csv", "2.csv"], [{"prefix": f"{prefix}/in/deep/"}, "1.csv"]]
    assert stored[1] == [{"prefix": f"{prefix}/out/deep/"}, "1.csv.out"]


@pytest.mark.parametrize("kind", ["text/csv", "application/jsonlines"])
def test_answers_get_an_inference_id_and_the_time(desk, kind):
    name = f"ids-{kind.rpartition('/')[2]}"
    desk.put(f"{name}/in/a", b"[1, 2]\n[3]\n" if "json" in kind else b"1,2\n3\n")
    config = {"DestinationS3Uri": f"s3://{BUCKET}/{name}/capture", "GenerateInferenceId": True}
    began = time.strftime("%Y-%m-%dT%H:%M", time.gmtime())
    desk.run(name, kind=kind, DataCaptureConfig=config)
    lines = desk.get(f"{name}/out/a.out").splitlines()
    if "json" in kind:
        rows = [list(json.loads(line).values()) for line in lines]
        assert list(json.loads(lines[0])) == ["score", "SageMakerInferenceId", "SageMakerInferenceTime"]
    else:
        rows = [line.split(",") for line in lines]
    assert [float(row[0]) for row in rows] == [6, 6]
    assert len({uuid.UUID(row[1]) for row in rows}) == 2
    assert rows[0][2] == rows[1][2]
    assert rows[0][2] >= began
    assert rows[0][2].endswith("Z")
