"""A transform job as pages: what it read and wrote, the logs of its container and of its requests, the model's page."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

import pytest

from tests.integration.emulators import Emulator
from tests.integration.small_pipelines import BUCKET, Runner
from tests.integration.transform_desk import Desk
from tests.studio.servers import Server
from tests.studio.world import World


@pytest.fixture(scope="module")
def transformed(emulator: Emulator, runner: Runner, world: World) -> str:
    make: Any = Desk
    desk = make(emulator, runner)
    desk.put("scored/in/a.csv", b"1,2\n3,4\n")
    desk.run("scored", output={"AssembleWith": "Line", "Accept": "text/csv"}, BatchStrategy="MultiRecord")
    return "scored"


def test_every_tab_of_a_transform_job(studio: Server, transformed: str) -> None:
    job = f"/jobs/transform/{transformed}"
    info = studio.get(f"{job}?tab=info").words
    for words in ("Transform", "Completed", "Model adder", "Batch strategy MultiRecord", "Instance ml.m5.large"):
        assert words in info
    assert re.search(r"Cost <?\$\d+\.\d{4}, estimated by prices of 20\d\d-", info)
    assert f"s3://{BUCKET}/scored/in/" in studio.get(f"{job}?tab=input").words
    output = studio.get(f"{job}?tab=output")
    assert 'href="/s3/' in output.text
    assert f"s3://{BUCKET}/scored/out" in output.words
    assert studio.get(f"{job}?tab=metrics").status == 200
    assert transformed in studio.get("/jobs?kind=transform&status=Completed").words
    assert "Transform job scored" in studio.get("/search?q=score").words


def test_its_container_and_its_requests_have_logs_of_their_own(studio: Server, transformed: str) -> None:
    job = f"/jobs/transform/{transformed}"
    container = studio.get(job)
    assert "text/csv for text/csv" in container.words
    names = re.findall(r'stream=([^"&]+)[^"]*"[^>]*>([^<]+)</a>', container.text.split('class="logbar"')[1])
    by_name = {name: stream for stream, name in names}
    (requests,) = [name for name in by_name if name.endswith(" data-log")]
    assert "BatchStrategy=MULTI_RECORD" in studio.get(f"{job}?stream={by_name[requests]}").words
    both = studio.get(f"{job}?stream=all")
    assert "BatchStrategy=MULTI_RECORD" in both.words
    assert "text/csv for text/csv" in both.words
    assert 'class="log hosts long"' in both.text


def test_a_model_shows_the_data_that_it_loads(studio: Server, transformed: str) -> None:
    arn = "arn:aws:sagemaker:us-east-1:123456789012:model/adder"
    assert studio.get(f"/search?q={quote(arn)}").location == f"/lineage?of={quote(arn, safe='')}"
    answer = studio.get(f"/lineage?of={quote(arn)}")
    assert re.findall(r'class="node thing (\w+)[^>]*aria-label="([^",]+)', answer.text) == [
        ("package", "adder"),
        ("model", "model"),
    ]
