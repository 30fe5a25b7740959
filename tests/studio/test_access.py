"""Studio for everybody: through a screen reader, by keyboard, without JavaScript, on paper."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import pytest

from tests.integration.emulators import until
from tests.integration.small_pipelines import BUCKET, Runner
from tests.studio.browser import Browser, find_chromium, launched
from tests.studio.servers import Server
from tests.studio.world import World

CHROMIUM = find_chromium()
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed (apt-get install chromium)")
NAMED = {"link", "button", "textbox", "searchbox", "checkbox", "combobox", "image", "log", "dialog", "switch"}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launched(CHROMIUM or "") as browser:
        browser.resize(1400, 900)
        yield browser


def pages(world: World) -> list[str]:
    good = f"/pipelines/quality/executions/{world.id(world.good)}"
    views = [f"{good}?view={view}" for view in ("times", "artifacts", "parameters")]
    steps = [f"{good}?step=Evaluate&tab=output", f"{good}?step=Check"]
    failed = f"/pipelines/broken/executions/{world.id(world.failed)}"
    lists = ["/pipelines", "/pipelines/quality", "/jobs?kind=processing", "/models", "/models/quality?v=1&v=2", "/s3"]
    compared = f"/pipelines/quality/compare?e={world.id(world.good)}&e={world.id(world.better)}"
    tabs = ["/pipelines/quality?tab=parameters", "/pipelines/quality?tab=graph&step=Check"]
    others = ["/pipelines/quality/start", "/models/quality/1", f"/s3/{BUCKET}", "/search?q=qual", "/lineage"]
    return [*views, *steps, failed, *lists, compared, *tabs, *others]


def test_everything_has_a_name_for_a_screen_reader(studio: Server, world: World, browser: Browser) -> None:
    for path in pages(world):
        browser.open(studio.url + path)
        nodes = browser.accessible()
        nameless = [node for node in nodes if node["role"] in NAMED and not str(node["name"]).strip()]
        assert nameless == [], path
        roles = {node["role"] for node in nodes}
        assert {"banner", "main", "navigation", "search"} <= roles, path
        levels = [node["level"] for node in nodes if node["role"] == "heading"]
        assert levels.count(1) == 1, path
        assert levels[0] == 1, (path, levels)
        assert all(later - earlier <= 2 for earlier, later in pairwise(levels)), (path, levels)
        headers = [node for node in nodes if node["role"] == "columnheader"]
        assert all(str(node["name"]).strip() for node in headers), path


def test_no_page_is_wider_than_a_telephone(studio: Server, world: World, browser: Browser) -> None:
    browser.resize(360, 740)
    try:
        for path in pages(world):
            browser.open(studio.url + path)
            assert browser.run("document.documentElement.scrollWidth <= innerWidth"), path
    finally:
        browser.resize(1400, 900)


def test_the_graph_is_read_as_links_with_their_states(studio: Server, world: World, browser: Browser) -> None:
    browser.open(f"{studio.url}/pipelines/quality/executions/{world.id(world.good)}?step=Check")
    nodes = browser.accessible()
    names = [str(node["name"]) for node in nodes if node["role"] == "link"]
    assert any(name.startswith("Evaluate, Processing, Succeeded") for name in names)
    assert "TooLow, Fail, Skipped, skipped" in names
    assert ("status", "Succeeded, 4 of 4 steps done") in said_status(browser)
    assert any(node["role"] == "complementary" and node["name"] == "Step Check" for node in nodes)


def said_status(browser: Browser) -> list[tuple[str, str]]:
    text = browser.run("document.querySelector('[role=status]').innerText")
    return [(str(node["role"]), text) for node in browser.accessible() if node["role"] == "status"]


def test_the_focus_goes_from_top_to_bottom(studio: Server, world: World, browser: Browser) -> None:
    browser.open(f"{studio.url}/pipelines/quality/executions/{world.id(world.good)}?step=Evaluate")
    order = []
    for _ in range(30):
        browser.press("Tab")
        order.append(browser.focus())
    assert order[0] == "link Skip to the content"
    assert order[1:3] == ["link Studio", "link Pipelines"]
    places = [
        next(i for i, said in enumerate(order) if said.startswith(wanted))
        for wanted in ("searchbox Search everything", "link Run again", "link Graph", "link Evaluate, ", "link Close")
    ]
    assert places == sorted(places)
    assert len(set(order)) >= 20, "nothing holds the focus"


def test_the_skip_link_leads_to_the_content(studio: Server, world: World, browser: Browser) -> None:
    browser.open(f"{studio.url}/pipelines")
    browser.press("Tab")
    browser.press("Enter")
    assert browser.run("location.hash") == "#content"
    browser.press("Tab")
    assert browser.run("document.querySelector('main').contains(document.activeElement)")


def test_keys_open_and_close_a_step(studio: Server, world: World, browser: Browser) -> None:
    browser.open(f"{studio.url}/pipelines/quality/executions/{world.id(world.good)}")
    browser.run("document.querySelector('#n-Evaluate').focus()")
    browser.press("Enter")
    browser.until("location.search.includes('step=Evaluate') && document.querySelector('.panel') !== null")
    browser.press("Escape")
    browser.until(
        "location.search.includes('step=') && document.querySelector('.panel') === null"
        " && document.readyState === 'complete'"
    )
    browser.press("?")
    assert browser.run("document.querySelector('#help').open")


@pytest.fixture
def without_scripts(browser: Browser) -> Iterator[Browser]:
    browser.send("Emulation.setScriptExecutionDisabled", value=True)
    yield browser
    browser.send("Emulation.setScriptExecutionDisabled", value=False)


def test_without_scripts_one_starts_and_watches_by_loading_again(
    studio: Server, world: World, without_scripts: Browser
) -> None:
    page = without_scripts
    page.open(f"{studio.url}/pipelines/slow")
    page.click_by_mouse(".actions .primary")
    page.click_by_mouse("form.form button.primary")
    started = page.address()
    assert "/executions/" in started
    assert "Without JavaScript this page does not follow by itself" in page.seen()
    until(lambda: "tick 3" in page.load(f"{started}?step=Wait&tab=logs"), every=0.3)
    page.click_by_mouse(".head .act button")
    until(lambda: "Stopped" in page.load(started), every=0.3)
    assert "Without JavaScript" not in page.seen()


def test_without_scripts_one_reads_logs_compares_and_approves(
    studio: Server, world: World, without_scripts: Browser, runner: Runner
) -> None:
    page = without_scripts
    page.open(f"{studio.url}/pipelines/broken/executions/{world.id(world.failed)}")
    assert "FileNotFoundError: [Errno 2]" in page.seen()
    page.open(f"{studio.url}/pipelines/quality")
    for arn in (world.good, world.better):
        page.click_by_mouse(f"#e-{world.id(arn)}", leads_on=False)
    page.click_by_mouse("form[action$=compare] button")
    assert "Evaluate · auc" in page.seen()
    page.open(f"{studio.url}/models/quality/1")
    page.click_by_mouse('button[value="Rejected"]')
    assert "Rejected" in page.seen()
    summaries = runner.sagemaker.list_model_packages(ModelPackageGroupName="quality")["ModelPackageSummaryList"]
    assert {one["ModelPackageVersion"]: one["ModelApprovalStatus"] for one in summaries}[1] == "Rejected"


def test_on_paper_there_is_all_the_content_and_nothing_to_click(studio: Server, world: World, browser: Browser) -> None:
    browser.open(f"{studio.url}/pipelines/broken/executions/{world.id(world.failed)}?step=Load&tab=logs")
    browser.send("Emulation.setEmulatedMedia", media="print")
    try:
        hidden = "getComputedStyle(document.querySelector('%s')).display === 'none'"
        assert all(browser.run(hidden % part) for part in (".top", ".actions", ".tools", ".close"))
        whole = "(() => { const e = document.querySelector('%s'); return e.scrollHeight <= e.clientHeight + 1 })()"
        assert all(browser.run(whole % part) for part in (".log", ".panel", ".canvas"))
        assert browser.run("document.documentElement.scrollWidth <= innerWidth")
        ground = browser.run("getComputedStyle(document.documentElement).backgroundColor")
        assert ground == "rgb(255, 255, 255)"
    finally:
        browser.send("Emulation.setEmulatedMedia", media="screen")
