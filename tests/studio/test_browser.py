"""The main ways through studio in a real browser: start, watch, fail, read the log, compare, approve."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.small_pipelines import Runner, processing_step
from tests.studio.browser import Browser, find_chromium, launched
from tests.studio.servers import Server
from tests.studio.world import World

CHROMIUM = find_chromium()
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed (apt-get install chromium)")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with launched(CHROMIUM or "") as browser:
        browser.resize(1400, 900)
        yield browser


@pytest.fixture
def browser(chromium: Browser) -> Iterator[Browser]:
    """The browser, which may not have had an error in any script at the end."""
    chromium.errors.clear()
    yield chromium
    assert chromium.errors == []


def test_start_and_watch_until_it_ends(studio: Server, world: World, browser: Browser) -> None:
    browser.open(f"{studio.url}/pipelines")
    browser.click('a[href="/pipelines/quality"]')
    browser.click(".actions .primary")
    browser.fill('[name="p.Auc"]', "0.81")
    browser.click("form.form button.primary")
    assert "/executions/" in browser.run("location.pathname")
    places = browser.run(PLACES)
    browser.until("document.querySelector('.meta').innerText.includes('Succeeded')")
    assert browser.run(PLACES) == places, "nothing moves while it runs"
    assert browser.run("document.querySelector('#n-Publish').getAttribute('aria-label')").startswith(
        "Publish, Processing, Succeeded"
    )


PLACES = """[...document.querySelectorAll('.node')].map((node) => {
    const { x, y } = node.getBoundingClientRect(); return [node.id, x, y] })"""


def test_a_failure_opens_at_its_line(studio: Server, world: World, browser: Browser) -> None:
    browser.open(f"{studio.url}/pipelines/broken/executions/{world.id(world.failed)}")
    assert browser.run("document.querySelector('.panel h2').innerText") == "Load"
    inside = """(() => { const line = document.querySelector('.line.cause').getBoundingClientRect(),
        log = document.querySelector('.log').getBoundingClientRect();
        return line.top >= log.top && line.bottom <= log.bottom + 1 && line.bottom < innerHeight })()"""
    assert browser.run(inside)
    assert browser.run("document.querySelectorAll('.log script').length") == 0


def test_log_grows_while_it_is_read(studio: Server, world: World, browser: Browser, runner: Runner) -> None:
    execution = runner.start("slow")
    browser.open(f"{studio.url}/pipelines/slow/executions/{world.id(execution)}?step=Wait&tab=logs")
    browser.until("document.querySelector('.log')?.innerText.includes('tick 5')")
    browser.run("findline.focus(), findline.value = 'tick 1'")
    browser.until("document.querySelector('.log').innerText.includes('tick 15')")
    assert browser.run("[findline.value, document.activeElement.id]") == ["tick 1", "findline"], "what is typed stays"
    browser.click(".head .act button")
    browser.until("document.querySelector('.meta').innerText.includes('Stopped')")


def test_a_tab_that_nobody_sees_rests(studio: Server, world: World, browser: Browser, runner: Runner) -> None:
    execution = runner.start("slow")
    browser.open(f"{studio.url}/pipelines/slow/executions/{world.id(execution)}?step=Wait&tab=logs")
    lines = "document.querySelectorAll('.log .line').length"
    browser.until(f"{lines} > 3")
    turn = """Object.defineProperty(document, 'visibilityState', {value: '%s', configurable: true}),
        document.dispatchEvent(new Event('visibilitychange'))"""
    browser.run(turn % "hidden")
    before = browser.run(lines)
    browser.run("new Promise((done) => setTimeout(done, 900))")
    assert browser.run(lines) == before
    browser.run(turn % "visible")
    browser.until(f"{lines} > {before} + 5")
    browser.click(".head .act button")


def test_graph_by_keyboard(studio: Server, world: World, browser: Browser) -> None:
    browser.open(f"{studio.url}/pipelines/quality/executions/{world.id(world.good)}")
    browser.run("document.querySelector('#n-Evaluate').focus()")
    browser.press("ArrowDown")
    assert browser.run("document.activeElement.id") == "n-Check"
    width = browser.run("document.querySelector('#graph').getBoundingClientRect().width")
    browser.press("+")
    assert browser.run("document.querySelector('#graph').getBoundingClientRect().width") > width
    browser.press("/")
    assert browser.run("document.activeElement.name") == "q"


@pytest.fixture
def chain(runner: Runner, world: World) -> str:
    """A pipeline that is longer than a screen."""
    steps = [processing_step("Step0")]
    steps += [processing_step(f"Step{i}", depends_on=[f"Step{i - 1}"]) for i in range(1, 30)]
    runner.create(*steps, name="chain")
    return "/pipelines/chain?tab=graph"


def test_pan_minimap_and_search_of_a_step(studio: Server, chain: str, browser: Browser) -> None:
    browser.open(studio.url + chain)
    top = "document.querySelector('#canvas').scrollTop"
    assert browser.run(top) == 0
    browser.drag("#canvas", 0, -200)
    assert browser.run(top) == 200
    map_ = browser.run(
        "(({x, y, width, height}) => [x + width / 2, y + height * 0.9])(minimap.getBoundingClientRect())"
    )
    browser.mouse("mousePressed", *map_)
    browser.mouse("mouseReleased", *map_)
    assert browser.run(top) > 1000
    browser.run("findstep.value = 'Step12', findstep.dispatchEvent(new Event('input'))")
    assert browser.run("document.querySelectorAll('.node:not(.dim)').length") == 1
    browser.run("document.querySelector('[data-zoom=fit]').click()")
    assert browser.run("graph.getBoundingClientRect().height <= innerHeight")


def test_what_is_copied_is_the_whole_value(studio: Server, world: World, browser: Browser) -> None:
    browser.send("Browser.grantPermissions", permissions=["clipboardReadWrite", "clipboardSanitizedWrite"])
    browser.open(f"{studio.url}/pipelines/quality?tab=settings")
    browser.run("document.querySelector('[data-copy^=\"arn:aws:sagemaker\"]').click()")
    browser.until("document.querySelector('.copy.done') !== null")
    assert browser.run("navigator.clipboard.readText()") == world.good.rsplit("/execution/", 1)[0]


def test_compare(studio: Server, world: World, browser: Browser) -> None:
    browser.open(f"{studio.url}/pipelines/quality")
    for arn in (world.good, world.better):
        browser.run(f"document.querySelector('#e-{world.id(arn)}').click()")
    browser.click("form[action$=compare] button")
    assert "Evaluate · auc" in browser.text()
    browser.click("[role=switch]")
    assert "diff=1" in browser.run("location.search")
    assert "Rounds" not in browser.text()


def test_approve(studio: Server, world: World, browser: Browser, runner: Runner) -> None:
    browser.open(f"{studio.url}/models/quality/2")
    browser.fill("#why", "better than version 1")
    browser.click('button[value="Approved"]')
    assert "Approved" in browser.run("document.querySelector('.meta').innerText")
    assert "better than version 1" in browser.text()
    summaries = runner.sagemaker.list_model_packages(ModelPackageGroupName="quality")["ModelPackageSummaryList"]
    assert {one["ModelPackageVersion"]: one["ModelApprovalStatus"] for one in summaries}[2] == "Approved"


@pytest.mark.parametrize("dark", [False, True])
def test_text_is_legible(studio: Server, world: World, browser: Browser, dark: bool) -> None:
    """Contrast of text against the nearest background that is painted, at least 4.5 to 1 (WCAG 2.2, 1.4.3)."""
    browser.resize(1400, 900, dark=dark)
    failed = f"/pipelines/broken/executions/{world.id(world.failed)}"
    good = f"/pipelines/quality/executions/{world.id(world.good)}?step=Check"
    for path in (good, failed, "/pipelines/quality", "/models/quality?v=1&v=2", "/jobs?kind=processing"):
        browser.open(studio.url + path)
        assert browser.run(CONTRAST) == [], path


CONTRAST = """(() => {
  const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const rgb = (color) => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1); return canvas.getImageData(0, 0, 1, 1).data; };
  const light = (c) => { const [r, g, b] = [0, 1, 2].map((i) => { const v = c[i] / 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; }); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const ground = (e) => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor); if (c[3] > 250) return c; } return rgb('Canvas'); };
  const faint = [];
  for (const e of document.querySelectorAll('main :is(h1, h2, p, dt, dd, a, span, th, td)')) {
    if (!e.innerText?.trim() || e.closest('svg, .sr')) continue;
    const [a, b] = [light(rgb(getComputedStyle(e).color)), light(ground(e))].sort((x, y) => y - x);
    if ((a + 0.05) / (b + 0.05) < 4.5) faint.push([e.className, e.innerText.slice(0, 30), (a + 0.05) / (b + 0.05)]);
  }
  return faint;
})()"""  # noqa: E501
