"""Makes models and transform jobs on an emulator, and reads what came of them."""

import io
import tarfile

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

    def log_of(self, name, part):
        """The log of the program whose stream has ``part`` in its name."""
        group = "/aws/sagemaker/TransformJobs"
        streams = self.logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{name}/")["logStreams"]
        names = [stream["logStreamName"] for stream in streams]
        (chosen,) = (name for name in names if part in name and not name.endswith("/data-log"))
        events = self.logs.get_log_events(logGroupName=group, logStreamName=chosen, startFromHead=True)["events"]
        return "\n".join(event["message"] for event in events)
