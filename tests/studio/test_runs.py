"""The list of executions with the metrics that the reader chooses."""

from __future__ import annotations

import re

from tests.integration.emulators import until
from tests.studio.servers import Answer, Server
from tests.studio.world import World


def rows(answer: Answer) -> list[str]:
    """The executions in their order, each with what stands in its row."""
    body = answer.text.split("<tbody>")[1].split("</tbody>")[0]
    return [re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", row)) for row in body.split("<tr>")[1:]]


def scored(studio: Server, query: str = "") -> Answer:
    """The list once its metrics are read."""

    def ask() -> Answer | None:
        answer = studio.get(f"/pipelines/quality{query}")
        return None if "being read" in answer.text else answer

    answer: Answer = until(ask)
    return answer


def test_metrics_stand_beside_the_executions(studio: Server, world: World) -> None:
    answer = scored(studio)
    assert "auc" in answer.text.split("<thead>")[1].split("</thead>")[0]
    by_id = {identifier: row for row in rows(answer) for identifier in re.findall(r" ([a-z0-9]{12}) ", row)[:1]}
    assert " 0.75 " in by_id[world.id(world.good)]
    assert " 0.9 " in by_id[world.id(world.better)]


def test_columns_are_chosen_in_the_address(studio: Server, world: World) -> None:
    scored(studio)
    head = studio.get("/pipelines/quality?metric=").text.split("<thead>")[1].split("</thead>")[0]
    assert "auc" not in head
    assert 'value="Evaluate.auc" checked' in studio.get("/pipelines/quality?metric=&metric=Evaluate.auc").text
    assert "0 of 1" in studio.get("/pipelines/quality?metric=").words


def test_the_page_is_sorted_by_a_metric(studio: Server, world: World) -> None:
    scored(studio)
    good, better = world.id(world.good), world.id(world.better)
    down = " ".join(rows(studio.get("/pipelines/quality?by=Evaluate.auc")))
    up = studio.get("/pipelines/quality?by=Evaluate.auc&dir=up")
    assert down.index(better) < down.index(good)
    assert " ".join(rows(up)).index(good) < " ".join(rows(up)).index(better)
    assert 'aria-sort="ascending"' in up.text


def test_an_execution_without_metrics_has_an_empty_cell(studio: Server, world: World) -> None:
    def ask() -> bool:
        return "being read" not in studio.get("/pipelines/broken").text

    assert until(ask)
    assert "Metrics" not in studio.get("/pipelines/broken").words
