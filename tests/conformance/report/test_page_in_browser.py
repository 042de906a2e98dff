"""The page in a real browser: it is quiet, loads nothing, and can be used by keyboard."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from conformance.report import html
from conformance.run import Run
from tests.conformance.report.made import BOOK, HOSTILE, hostile_run, small_run

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

pytestmark = pytest.mark.skipif(not os.access(CHROMIUM, os.X_OK), reason=f"no Chromium at {CHROMIUM}")
playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")


@dataclass
class Opened:
    """A page, with what it said and what it asked for."""

    page: Any
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=list(ARGUMENTS))
        yield browser
        browser.close()


class Opener:
    """Opens the page of a run, and closes it again."""

    def __init__(self, browser: Any, folder: Path) -> None:
        self.browser, self.folder = browser, folder

    def __call__(self, run: Run, **options: Any) -> Opened:
        path = self.folder / "report.html"
        path.write_text(html.render(run, BOOK), encoding="utf-8")
        opened = Opened(self.browser.new_context(**options).new_page())
        opened.page.on("console", lambda message: opened.said.append(message.text))
        opened.page.on("pageerror", lambda error: opened.said.append(str(error)))
        opened.page.on("request", lambda request: opened.asked.append(request.url))
        opened.page.goto(path.as_uri())
        return opened


@pytest.fixture
def opener(browser: Any, tmp_path: Path) -> Iterator[Opener]:
    yield Opener(browser, tmp_path)
    for context in browser.contexts:
        context.close()


def shown(opened: Opened) -> list[str]:
    ids: list[str] = opened.page.eval_on_selector_all(
        "details.rule", "rules => rules.filter(one => one.checkVisibility()).map(one => one.id)"
    )
    return ids


def test_it_says_nothing_and_loads_nothing(opener: Opener) -> None:
    opened = opener(small_run())
    opened.page.eval_on_selector_all("details", "all => all.forEach(one => { one.open = true; })")
    opened.page.wait_for_timeout(50)
    assert opened.said == []
    assert len(opened.asked) == 1


@pytest.mark.parametrize("text", HOSTILE, ids=[repr(text[:12]) for text in HOSTILE])
def test_nothing_that_a_relay_says_runs(opener: Opener, text: str) -> None:
    opened = opener(hostile_run(text))
    opened.page.eval_on_selector_all("details", "all => all.forEach(one => { one.open = true; })")
    opened.page.wait_for_timeout(50)
    assert opened.page.evaluate("window.pwned") is None
    assert (opened.said, len(opened.asked)) == ([], 1)
    assert opened.page.locator("#filter").count() == 1


def test_slash_filters_arrows_walk_and_enter_opens(opener: Opener) -> None:
    page = (opened := opener(small_run())).page
    page.keyboard.press("/")
    page.keyboard.type("errors must")
    assert shown(opened) == ["errors.no-key"]
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert page.locator("[id='errors.no-key']").get_attribute("open") is not None
    page.keyboard.press("/")
    page.keyboard.press("Escape")
    assert len(shown(opened)) == 12
    page.keyboard.press("j")
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.parentElement.id") == shown(opened)[1]


def test_no_rule_fits_is_said(opener: Opener) -> None:
    opened = opener(small_run())
    opened.page.fill("#filter", "nothing like this")
    assert shown(opened) == []
    assert opened.page.is_visible("#none")


def test_chips_and_chapters_filter_together(opener: Opener) -> None:
    opened = opener(small_run())
    opened.page.click("button.chip[data-outcome=fail]")
    opened.page.click("button.chapter[data-chapter=chat]")
    assert shown(opened) == ["chat.stream.finish-once", "chat.stream.role-first"]


def test_a_failure_opens_with_its_evidence_marked(opener: Opener) -> None:
    page = opener(small_run()).page
    page.click("[id='chat.stream.role-first'] > summary")
    page.wait_for_selector("[id='chat.stream.role-first'] .log tr.hit")
    marked = page.locator("[id='chat.stream.role-first'] .log tr.hit td:first-child").all_inner_texts()
    assert marked == ["2", "30"]  # and not event 50, which is another rule's


def test_an_anchor_opens_its_rule(opener: Opener) -> None:
    page = opener(small_run()).page
    page.evaluate("location.hash = 'errors.no-key'")
    page.wait_for_selector("[id='errors.no-key'][open]")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_theme_follows_the_system_until_it_is_chosen(opener: Opener, scheme: str) -> None:
    page = opener(small_run(), color_scheme=scheme).page
    ground = "getComputedStyle(document.body).backgroundColor"
    before = page.evaluate(ground)
    page.click("#theme")
    assert page.evaluate(ground) != before
    page.reload()
    assert page.evaluate(ground) != before
    page.click("#theme")
    assert page.evaluate(ground) == before


def test_a_phone_scrolls_in_one_direction_only(opener: Opener) -> None:
    page = opener(small_run(), viewport={"width": 360, "height": 740}).page
    page.eval_on_selector_all("details", "all => all.forEach(one => { one.open = true; })")
    page.wait_for_timeout(50)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
