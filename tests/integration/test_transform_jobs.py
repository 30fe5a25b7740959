"""Transform jobs against a real server in a real sandbox: what is sent, what is stored, what is said of failures."""

import gzip
import json

import pytest
from botocore.exceptions import ClientError

from tests.integration.emulators import until
from tests.integration.small_pipelines import BUCKET
from tests.integration.transform_desk import archive


def test_every_object_of_a_prefix_is_transformed(desk):
    desk.put("every/in/a.csv", b"1,2\n3,4\n")
    desk.put("every/in/deep/b.csv", b"5\n")
    desk.put("every/other.csv", b"9\n")
    job = desk.run("every", output={"AssembleWith": "Line", "Accept": "text/csv"})
    assert desk.keys("every/out") == ["every/out/a.csv.out", "every/out/deep/b.csv.out"]
    assert desk.get("every/out/a.csv.out") == "6\n14\n"
    assert desk.get("every/out/deep/b.csv.out") == "10\n"
    assert job["CreationTime"] <= job["TransformStartTime"] <= job["TransformEndTime"]
    assert "Containers" not in job
    assert "MaxConcurrentTransforms=1, MaxPayloadInMB=6, BatchStrategy=MULTI_RECORD" in desk.log("every")
    said = desk.log("every", "")
    assert "'SAGEMAKER_BATCH': 'true'" in said
    assert "text/csv for text/csv" in said


def test_a_manifest_names_the_objects(desk):
    for name in ("one", "two", "three"):
        desk.put(f"manifest/in/{name}.csv", b"1\n")
    desk.put("manifest/list", json.dumps([{"prefix": f"s3://{BUCKET}/manifest/in/"}, "one.csv", "two.csv"]).encode())
    desk.run("manifest", data_type="ManifestFile", key="manifest/list")
    assert desk.keys("manifest/out") == ["manifest/out/one.csv.out", "manifest/out/two.csv.out"]


def test_single_records_are_sent_one_by_one_and_answers_keep_their_order(desk):
    desk.put("single/in/a.csv", "".join(f"{n}\n" for n in range(40)).encode())
    desk.run(
        "single",
        BatchStrategy="SingleRecord",
        MaxConcurrentTransforms=4,
        output={"AssembleWith": "Line"},
    )
    assert desk.get("single/out/a.csv.out").split() == [str(2 * n) for n in range(40)]
    assert desk.log("single", "").count("request of") == 40
    assert "'SAGEMAKER_MAX_CONCURRENT_TRANSFORMS': '4'" in desk.log("single", "")


def test_as_many_records_are_sent_as_fit(desk):
    line = b"1," * 500 + b"1\n"
    desk.put("many/in/a.csv", line * 2500)
    desk.run("many", MaxPayloadInMB=1, output={"AssembleWith": "Line"})
    assert desk.get("many/out/a.csv.out") == "1002\n" * 2500
    sizes = [int(entry.split()[2]) for entry in desk.log("many", "").splitlines() if entry.startswith("request")]
    assert len(sizes) == 3
    assert max(sizes) <= 1 << 20


def test_the_container_says_how_it_wants_to_be_asked(desk):
    ask = {"MaxConcurrentTransforms": 3, "BatchStrategy": "SINGLE_RECORD", "MaxPayloadInMB": 2}
    desk.model("asking", Environment={"ASK": json.dumps(ask)})
    desk.put("asking/in/a.csv", b"1\n2\n")
    desk.run("asking", model="asking")
    assert "MaxConcurrentTransforms=3, MaxPayloadInMB=2, BatchStrategy=SINGLE_RECORD" in desk.log("asking")
    desk.put("told/in/a.csv", b"1\n2\n")
    desk.run("told", model="asking", BatchStrategy="MultiRecord")
    assert "MaxConcurrentTransforms=3, MaxPayloadInMB=2, BatchStrategy=MULTI_RECORD" in desk.log("told")


def test_an_object_that_is_not_split_goes_as_it_is(desk):
    desk.put("whole/in/a.txt.gz", gzip.compress(b"one\ntwo"))
    desk.run("whole", kind="text/plain", split="None", given={"CompressionType": "Gzip"})
    assert desk.get("whole/out/a.txt.gz.out") == "ONE\nTWO"


def test_an_object_of_any_bytes_is_one_request(desk):
    desk.put("binary/in/a.parquet", bytes(range(256)) * (7 << 12))
    desk.run("binary", kind="application/octet-stream", split="None", MaxPayloadInMB=0)
    assert desk.get("binary/out/a.parquet.out") == f"{7 << 20};"
    reason = desk.fail("binary-6", key="binary/in/", kind="application/octet-stream", split="None")
    assert reason == "ClientError: See job logs for more information"
    assert "the object is larger than MaxPayloadInMB, 6, and SplitType is None" in desk.log("binary-6")


def test_rows_are_filtered_joined_and_filtered_again(desk):
    desk.put("joined/in/a.csv", b'id-1,"a, b",1,2\nid-2,c,3,4\n')
    desk.run(
        "joined",
        output={"AssembleWith": "Line", "Accept": "text/csv"},
        DataProcessing={"InputFilter": "$[2:]", "JoinSource": "Input", "OutputFilter": "$[0,1,-1]"},
    )
    assert desk.get("joined/out/a.csv.out") == 'id-1,"a, b",6\nid-2,c,14\n'


def test_json_lines_are_joined_as_objects(desk):
    desk.put("lines/in/a.jsonl", b'{"id": 1, "features": [1, 2]}\n{"id": 2, "features": [3]}\n')
    desk.run(
        "lines",
        kind="application/jsonlines",
        DataProcessing={
            "InputFilter": "$.features",
            "JoinSource": "Input",
            "OutputFilter": "$['id','SageMakerOutput']",
        },
    )
    rows = [json.loads(line) for line in desk.get("lines/out/a.jsonl.out").splitlines()]
    assert rows == [
        {"id": 1, "SageMakerOutput": {"score": 6.0}},
        {"id": 2, "SageMakerOutput": {"score": 6.0}},
    ]


def test_one_bad_object_fails_the_job_and_the_others_are_stored(desk):
    desk.put("partly/in/a.csv", b"1\n")
    desk.put("partly/in/b.csv", b"bad\n")
    desk.put("partly/in/c.csv", b"2\n")
    assert desk.fail("partly") == "ClientError: See job logs for more information"
    assert desk.keys("partly/out") == ["partly/out/a.csv.out", "partly/out/c.csv.out"]
    log = desk.log("partly")
    assert f"[sagemaker logs]: {BUCKET}/partly/in/b.csv: ClientError: 400" in log
    assert "partly/in/b.csv: what is bad?" in log


@pytest.mark.parametrize("record", ["boom", "die"])
def test_a_server_that_breaks_is_the_algorithms_fault(desk, record):
    desk.put(f"{record}/in/a.csv", f"{record}\n".encode())
    reason = desk.fail(record, ModelClientConfig={"InvocationsMaxRetries": 0})
    assert reason == "AlgorithmError: See job logs for more information"
    assert desk.keys(f"{record}/out") == []


def test_a_server_that_never_comes_up(desk):
    desk.model("never", Environment={"NEVER": "1"})
    desk.put("never/in/a.csv", b"1\n")
    assert desk.fail("never", model="never") == "AlgorithmError: See job logs for more information"
    assert "no model, no server" in desk.log("never", "")


def test_an_answer_that_takes_too_long(desk):
    desk.put("late/in/a.csv", b"slow\n")
    config = {"InvocationsTimeoutInSeconds": 1, "InvocationsMaxRetries": 0}
    assert desk.fail("late", ModelClientConfig=config) == "AlgorithmError: See job logs for more information"
    assert "Unable to get response from algorithm" in desk.log("late")


def test_a_prefix_without_objects(desk):
    assert desk.fail("empty").startswith("ClientError: No S3 objects found under S3 URL")


@pytest.mark.parametrize(
    ("name", "data"),
    [("escape", archive(__weight=b"2")), ("cut", archive(weight=b"2")[:-20]), ("none", b"text")],
    ids=["escape", "cut", "none"],
)
def test_a_model_archive_that_cannot_be_unpacked(desk, name, data):
    desk.put(f"archives/{name}.tar.gz", data)
    desk.model(f"archive-{name}", f"archives/{name}.tar.gz")
    desk.put(f"archive-{name}/in/a.csv", b"1\n")
    reason = desk.fail(f"archive-{name}", model=f"archive-{name}")
    assert reason.startswith("ClientError: Failed to extract model data archive from URL")


def test_two_jobs_serve_at_the_same_time(desk):
    for name in ("first", "second"):
        desk.put(f"{name}/in/a.csv", b"slow\n")
        desk.start(name)
    until(lambda: all("request of" in _log_or_nothing(desk, name) for name in ("first", "second")), 20)
    for name in ("first", "second"):
        desk.sagemaker.stop_transform_job(TransformJobName=name)
        assert desk.ended(name)["TransformJobStatus"] == "Stopped"
    listed = desk.sagemaker.list_transform_jobs(StatusEquals="Stopped", NameContains="s", SortBy="Name")
    assert [job["TransformJobName"] for job in listed["TransformJobSummaries"]] == ["first", "second"]


def _log_or_nothing(desk, name):
    try:
        return desk.log(name, "")
    except (ClientError, StopIteration):
        return ""


def test_a_model_is_not_there(desk):
    with pytest.raises(ClientError, match='Could not find model "arn:aws:sagemaker:us-east-1:123456789012:model/no"'):
        desk.start("lost", model="no")


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"MaxPayloadInMB": 60, "MaxConcurrentTransforms": 2}, "must not be greater than 100"),
        ({"DataProcessing": {"InputFilter": "$..a"}}, "is not supported from"),
        ({"DataProcessing": {"JoinSource": "Input"}, "kind": "image/png"}, "not on image/png"),
        (
            {"split": "RecordIO", "DataProcessing": {"JoinSource": "Input"}},
            "DataProcessing: SplitType RecordIO is not supported",
        ),
        ({"split": "None", "DataProcessing": {"JoinSource": "Input"}}, "for text/csv, SplitType must be Line"),
    ],
)
def test_a_job_that_cannot_be_is_refused(desk, members, message):
    with pytest.raises(ClientError, match=message):
        desk.start("refused", **members)
