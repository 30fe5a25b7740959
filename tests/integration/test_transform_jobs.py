"""Transform jobs against a real server in a real sandbox: what is sent, what is stored, what is said of failures."""

import gzip
import io
import json
import tarfile

import pytest
from botocore.exceptions import ClientError

from tests.integration.emulators import until
from tests.integration.small_pipelines import BUCKET, ROLE

IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/adder:1"


def archive(**files):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as made:
        for name, data in files.items():
            member = tarfile.TarInfo(name.replace("__", "../"))
            member.size = len(data)
            made.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


class Desk:
    """Makes models and transform jobs, and reads what came of them."""

    def __init__(self, emulator, runner):
        self.sagemaker, self.s3, self.logs = runner.sagemaker, runner.s3, runner.logs
        self.put("adder/model.tar.gz", archive(weight=b"2"))
        self.model("adder")

    def put(self, key, data):
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=data)

    def get(self, key):
        return self.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read().decode()

    def keys(self, prefix):
        found = self.s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])
        return [item["Key"] for item in found]

    def model(self, name, key="adder/model.tar.gz", **members):
        container = {"Image": IMAGE, "ModelDataUrl": f"s3://{BUCKET}/{key}", **members}
        self.sagemaker.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=ROLE)

    def start(self, name, *, model="adder", kind="text/csv", split="Line", data_type="S3Prefix", key=None, **members):
        source = {"S3DataType": data_type, "S3Uri": f"s3://{BUCKET}/{key or name + '/in/'}"}
        given = {"DataSource": {"S3DataSource": source}, "ContentType": kind, "SplitType": split}
        request = {
            "TransformJobName": name,
            "ModelName": model,
            "TransformInput": given | members.pop("given", {}),
            "TransformOutput": {"S3OutputPath": f"s3://{BUCKET}/{name}/out"} | members.pop("output", {}),
            "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
        }
        self.sagemaker.create_transform_job(**(request | members))

    def ended(self, name):
        def probe():
            job = self.sagemaker.describe_transform_job(TransformJobName=name)
            return job if job["TransformJobStatus"] in ("Completed", "Failed", "Stopped") else None

        return until(probe, 30, 0.02)

    def run(self, name, **members):
        self.start(name, **members)
        job = self.ended(name)
        assert job["TransformJobStatus"] == "Completed", (job.get("FailureReason"), self.log(name))
        return job

    def fail(self, name, **members):
        self.start(name, **members)
        job = self.ended(name)
        assert job["TransformJobStatus"] == "Failed"
        return job["FailureReason"]

    def log(self, name, last="data-log"):
        group = "/aws/sagemaker/TransformJobs"
        streams = self.logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{name}/")["logStreams"]
        chosen = next(s["logStreamName"] for s in streams if s["logStreamName"].endswith("/data-log") == bool(last))
        events = self.logs.get_log_events(logGroupName=group, logStreamName=chosen, startFromHead=True)["events"]
        return "\n".join(event["message"] for event in events)


@pytest.fixture(scope="module")
def desk(emulator, runner):
    return Desk(emulator, runner)


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
        ({"split": "RecordIO"}, "does not have splitting into records of RecordIO"),
    ],
)
def test_a_job_that_cannot_be_is_refused(desk, members, message):
    with pytest.raises(ClientError, match=message):
        desk.start("refused", **members)
