import time

import pytest

from emulator.aws.errors import AwsError, NotImplementedHere
from emulator.services.log_patterns import compile_pattern
from tests.emulator.jobs.world import SCOPE, World

GROUP = "/aws/sagemaker/ProcessingJobs"


@pytest.fixture
def world(tmp_path):
    made = World(tmp_path)
    yield made
    made.close()


def call(world, operation, **request):
    return world.call(operation, "logs", **request)


def write(world, stream, *lines, start=1000):
    writer = world.logs.writer(SCOPE, GROUP, stream)
    for number, line in enumerate(lines):
        writer.write(f"{line}\n".encode(), start + number)
    writer.close()


def texts(answer):
    return [event["message"] for event in answer["events"]]


def test_a_missing_group_is_told_as_aws_does(world):
    for operation, more in (
        ("DescribeLogStreams", {}),
        ("FilterLogEvents", {}),
        ("GetLogEvents", {"logStreamName": "s"}),
    ):
        with pytest.raises(AwsError, match=r"^The specified log group does not exist\.$") as caught:
            call(world, operation, logGroupName="/none", **more)
        assert caught.value.code == "ResourceNotFoundException"
        assert caught.value.status == 400


def test_reading_forward_ends_with_the_same_token(world):
    write(world, "job/1", *(f"line {n}" for n in range(5)))
    seen, token = [], {}
    for _ in range(4):
        answer = call(
            world, "GetLogEvents", logGroupName=GROUP, logStreamName="job/1", startFromHead=True, limit=2, **token
        )
        seen += texts(answer)
        previous, token = token, {"nextToken": answer["nextForwardToken"]}
    assert seen == [f"line {n}" for n in range(5)]
    assert token == previous
    assert token["nextToken"].startswith("f/")


def test_without_a_direction_the_last_events_come(world):
    write(world, "job/1", *(f"line {n}" for n in range(5)))
    last = call(world, "GetLogEvents", logGroupName=GROUP, logStreamName="job/1", limit=2)
    assert texts(last) == ["line 3", "line 4"]
    before = call(
        world, "GetLogEvents", logGroupName=GROUP, logStreamName="job/1", limit=2, nextToken=last["nextBackwardToken"]
    )
    assert texts(before) == ["line 1", "line 2"]
    again = call(world, "GetLogEvents", logGroupName=GROUP, logStreamName="job/1", nextToken=before["nextForwardToken"])
    assert texts(again) == ["line 3", "line 4"]


def test_events_are_cut_by_time_and_by_bytes(world):
    write(world, "job/1", *("x" * 200_000 for _ in range(9)))
    request = {"logGroupName": GROUP, "logStreamName": "job/1", "startFromHead": True}
    assert len(call(world, "GetLogEvents", **request)["events"]) == 5
    cut = call(world, "GetLogEvents", **request, startTime=1002, endTime=1004)
    assert [event["timestamp"] for event in cut["events"]] == [1002, 1003]


def test_events_too_old_and_too_new_are_refused_by_their_places(world):
    now, hour = int(time.time() * 1000), 3_600_000
    call(world, "CreateLogGroup", logGroupName="/mine")
    call(world, "CreateLogStream", logGroupName="/mine", logStreamName="s")

    def put(*hours):
        events = [{"timestamp": now + each * hour, "message": str(each)} for each in hours]
        return call(world, "PutLogEvents", logGroupName="/mine", logStreamName="s", logEvents=events)

    edge = -14 * 24
    assert put(edge - 2, edge - 1, edge + 1)["rejectedLogEventsInfo"] == {"tooOldLogEventEndIndex": 2}
    assert put(0, 1, 3)["rejectedLogEventsInfo"] == {"tooNewLogEventStartIndex": 2}
    assert put(1).get("rejectedLogEventsInfo") is None
    assert texts(call(world, "GetLogEvents", logGroupName="/mine", logStreamName="s")) == [str(edge + 1), "0", "1", "1"]
    with pytest.raises(AwsError, match="more than 24 hours"):
        put(-25, 0)


def test_a_bad_token_is_refused(world):
    write(world, "job/1", "x")
    with pytest.raises(AwsError, match="nextToken is invalid") as caught:
        call(world, "GetLogEvents", logGroupName=GROUP, logStreamName="job/1", nextToken="nonsense")
    assert caught.value.code == "InvalidParameterException"


def test_streams_are_described_in_pages(world):
    for name in ("a/1", "a/2", "b/1"):
        write(world, name, "x", start=int(name[-1]) * 1000 + ord(name[0]))
    first = call(world, "DescribeLogStreams", logGroupName=GROUP, limit=2)
    assert [s["logStreamName"] for s in first["logStreams"]] == ["a/1", "a/2"]
    rest = call(world, "DescribeLogStreams", logGroupName=GROUP, nextToken=first["nextToken"])
    assert [s["logStreamName"] for s in rest["logStreams"]] == ["b/1"]
    assert rest["nextToken"] is None
    newest = call(world, "DescribeLogStreams", logGroupName=GROUP, orderBy="LastEventTime", descending=True)
    assert [s["logStreamName"] for s in newest["logStreams"]] == ["a/2", "b/1", "a/1"]
    assert newest["logStreams"][0]["firstEventTimestamp"] == newest["logStreams"][0]["lastEventTimestamp"] == 2097
    found = call(world, "DescribeLogStreams", logGroupName=GROUP, logStreamNamePrefix="b/")
    assert found["logStreams"][0]["arn"].endswith(f":log-group:{GROUP}:log-stream:b/1")


def test_filtering_merges_the_streams_of_a_group_by_time(world):
    write(world, "a", "one error", "fine", "two error", start=1000)
    write(world, "b", "late error", start=1001)
    seen, token = [], {}
    while True:
        answer = call(world, "FilterLogEvents", logGroupName=GROUP, filterPattern="error", limit=2, **token)
        seen += [(event["logStreamName"], event["message"]) for event in answer["events"]]
        if answer["nextToken"] is None:
            break
        token = {"nextToken": answer["nextToken"]}
    assert seen == [("a", "one error"), ("b", "late error"), ("a", "two error")]
    one = call(world, "FilterLogEvents", logGroupName=GROUP, logStreamNames=["b"])
    assert texts(one) == ["late error"]


def test_groups_and_streams_of_ones_own(world):
    call(world, "CreateLogGroup", logGroupName="mine")
    call(world, "CreateLogStream", logGroupName="mine", logStreamName="s")
    now = int(time.time() * 1000)
    events = [{"timestamp": now, "message": "a\nb"}, {"timestamp": now + 1, "message": "c"}]
    call(world, "PutLogEvents", logGroupName="mine", logStreamName="s", logEvents=events)
    assert texts(call(world, "GetLogEvents", logGroupName="mine", logStreamName="s")) == ["a\nb", "c"]
    groups = call(world, "DescribeLogGroups", logGroupNamePrefix="mi")["logGroups"]
    assert [group["logGroupName"] for group in groups] == ["mine"]
    with pytest.raises(AwsError, match="already exists"):
        call(world, "CreateLogGroup", logGroupName="mine")
    call(world, "DeleteLogStream", logGroupName="mine", logStreamName="s")
    call(world, "DeleteLogGroup", logGroupName="mine")
    assert call(world, "DescribeLogGroups")["logGroups"] == []


def test_events_out_of_order_are_refused(world):
    call(world, "CreateLogGroup", logGroupName="mine")
    call(world, "CreateLogStream", logGroupName="mine", logStreamName="s")
    events = [{"timestamp": 6, "message": "a"}, {"timestamp": 5, "message": "b"}]
    with pytest.raises(AwsError, match="chronological order"):
        call(world, "PutLogEvents", logGroupName="mine", logStreamName="s", logEvents=events)


@pytest.mark.parametrize(
    ("pattern", "message", "expected"),
    [
        ("", "anything", True),
        ("ERROR", "an ERROR here", True),
        ("ERROR", "an error here", False),
        ("a b", "b then a", True),
        ("a b", "only a", False),
        ("?a ?b", "only b", True),
        ("?x ?z", "only b", False),
        ("ERROR -retry", "ERROR again", True),
        ("ERROR -retry", "ERROR retry", False),
        ('"two words"', "these two words", True),
        ('"two words"', "words two", False),
        ("%code [45]..%", "code 503", True),
        ("%code [45]..%", "code 200", False),
    ],
)
def test_patterns_select_by_terms(pattern, message, expected):
    assert compile_pattern(pattern)(message) is expected


def test_patterns_over_fields_are_refused_by_name():
    with pytest.raises(NotImplementedHere, match="JSON"):
        compile_pattern("{ $.level = 5 }")
