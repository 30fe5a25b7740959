"""The pages over HTTP, of a real emulator and without a browser."""

from __future__ import annotations

import json
import re
from html import unescape
from html.parser import HTMLParser
from urllib.parse import quote

import pytest

from tests.integration.emulators import Emulator, until
from tests.integration.small_pipelines import BUCKET, Runner, processing_step
from tests.studio.servers import Server, serving
from tests.studio.world import BAD, EVIL, World


def execution_path(world: World, pipeline: str, arn: str) -> str:
    return f"/pipelines/{pipeline}/executions/{world.id(arn)}"


def test_every_page_answers_small_and_escaped(studio: Server, world: World) -> None:
    good, failed = execution_path(world, "quality", world.good), execution_path(world, "broken", world.failed)
    tabs = [f"{good}?step={s}&tab={t}" for s in ("Evaluate", "Check") for t in ("input", "output", "logs", "info")]
    views = [f"{path}?view={v}" for path in (good, failed) for v in ("graph", "times", "artifacts", "parameters")]
    pages = [f"/pipelines/quality?tab={t}" for t in ("executions", "graph", "parameters", "versions", "settings")]
    compared = f"/pipelines/quality/compare?e={world.id(world.good)}&e={world.id(world.better)}"
    job = json.loads(json.dumps(world.runner.steps(world.failed)["Load"]["Metadata"]))["ProcessingJob"]["Arn"]
    job_page = f"/jobs/processing/{job.rsplit('/', 1)[-1]}"
    jobs = [f"{job_page}?tab={t}" for t in ("logs", "metrics", "input", "output", "info")]
    others = [
        "/pipelines",
        "/pipelines/quality/start",
        "/jobs",
        "/jobs?kind=processing",
        "/jobs?kind=tuning",
        "/models",
    ]
    others += ["/models/quality?v=1&v=2", "/models/quality/1", "/s3", f"/s3/{BUCKET}", "/search?q=qual"]
    others += [f"/s3/{BUCKET}/object?key=data/table.csv", "/pipelines/quality?tab=graph&step=Evaluate"]
    for path in [*tabs, *views, *pages, compared, *jobs, *others, good, failed]:
        answer = studio.get(path)
        assert answer.status == 200, (path, answer.words)
        assert EVIL not in answer.text, path
        assert "<b>x</b>" not in answer.text
        assert len(answer.text) <= 50_000, path
        assert "http://" not in answer.text.replace("http://127.0.0.1", ""), path


def test_pipelines_list_shows_latest_runs(studio: Server, world: World) -> None:
    answer = studio.get("/pipelines")
    assert f'href="{execution_path(world, "quality", world.good)}"' in answer.text
    assert "broken" in answer.words
    assert "broken" not in studio.get("/pipelines?q=qual").words


def test_executions_show_changed_parameters_and_are_filtered(studio: Server, world: World) -> None:
    answer = studio.get("/pipelines/quality")
    assert "Auc 0.9" in answer.words
    assert "Stage prod" in answer.words
    assert "No executions that match." in studio.get("/pipelines/quality?status=Stopped").words
    assert world.id(world.good) in studio.get(f"/pipelines/quality?q={world.id(world.good)}").text
    assert world.id(world.better) not in studio.get(f"/pipelines/quality?q={world.id(world.good)}").text


def test_condition_is_shown_with_its_values(studio: Server, world: World) -> None:
    words = studio.get(f"{execution_path(world, 'quality', world.good)}?step=Check").words
    assert "Evaluate Report → binary_classification_metrics.auc.value > 0.5" in words
    assert "0.75 > 0.5" in words
    assert "TooLow, Fail, Skipped, skipped" in studio.get(execution_path(world, "quality", world.good)).text


def test_failure_opens_at_the_line_that_explains_it(studio: Server, world: World) -> None:
    answer = studio.get(execution_path(world, "broken", world.failed))
    cause = answer.text.split('class="line cause" id="cause">')[1].split("</span>")[0]
    assert cause == "FileNotFoundError: [Errno 2] No such file or directory: &#39;/missing.csv&#39;"
    assert "&lt;script&gt;alert(1)&lt;/script&gt; red</span>" in answer.text
    after = studio.get(f"{execution_path(world, 'broken', world.failed)}?step=After&tab=info").words
    assert "It did not run, because Load failed." in after


def test_cache_hit_names_its_source_and_a_miss_the_field(studio: Server, world: World, runner: Runner) -> None:
    again = runner.start("quality")
    runner.ended(again)
    hit = studio.get(f"{execution_path(world, 'quality', again)}?step=Evaluate&tab=info")
    assert "From the cache" in hit.words
    assert f"/executions/{world.id(world.good)}" in hit.text
    miss = studio.get(f"{execution_path(world, 'quality', world.better)}?step=Evaluate&tab=info").words
    assert "AppSpecification.ContainerArguments[0] 0.75 0.9" in miss


def test_compare_shows_differences_only(studio: Server, world: World) -> None:
    path = f"/pipelines/quality/compare?e={world.id(world.good)}&e={world.id(world.better)}"
    everything, differences = studio.get(path).words, studio.get(f"{path}&diff=1").words
    assert "Rounds 3 3" in everything
    assert "Rounds" not in differences
    assert "Auc 0.75 0.9" in differences
    assert "Evaluate · auc 0.75 0.9" in differences
    assert "Confusion" not in differences
    assert "80 %" in everything
    assert 'class="curve c1"' in studio.get(path).text


def test_form_keeps_what_was_typed_and_says_what_is_wrong(studio: Server, world: World) -> None:
    form = studio.get("/pipelines/quality/start")
    typed = {"csrf": form.csrf, "p.Auc": "much", "p.Rounds": "2.5", "p.Stage": "test", "p.Note": "kept"}
    answer = studio.post("/pipelines/quality/start", typed)
    assert answer.status == 422
    for sentence in ("A number is needed, not “much”.", "A whole number is needed, not “2.5”.", "One of: dev, prod."):
        assert sentence in answer.words
    assert 'value="kept"' in answer.text


def test_start_watch_and_stop(studio: Server, world: World, runner: Runner) -> None:
    form = studio.get("/pipelines/slow/start")
    assert "aws sagemaker start-pipeline-execution --pipeline-name slow" in form.words
    started = studio.post("/pipelines/slow/start", {"csrf": form.csrf, "display_name": "by-hand", "request": "r" * 32})
    assert started.status == 303
    assert (
        studio.post(
            "/pipelines/slow/start", {"csrf": form.csrf, "display_name": "by-hand", "request": "r" * 32}
        ).location
        == started.location
    )
    events = studio.events(f"/live?for={started.location}%3Fstep%3DWait%26tab%3Dlogs")
    seen = ""
    for line in events:
        seen += line
        if "tick 2" in line:
            break
    assert '"panel"' in seen
    page = until(lambda: (p := studio.get(started.location)).status == 200 and "/stop" in p.text and p)
    assert studio.post(f"{started.location}/stop", {"csrf": page.csrf}).status == 303
    rest = list(events)
    assert rest[-3] == "event: end"
    assert "Stopped" in studio.get(started.location).words


def test_run_again_copies_parameters(studio: Server, world: World) -> None:
    form = studio.get(f"/pipelines/quality/start?from={world.id(world.better)}")
    assert 'value="0.9"' in form.text
    assert "<option selected>prod</option>" in form.text
    shown = studio.get(f"{execution_path(world, 'quality', world.better)}?view=parameters")
    assert f'/pipelines/quality/start?from={world.id(world.better)}">Start with these' in shown.text
    copied = json.loads(unescape(re.findall(r'data-copy="({[^"]+})"', shown.text)[0]))
    assert copied == {"Auc": "0.9", "Rounds": "3", "Stage": "prod", "Note": EVIL}
    proposed = studio.get("/pipelines/quality/start?p.Auc=0.42&p.Stage=prod")
    assert 'value="0.42"' in proposed.text, "a link can propose a start"


def test_actions_are_shown_as_commands(studio: Server, world: World) -> None:
    words = studio.get(execution_path(world, "broken", world.failed)).words
    assert f"aws sagemaker retry-pipeline-execution --pipeline-execution-arn {world.failed}" in words
    again = studio.get(execution_path(world, "quality", world.better)).words
    assert "aws sagemaker start-pipeline-execution --pipeline-name quality --pipeline-parameters" in again
    assert "aws sagemaker delete-pipeline --pipeline-name broken" in studio.get("/pipelines/broken?tab=settings").words
    approval = studio.get("/models/quality/2").words  # another test may have approved it: then it offers to reject
    assert re.search(r"aws sagemaker update-model-package .*--model-approval-status (Approved|Rejected)", approval)


def test_retry_runs_what_failed_again(studio: Server, world: World, runner: Runner) -> None:
    runner.create(processing_step("Flaky", "code/flaky.py"), name="flaky")
    runner.upload(BAD, "code/flaky.py")
    execution = runner.start("flaky")
    runner.ended(execution)
    runner.upload("print('mended')", "code/flaky.py")
    page = studio.get(execution_path(world, "flaky", execution))
    answer = studio.post(f"{execution_path(world, 'flaky', execution)}/retry", {"csrf": page.csrf})
    assert answer.location == execution_path(world, "flaky", execution)
    assert runner.ended(execution)["PipelineExecutionStatus"] == "Succeeded"


def test_only_selected_steps_run_again(studio: Server, world: World, runner: Runner) -> None:
    path = f"/pipelines/quality/start?from={world.id(world.good)}&only=Evaluate"
    form = studio.get(path)
    assert '"SelectedSteps":[{"StepName":"Evaluate"}]' in form.words
    typed = {"csrf": form.csrf, "from": world.id(world.good), "only": "Evaluate", "p.Auc": "0.66"}
    started = studio.post("/pipelines/quality/start", typed)
    assert started.status == 303, started.words
    arn = f"{world.good.rsplit('/', 1)[0]}/{started.location.rsplit('/', 1)[-1]}"
    assert runner.ended(arn)["PipelineExecutionStatus"] == "Succeeded"
    assert "Publish" not in runner.steps(arn)


def test_models_are_compared_and_approved(studio: Server, world: World, runner: Runner) -> None:
    words = studio.get("/models/quality?v=1&v=2").words
    assert "auc 0.9 0.75" in words
    page = studio.get("/models/quality/1")
    form = {"csrf": page.csrf, "status": "Approved", "description": "It is good"}
    assert studio.post("/models/quality/1/approval", form).location == "/models/quality/1"
    arn = page.text.split('data-copy="arn:')[1].split('"')[0]
    document = runner.sagemaker.describe_model_package(ModelPackageName=f"arn:{arn}")
    assert (document["ModelApprovalStatus"], document["ApprovalDescription"]) == ("Approved", "It is good")
    assert "It is good" in studio.get("/models/quality/1").words


def test_objects_are_previewed_and_downloaded(studio: Server, world: World) -> None:
    table = studio.get(f"/s3/{BUCKET}/object?key=data/table.csv")
    assert "<td>&lt;b&gt;x&lt;/b&gt;</td>" in table.text
    assert "&#34;k&#34;: [" in studio.get(f"/s3/{BUCKET}/object?key=data/tree.json").text
    raw = studio.get(f"/s3/{BUCKET}/raw?key=data/table.csv")
    assert raw.text == "a,b\n1,<b>x</b>\n"
    assert raw.headers["content-disposition"].startswith("attachment")
    assert "sandbox" in raw.headers["content-security-policy"]


def test_search_finds_and_follows_addresses(studio: Server, world: World) -> None:
    words = studio.get("/search?q=qual").words
    assert "Pipeline quality" in words
    assert "Model group quality" in words
    assert studio.get(f"/search?q={world.good}").location == execution_path(world, "quality", world.good)
    assert studio.get(f"/search?q=s3://{BUCKET}/data/").location == f"/s3/{BUCKET}?prefix=data%2F"


def test_the_address_above_a_job_leads_to_its_kind(studio: Server, world: World) -> None:
    assert studio.get("/jobs/training").location == "/jobs?kind=training"
    assert studio.get("/jobs/nope").status == 404


def test_definition_is_downloaded(studio: Server, world: World) -> None:
    answer = studio.get("/pipelines/quality/definition")
    assert json.loads(answer.text)["Steps"][0]["Name"] == "Evaluate"
    assert answer.headers["content-disposition"] == 'attachment; filename="quality.json"'


def test_delete_needs_the_name(studio: Server, world: World, runner: Runner) -> None:
    runner.create({"Name": "No", "Type": "Fail", "Arguments": {"ErrorMessage": "no"}}, name="gone")
    page = studio.get("/pipelines/gone?tab=settings")
    refused = studio.post("/pipelines/gone/delete", {"csrf": page.csrf, "confirm": "no"})
    assert refused.status == 422
    assert "Type gone to delete it." in refused.words
    assert studio.post("/pipelines/gone/delete", {"csrf": page.csrf, "confirm": "gone"}).location == "/pipelines"
    assert studio.get("/pipelines/gone").status == 404


@pytest.mark.parametrize(
    "path",
    ["/pipelines/nope", "/nope", "/jobs/training/nope", "/models/quality/99", "/models/quality/%C2%B2", "/jobs/x/y"],
)
def test_what_is_not_there_is_said_so(studio: Server, world: World, path: str) -> None:
    answer = studio.get(path)
    assert answer.status == 404
    assert "Not found" in answer.words


def test_other_hosts_and_forged_writes_are_refused(studio: Server, world: World) -> None:
    assert studio.get("/pipelines", Host="evil.example:80").status == 421
    assert studio.get("/pipelines", Host="[").status == 421
    assert studio.get("/pipelines", Host="localhost:80").status == 200
    path = f"{execution_path(world, 'quality', world.good)}/stop"
    assert studio.post(path, {}).status == 403
    csrf = studio.get("/pipelines/quality/start").csrf
    assert studio.post(path, {"csrf": csrf}, Origin="https://evil.example").status == 403
    assert studio.post(path, {"csrf": csrf}, Origin="http://[").status == 403
    assert studio.post(path, {"csrf": csrf}, Sec_Fetch_Site="cross-site").status == 403
    assert studio.get(path).status == 405
    assert "script-src 'self'" in studio.get("/pipelines").headers["content-security-policy"]


def test_read_only_and_token(emulator: Emulator, world: World) -> None:
    with serving(emulator.exports, "--read-only", "--token", "secret") as server:
        base = server.url.split("/?")[0]
        server.url = base
        assert server.get("/pipelines").status == 401
        entry = server.get("/pipelines?token=secret&q=qual")
        assert entry.location == "/pipelines?q=qual"
        server.headers["Cookie"] = entry.headers["set-cookie"].split(";")[0]
        page = server.get(execution_path(world, "broken", world.failed))
        assert page.status == 200
        assert 'method="post"' not in page.text
        assert "read-only" in page.words
        assert "changes nothing" in server.post("/pipelines/quality/start", {"csrf": "x"}).words


def test_wide_fans_and_loops_are_unfolded(studio: Server, world: World, runner: Runner) -> None:
    fan = [processing_step(f"Fold{i}", depends_on=["Split"]) for i in range(12)]
    each = {"IterableItems": ["a", "b"], "MaxConcurrency": 2, "ForEachBody": [processing_step("Part")]}
    loop = {"Name": "Each", "Type": "ForEach", "DependsOn": ["Split"], "Arguments": each}
    runner.create(processing_step("Split"), *fan, loop, name="wide")
    folded = studio.get("/pipelines/wide?tab=graph&step=fan:Fold0")
    assert folded.text.count('class="node ') == 3
    assert "12 steps" in folded.words
    unfold = re.findall(r'href="([^"]+)">Unfold in the graph', folded.text)[0].replace("&amp;", "&")
    assert studio.get(unfold).text.count('class="node ') == 15
    assert "Unfold in the graph" in studio.get("/pipelines/wide?tab=graph&step=Each").words


def test_the_list_of_pipelines_follows_what_runs(studio: Server, world: World, runner: Runner) -> None:
    execution = runner.start("slow")
    followed = (line for line in studio.events("/live?for=/pipelines") if world.id(execution) in line)
    assert "m-running" in next(followed)
    runner.sagemaker.stop_pipeline_execution(PipelineExecutionArn=execution)
    ended = next(line for line in followed if re.search(rf"{world.id(execution)}[^>]*state stopped", line))
    assert "Stopped" in ended


class Handlers(HTMLParser):
    """The attributes of a page that would run something."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [name for name, value in attrs if name.startswith("on") or "javascript:" in (value or "")[:20]]


def test_a_value_cannot_leave_its_attribute(studio: Server, world: World, runner: Runner) -> None:
    breakout = '"\' onmouseover=alert(1) x="javascript:alert(1)'
    execution = runner.start("quality", Note=breakout)
    path = execution_path(world, "quality", execution)
    runner.ended(execution)
    views = [f"{path}?view={view}" for view in ("graph", "times", "artifacts", "parameters")]
    compared = f"/pipelines/quality/compare?e={world.id(execution)}&e={world.id(world.good)}"
    typed = quote(breakout)
    forms = [f"/pipelines/quality/start?from={world.id(execution)}", f"/search?q={typed}", f"/lineage?of={typed}"]
    forms += [
        f"/jobs?q={typed}",
        f"/pipelines?q={typed}",
        f"/models?q={typed}",
        f"{path}?step=Evaluate&tab=logs&find={typed}",
    ]
    for address in [*views, compared, *forms, f"{path}?step={typed}", "/pipelines/quality"]:
        answer = studio.get(address)
        assert answer.status == 200, (address, answer.words)
        parser = Handlers()
        parser.feed(answer.text)
        assert parser.found == [], address
