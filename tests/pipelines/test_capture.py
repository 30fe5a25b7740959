import pytest
from botocore.awsrequest import AWSRequest
from botocore.session import Session

from pipelines.capture import Capture, OfflineError
from pipelines.environment import Environment

ENVIRONMENT = Environment("local", "123456789012", "us-east-1", "arn:aws:iam::123456789012:role/R", "own-bucket")


@pytest.fixture
def capture() -> Capture:
    return Capture(ENVIRONMENT)


@pytest.fixture
def session(capture: Capture, monkeypatch: pytest.MonkeyPatch) -> Session:
    monkeypatch.setenv("AWS_REQUEST_CHECKSUM_CALCULATION", "when_required")
    session = Session()
    session.set_credentials("offline", "offline")
    session.set_config_variable("region", "us-east-1")
    session.register("before-send", capture.answer)
    return session


def test_uploads_are_kept(session: Session, capture: Capture) -> None:
    s3 = session.create_client("s3")
    s3.put_object(Bucket="own-bucket", Key="a/b c.txt", Body=b"content")
    assert capture.uploads == {("own-bucket", "a/b c.txt"): b"content"}
    assert s3.get_object(Bucket="own-bucket", Key="a/b c.txt")["Body"].read() == b"content"
    assert s3.head_object(Bucket="own-bucket", Key="a/b c.txt")["ContentLength"] == 7
    with pytest.raises(s3.exceptions.NoSuchKey):
        s3.get_object(Bucket="own-bucket", Key="other")


def test_parts_are_joined_in_order(session: Session, capture: Capture) -> None:
    s3 = session.create_client("s3")
    where = {"Bucket": "own-bucket", "Key": "big"}
    upload = s3.create_multipart_upload(**where)["UploadId"]
    for number, part in ((2, b"two"), (1, b"one")):
        s3.upload_part(**where, UploadId=upload, PartNumber=number, Body=part)
    s3.complete_multipart_upload(**where, UploadId=upload, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": "x"}]})
    assert capture.uploads == {("own-bucket", "big"): b"onetwo"}


def test_a_second_upload_of_other_content_is_noted(session: Session, capture: Capture) -> None:
    s3 = session.create_client("s3")
    for content in (b"a", b"a"):
        s3.put_object(Bucket="own-bucket", Key="k", Body=content)
    assert not capture.overwritten
    s3.put_object(Bucket="own-bucket", Key="k", Body=b"b")
    assert capture.overwritten == {("own-bucket", "k")}


def test_what_the_sdk_asks_about_the_caller_is_answered(session: Session) -> None:
    assert session.create_client("sts").get_caller_identity()["Account"] == "123456789012"
    iam = session.create_client("iam")
    role = iam.get_role(RoleName="R")["Role"]
    assert role["Arn"] == ENVIRONMENT.role
    assert role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] == {"Service": "sagemaker.amazonaws.com"}
    results = iam.simulate_principal_policy(PolicySourceArn=role["Arn"], ActionNames=["s3:PutObject", "s3:GetObject"])
    decisions = {item["EvalActionName"]: item["EvalDecision"] for item in results["EvaluationResults"]}
    assert decisions == {"s3:PutObject": "allowed", "s3:GetObject": "allowed"}


def test_anything_else_is_refused_by_name(session: Session, capture: Capture) -> None:
    with pytest.raises(OfflineError, match="sagemaker:DescribeModel, and a build is offline"):
        session.create_client("sagemaker").describe_model(ModelName="m")
    assert capture.refused == ["sagemaker.DescribeModel"]


def test_buckets_are_found_in_host_and_path() -> None:
    capture = Capture(ENVIRONMENT)
    for url in ("https://b.s3.amazonaws.com/k%20x", "https://s3.us-east-1.amazonaws.com/b/k%20x"):
        capture.uploads.clear()
        request = AWSRequest("PUT", url, data=b"c").prepare()
        capture.answer(request, "before-send.s3.PutObject")
        assert capture.uploads == {("b", "k x"): b"c"}, url
