"""What AWS does and an emulator does not: missing permissions, throttling, lists of ten thousand, a gigabyte of log."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore import xform_name
from botocore.session import Session

import studio as studio_package
from studio import scores
from studio.app import create_app
from studio.aws import Aws
from studio.jobs import KINDS
from studio.pages.page import Options
from studio.security import Access
from tests.integration.asgi import request
from tests.integration.small_pipelines import BUCKET
from tests.studio.front import DENIED, Front, Refusal, Request
from tests.studio.servers import Answer as Page
from tests.studio.servers import Server
from tests.studio.world import EVIL, World

STARTED = 1_790_000_000.0
ESSENTIAL = {
    "/pipelines/quality": {"DescribePipeline", "ListPipelineExecutions"},
    "/pipelines/quality?tab=graph": {"DescribePipeline"},
    "/pipelines/quality?tab=settings": {"DescribePipeline"},
    "/pipelines/quality/start": {"DescribePipeline"},
    "/pipelines": {"ListPipelines"},
    "/models": {"ListModelPackageGroups"},
    "/models/quality": {"DescribeModelPackageGroup", "ListModelPackages"},
    "/models/quality/1": {"DescribeModelPackageGroup", "DescribeModelPackage"},
    f"/s3/{BUCKET}": {"ListObjectsV2"},
    f"/s3/{BUCKET}/object?key=data/table.csv": {"HeadObject", "GetObject"},
}
"""Without these calls a page has nothing to show but AWS's words; without any other it shows the rest."""
OF_AN_EXECUTION = {"DescribePipeline", "DescribePipelineExecution"}


def pages(world: World) -> dict[str, set[str]]:
    """Pages with the calls without which they cannot be."""
    good = f"/pipelines/quality/executions/{world.id(world.good)}"
    failed = f"/pipelines/broken/executions/{world.id(world.failed)}"
    of_job = {"DescribeProcessingJob"}
    job = world.runner.steps(world.failed)["Load"]["Metadata"]["ProcessingJob"]["Arn"].rsplit("/", 1)[-1]
    views = [f"{good}?view=times", f"{good}?view=artifacts", failed, f"{failed}?step=After&tab=info"]
    tabs = [f"{good}?step={s}&tab={t}" for s, t in [("Evaluate", "output"), ("Evaluate", "info"), ("Check", "info")]]
    compared = f"/pipelines/quality/compare?e={world.id(world.good)}&e={world.id(world.better)}"
    free: dict[str, set[str]] = {path: set() for path in ("/s3", "/search?q=qual", "/jobs?kind=processing", "/lineage")}
    executions = dict.fromkeys([*views, *tabs, compared], OF_AN_EXECUTION)
    jobs = {f"/jobs/processing/{job}": of_job, f"/jobs/processing/{job}?tab=metrics": of_job}
    return {**ESSENTIAL, **executions, **jobs, **free}


@pytest.fixture
def aws(rules: Front, monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    for name, value in rules.environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(scores, "PATIENCE_SECONDS", 10)
    aws = Aws()
    yield aws
    aws.close()


def get(aws: Aws, path: str) -> Page:
    """A page of a studio that remembers nothing."""
    aws.forget()
    address, _, query = path.partition("?")
    app = create_app(aws, Access(), Options())
    answer = asyncio.run(request(app, "GET", address.encode(), query.encode(), {}))
    return Page(answer.status, {}, answer.body.decode())


def test_each_call_may_be_denied_and_the_rest_is_shown(world: World, rules: Front, aws: Aws) -> None:
    for path, needed in pages(world).items():
        rules.clear()
        page = get(aws, path)
        assert page.status == 200, (path, page.words)
        for operation in list(rules.calls):
            rules.rules[operation] = DENIED
            page = get(aws, path)
            assert page.status == (502 if operation in needed else 200), (path, operation, page.words)
            assert "is not authorized" in page.words or "403" in page.words, (path, operation)
            rules.rules.clear()


def test_a_throttled_call_leaves_the_rest(world: World, rules: Front, aws: Aws) -> None:
    rules.rules["ListPipelineParametersForExecution"] = Refusal("ThrottlingException", "Rate exceeded")
    answer = get(aws, f"/pipelines/quality/executions/{world.id(world.good)}")
    assert answer.status == 200
    assert "Left out: ListPipelineParametersForExecution: Rate exceeded (ThrottlingException)" in answer.words
    assert 'id="n-Evaluate"' in answer.text
    assert rules.calls["ListPipelineParametersForExecution"] == 3, "botocore tries three times"


def test_an_operation_that_is_not_there_is_passed_over_in_silence(world: World, rules: Front, server: Server) -> None:
    rules.rules["ListTags"] = Refusal("UnknownOperationException", "no such operation")
    answer = server.get("/pipelines/quality?tab=settings")
    assert answer.status == 200
    assert "Left out" not in answer.words


def executions_of(count: int) -> Any:
    """ListPipelineExecutions of a pipeline that ran so often, a page at a time."""

    def answer(request: Request) -> dict[str, Any]:
        first = int(request.get("NextToken", "0"))
        last = min(count, first + request.get("MaxResults", 10))
        arn = "arn:aws:sagemaker:us-east-1:123456789012:pipeline/quality/execution"
        items = [
            {
                "PipelineExecutionArn": f"{arn}/{n:012d}",
                "PipelineExecutionDisplayName": f"execution-{n}",
                "PipelineExecutionStatus": "Succeeded",
                "StartTime": STARTED - n,
            }
            for n in range(first, last)
        ]
        return {"PipelineExecutionSummaries": items, **({"NextToken": str(last)} if last < count else {})}

    return answer


def test_ten_thousand_executions_are_paged_not_loaded(world: World, rules: Front, server: Server) -> None:
    rules.rules["ListPipelineExecutions"] = executions_of(10_000)
    rules.rules["ListPipelineParametersForExecution"] = lambda _: {"PipelineParameters": []}
    rules.rules["ListPipelineExecutionSteps"] = lambda _: {"PipelineExecutionSteps": []}
    rules.rules["DescribePipelineDefinitionForExecution"] = lambda _: {"PipelineDefinition": "{}"}
    path, seen = "/pipelines/quality", []
    for _ in range(3):
        rules.calls.clear()
        answer = server.get(path)
        assert len(answer.text) <= 50_000
        seen += re.findall(r'href="/pipelines/quality/executions/(\d+)"', answer.text)
        assert rules.calls["ListPipelineExecutions"] == 1
        assert rules.calls["ListPipelineParametersForExecution"] == 25
        path = re.findall(r'rel="next" href="([^"]+)"', answer.text)[0].replace("&amp;", "&")
    assert [int(identifier) for identifier in seen] == list(range(75))


def test_a_filter_looks_through_a_thousand_at_a_time(world: World, rules: Front, server: Server) -> None:
    rules.rules["ListPipelineExecutions"] = executions_of(10_000)
    answer = server.get("/pipelines/quality?status=Failed")
    assert rules.calls["ListPipelineExecutions"] == 10
    assert 'rel="next"' in answer.text


def test_ten_thousand_pipelines_are_paged_not_loaded(world: World, rules: Front, server: Server) -> None:
    def answer(request: Request) -> dict[str, Any]:
        first = int(request.get("NextToken", "0"))
        items = [
            {
                "PipelineArn": f"arn:aws:sagemaker:us-east-1:123456789012:pipeline/p{n}",
                "PipelineName": f"p{n:05d}-{'x' * 60}",
                **({"LastExecutionTime": STARTED} if n % 2 else {}),
                "CreationTime": STARTED,
                "LastModifiedTime": STARTED,
            }
            for n in range(first, first + request["MaxResults"])
        ]
        return {"PipelineSummaries": items, "NextToken": str(first + request["MaxResults"])}

    rules.rules |= {"ListPipelines": answer, "ListPipelineExecutions": executions_of(10_000)}
    first = server.get("/pipelines")
    assert (rules.calls["ListPipelines"], rules.calls["ListPipelineExecutions"]) == (1, 12), "only of those that ran"
    assert len(first.text) <= 50_000
    server.get("/pipelines")
    assert rules.calls["ListPipelineExecutions"] == 12, "what has ended is remembered"
    after = re.findall(r'rel="next" href="([^"]+)"', first.text)[0].replace("&amp;", "&")
    assert "p00025-" in server.get(after).words


def test_ten_thousand_jobs_are_paged_not_loaded(world: World, rules: Front, server: Server) -> None:
    def answer(request: Request) -> dict[str, Any]:
        first = int(request.get("NextToken", "0"))
        items = [
            {
                "TrainingJobName": f"{n:05d}-{'x' * 57}",
                "TrainingJobArn": "arn",
                "TrainingJobStatus": "Completed",
                "CreationTime": STARTED,
            }
            for n in range(first, first + request["MaxResults"])
        ]
        return {"TrainingJobSummaries": items, "NextToken": str(first + request["MaxResults"])}

    rules.rules["ListTrainingJobs"] = answer
    first = server.get("/jobs?kind=training")
    assert rules.calls["ListTrainingJobs"] == 1
    assert len(first.text) <= 50_000
    after = re.findall(r'rel="next" href="([^"]+)"', first.text)[0].replace("&amp;", "&")
    assert "00050-" in server.get(after).words


LINE = "\x1b[2J\x07\u202e" + "x" * 5_200 + EVIL
"""A gigabyte of them is a thousand pages of CloudWatch, which have at most 1 MiB each."""
PAGES = 1_000


def gigabyte(request: Request) -> dict[str, Any]:
    page = int((request.get("nextToken") or "f/0")[2:])
    limit = min(200, request.get("limit", 200))
    events = [{"timestamp": n, "ingestionTime": n, "message": LINE} for n in range(limit if page < PAGES else 0)]
    forward = f"f/{min(PAGES, page + 1)}"
    return {"events": events, "nextForwardToken": forward, "nextBackwardToken": f"b/{page}"}


def a_stream(request: Request) -> dict[str, Any]:
    return {"logStreams": [{"logStreamName": request["logStreamNamePrefix"] + "algo-1-1"}]}


def test_of_a_gigabyte_of_log_one_page_is_read(world: World, rules: Front, server: Server) -> None:
    job = world.runner.steps(world.failed)["Load"]["Metadata"]["ProcessingJob"]["Arn"].rsplit("/", 1)[-1]
    rules.rules |= {"DescribeLogStreams": a_stream, "GetLogEvents": gigabyte}
    answer = server.get(f"/jobs/processing/{job}")
    assert rules.calls["GetLogEvents"] == 1
    assert len(answer.text) <= 50_000
    assert "the line goes on in the download" in answer.words
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", answer.text.replace("\n", ""))


def test_a_gigabyte_of_log_is_downloaded_as_it_comes(world: World, rules: Front, server: Server) -> None:
    job = world.runner.steps(world.failed)["Load"]["Metadata"]["ProcessingJob"]["Arn"].rsplit("/", 1)[-1]
    rules.rules |= {"DescribeLogStreams": a_stream, "GetLogEvents": gigabyte}
    with server.stream(f"/jobs/processing/{job}/log") as response:
        assert len(response.read(3_000_000)) == 3_000_000
        assert response.headers["content-type"].startswith("text/plain")
        assert rules.calls["GetLogEvents"] < 100, "it is read no faster than it is sent"


def test_the_host_that_failed_is_shown_first(world: World, rules: Front, server: Server) -> None:
    job = world.runner.steps(world.failed)["Load"]["Metadata"]["ProcessingJob"]["Arn"].rsplit("/", 1)[-1]

    def streams(request: Request) -> dict[str, Any]:
        return {"logStreams": [{"logStreamName": f"{request['logStreamNamePrefix']}algo-{n}-17"} for n in (1, 2)]}

    def events(request: Request) -> dict[str, Any]:
        text = "ValueError: only here" if "algo-2" in request["logStreamName"] else "waiting for the others"
        event = {"timestamp": 1, "ingestionTime": 1, "message": text}
        return {"events": [event], "nextForwardToken": "f/1", "nextBackwardToken": "b/1"}

    rules.rules |= {"DescribeLogStreams": streams, "GetLogEvents": events}
    answer = server.get(f"/jobs/processing/{job}")
    assert "algo-1 algo-2" in answer.words
    assert 'id="cause">ValueError: only here</span>' in answer.text
    other = re.findall(r'href="([^"]+stream=[^"]+algo-1-17[^"]*)"', answer.text)[0].replace("&amp;", "&")
    assert "waiting for the others" in server.get(other).words


def test_a_step_named_script_is_only_a_name(world: World, rules: Front, aws: Aws) -> None:
    """AWS refuses such names; studio does not rely on it."""
    step = {"Name": EVIL, "Type": "Processing", "DisplayName": f"'\"{EVIL}", "Arguments": {"A": EVIL}}
    definition = json.dumps({"Version": "2020-12-01", "Parameters": [], "Steps": [step]})
    item = {"StepName": EVIL, "StepStatus": "Failed", "FailureReason": EVIL, "StartTime": STARTED, "Metadata": {}}
    rules.rules |= {
        "DescribePipelineDefinitionForExecution": lambda _: {"PipelineDefinition": definition},
        "ListPipelineExecutionSteps": lambda _: {"PipelineExecutionSteps": [item]},
    }
    path = f"/pipelines/quality/executions/{world.id(world.good)}"
    for query in ("", "?view=times", "?view=artifacts", "?step=%3Cscript%3Ealert(1)%3C%2Fscript%3E&tab=input"):
        answer = get(aws, path + query)
        assert answer.status == 200, answer.words
        assert "<script>alert" not in answer.text
        assert "alert(1)" in answer.words or "artifacts" in query


def test_automl_is_asked_in_aws_own_words(world: World, rules: Front, server: Server) -> None:
    """Through botocore, which refuses operations and members that AWS does not have."""
    objective = {"MetricName": "F1", "Value": 0.5, "Type": "Maximize"}
    candidate = {
        "CandidateName": "first",
        "ObjectiveStatus": "Succeeded",
        "CandidateSteps": [],
        "CandidateStatus": "Completed",
        "CreationTime": STARTED,
        "LastModifiedTime": STARTED,
        "FinalAutoMLJobObjectiveMetric": objective,
    }
    summary = {"AutoMLJobName": "auto", "AutoMLJobArn": "arn", "AutoMLJobStatus": "Completed"}
    times = {"CreationTime": STARTED, "LastModifiedTime": STARTED, "EndTime": STARTED + 60}
    described = {"AutoMLJobSecondaryStatus": "Completed", "RoleArn": "role", "AutoMLJobInputDataConfig": []}
    rules.rules |= {
        "ListAutoMLJobs": lambda _: {"AutoMLJobSummaries": [summary | times]},
        "DescribeAutoMLJobV2": lambda _: {**summary, **times, **described, "BestCandidate": candidate},
        "ListCandidatesForAutoMLJob": lambda _: {"Candidates": [candidate]},
        "StopAutoMLJob": lambda _: {},
    }
    assert "auto Completed" in server.get("/jobs?kind=automl&q=au&status=Completed&sort=oldest").words
    assert "first best Completed 0.5" in server.get("/jobs/automl/auto").words
    csrf = server.get("/pipelines/quality/start").csrf
    assert server.post("/jobs/automl/auto/stop", {"csrf": csrf}).location == "/jobs/automl/auto"
    assert rules.calls["StopAutoMLJob"] == 1


def test_a_job_is_found_in_lineage_by_its_trial_component(world: World, rules: Front, server: Server) -> None:
    job = "arn:aws:sagemaker:us-east-1:123456789012:training-job/j"
    component = "arn:aws:sagemaker:us-east-1:123456789012:experiment-trial-component/j-aws"
    model = "arn:aws:sagemaker:us-east-1:123456789012:artifact/abc"
    association = {"SourceArn": component, "DestinationArn": model, "SourceName": "j-aws", "DestinationType": "Model"}

    def associations(request: Request) -> dict[str, Any]:
        return {"AssociationSummaries": [association] if request.get("SourceArn") == component else []}

    rules.rules |= {
        "ListTrialComponents": lambda _: {"TrialComponentSummaries": [{"TrialComponentArn": component}]},
        "ListAssociations": associations,
        "DescribeTrialComponent": lambda _: {"TrialComponentName": "j-aws", "Status": {"Message": "done"}},
    }
    answer = server.get(f"/lineage?of={job}")
    assert answer.status == 200
    assert 'aria-label="j-aws, experiment-trial-component"' in answer.text
    assert 'aria-label="abc, Model"' in answer.text


def test_every_operation_is_one_of_aws(world: World) -> None:
    """Each name of a call in studio's sources is an operation in botocore's models."""
    session = Session()
    services = {"sagemaker": "sagemaker", "every": "sagemaker", "s3": "s3", "logs": "logs"}
    known = {
        service: set(map(xform_name, session.get_service_model(service).operation_names))
        for service in {*services.values(), "cloudwatch"}
    }
    found = []
    for path in Path(studio_package.__file__).parent.rglob("*.py"):
        source = path.read_text()
        found += [(services[kind], name) for kind, name in CALL.findall(source)]
        found += re.findall(r'\.call\(\s*"(\w+)",\s*"(\w+)"', source)
    assert len(found) > 20
    assert [(service, name) for service, name in found if name not in known[service]] == []
    for kind in KINDS.values():
        assert f"describe_{kind.method}" in known["sagemaker"]
        assert f"stop_{kind.method.removesuffix('_v2')}" in known["sagemaker"]


CALL = re.compile(r'\.(sagemaker|every|s3|logs)[(,]\s*"(\w+)"')


def test_a_log_page_that_came_empty_is_not_the_end(world: World, rules: Front, server: Server) -> None:
    """CloudWatch gives pages without events although there are some before them."""
    job = world.runner.steps(world.failed)["Load"]["Metadata"]["ProcessingJob"]["Arn"].rsplit("/", 1)[-1]

    def events(request: Request) -> dict[str, Any]:
        token = request.get("nextToken") or "t0"
        number = int(token[1:])
        found = [{"timestamp": 1, "ingestionTime": 1, "message": "here"}] if number == 2 else []
        return {"events": found, "nextBackwardToken": f"t{number + 1}", "nextForwardToken": f"t{min(3, number + 1)}"}

    rules.rules |= {"DescribeLogStreams": a_stream, "GetLogEvents": events}
    assert "here" in server.get(f"/jobs/processing/{job}").words
    assert server.get(f"/jobs/processing/{job}/log").text == "here\n"


def test_a_fault_of_studio_is_said_to_be_one(world: World, rules: Front, server: Server) -> None:
    rules.rules["ListPipelines"] = lambda _: {"PipelineSummaries": [{"PipelineArn": "without a name"}]}
    answer = server.get("/pipelines")
    assert answer.status == 500
    assert "This is a fault of Studio, not of AWS" in answer.words


def test_what_was_typed_survives_a_refusal(world: World, rules: Front, server: Server) -> None:
    rules.rules["StartPipelineExecution"] = DENIED
    form = server.get("/pipelines/quality/start")
    typed = {
        "csrf": form.csrf,
        "p.Auc": "0.8",
        "p.Rounds": "3",
        "p.Stage": "prod",
        "p.Note": "mine",
        "display_name": "n",
    }
    answer = server.post("/pipelines/quality/start", typed)
    assert answer.status == 422
    assert "Nothing was started. StartPipelineExecution: User: arn:aws:iam::1:user/u is not authorized" in answer.words
    for kept in ('value="0.8"', 'value="mine"', "<option selected>prod</option>", 'value="n"'):
        assert kept in answer.text


@pytest.mark.parametrize("refusal", [DENIED, Refusal("UnknownOperationException", "no such operation")])
def test_lineage_is_followed_step_by_step_where_it_cannot_be_queried(
    world: World, rules: Front, server: Server, refusal: Refusal
) -> None:
    account = "arn:aws:sagemaker:us-east-1:123456789012"
    data, model = f"{account}:artifact/data", f"{account}:artifact/model"

    def associations(request: Request) -> dict[str, Any]:
        ends = {"SourceArn": data, "DestinationArn": model, "SourceName": "the data", "DestinationName": "the model"}
        return {"AssociationSummaries": [ends] if request.get("DestinationArn") == model else []}

    rules.rules |= {"QueryLineage": refusal, "ListAssociations": associations}
    answer = server.get(f"/lineage?of={model}")
    assert {"the data", "the model"} <= set(re.findall(r'class="node thing [^>]*aria-label="([^",]+)', answer.text))
    assert ("Left out: QueryLineage" in answer.words) == (refusal is DENIED)


def test_lineage_is_asked_for_in_two_calls_and_its_names(world: World, rules: Front, server: Server) -> None:
    account = "arn:aws:sagemaker:us-east-1:123456789012"
    arns = [f"{account}:artifact/a{n}" for n in range(100)]

    def query(request: Request) -> dict[str, Any]:
        """A line of a hundred, with AWS's pages of fifty vertices; all is below the first."""
        if request["Direction"] == "Ascendants":
            return {"Vertices": [], "Edges": []}
        first = int(request.get("NextToken", "0"))
        edges = [{"SourceArn": arns[n], "DestinationArn": arns[n + 1]} for n in range(first, min(99, first + 50))]
        vertices = [{"Arn": arn, "Type": "Model", "LineageType": "Artifact"} for arn in arns[first : first + 50]]
        return {"Vertices": vertices, "Edges": edges, **({"NextToken": "50"} if first == 0 else {})}

    rules.rules |= {
        "QueryLineage": query,
        "DescribeArtifact": lambda request: {
            "ArtifactArn": request["ArtifactArn"],
            "ArtifactName": "named-" + request["ArtifactArn"].rsplit("/", 1)[-1],
        },
    }
    answer = server.get(f"/lineage?of={arns[0]}")
    drawn = re.findall(r'class="node thing model[^>]*aria-label="(named-a\d+), Model"', answer.text)
    assert drawn == [f"named-a{n}" for n in range(60)], "the nearest"
    assert "40 more are left out." in answer.words
    assert rules.calls["QueryLineage"] == 3
    assert rules.calls["ListAssociations"] == 0
