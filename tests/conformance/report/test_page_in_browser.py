"""The page in a real browser: it is quiet, loads nothing, and can be used by keyboard."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from conformance.report import html
from conformance.report.summary import Laws
from conformance.rule import Finding, Level, Outcome, Verdict
from conformance.run import Run
from openapi.wire.exchange import Read
from tests.conformance.report.made import (
    BOOK,
    HEADER,
    HOSTILE,
    Row,
    dead_run,
    ended,
    hostile_run,
    recorded,
    several_runs,
    small_run,
)

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
Axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed").Axe


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

    def __call__(self, *runs: Run, language: str = "en", laws: Laws = BOOK, **options: Any) -> Opened:
        path = self.folder / "report.html"
        path.write_text(html.render(runs, laws, language=language), encoding="utf-8")
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


# --- several relays, languages, keys ----------------------------------------------------------------------------------


def test_where_relays_differ_is_a_button_and_a_key(opener: Opener) -> None:
    opened = opener(*several_runs())
    assert opened.said == []
    assert len(opened.asked) == 1
    opened.page.keyboard.press("d")
    assert shown(opened) == ["errors.no-key"]
    cells = opened.page.locator("[id='errors.no-key'] .cells > b").all_inner_texts()
    assert cells == ["pass", "fail", "untestable"]  # fewest MUST failures first, the dead one last
    opened.page.click("#clear")
    assert len(shown(opened)) == 13
    assert opened.page.locator("#differ").get_attribute("aria-pressed") == "false"


def test_a_bar_opens_to_the_rules_of_its_chapter(opener: Opener) -> None:
    opened = opener(*several_runs())
    opened.page.click(".matrix button[data-chapter=errors]")
    assert shown(opened) == ["errors.no-key", "errors.wrong-type"]


def test_escape_closes_a_rule_and_then_empties_the_filter(opener: Opener) -> None:
    opened = opener(small_run())
    page = opened.page
    page.click("button.chip[data-outcome=fail]")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    assert page.locator("details.rule[open]").count() == 1
    page.keyboard.press("Escape")
    assert page.locator("details.rule[open]").count() == 0
    assert len(shown(opened)) == 4
    page.keyboard.press("Escape")
    assert len(shown(opened)) == 12


def test_a_question_mark_tells_the_keys(opener: Opener) -> None:
    page = opener(small_run()).page
    page.keyboard.press("?")
    assert page.is_visible("#help")
    page.keyboard.press("Escape")
    assert not page.is_visible("#help")


def test_the_language_switches_and_is_kept(opener: Opener) -> None:
    opened = opener(*several_runs())
    page = opened.page
    english = page.inner_text("main")
    page.click("#language")
    assert page.evaluate("document.documentElement.lang") == "zh-CN"
    for word in ("中转站", "违反 MUST", "已验证", "平台覆盖"):
        assert word in page.inner_text("main")
    page.fill("#filter", "违反")
    failed = ["chat.stream.finish-once", "errors.no-key", "chat.stream.role-first", "transport.request-id"]
    assert shown(opened) == failed
    page.reload()
    assert page.evaluate("document.documentElement.lang") == "zh-CN"
    page.click("#language")
    assert page.inner_text("main") == english


def test_a_page_made_in_chinese_says_the_same_as_one_that_was_switched(opener: Opener) -> None:
    switched = opener(*several_runs()).page
    switched.click("#language")
    assert opener(*several_runs(), language="zh").page.inner_text("body") == switched.inner_text("body")


def test_the_evidence_of_the_relay_that_failed_is_shown_with_the_state_of_the_grammar(opener: Opener) -> None:
    unended = recorded("litellm/chat-stream", "e1", "chat.stream")
    cut = replace(unended, reads=(*unended.reads[:3], Read(9.0, b"data: [DONE]\n\n")))
    number = len(cut.messages) - 1
    found = Finding("[DONE] within the answer", number)
    failed = Verdict("chat.stream.finish-once", Level.MUST, Outcome.FAIL, "chat.stream", ("e1",), (found,))
    page = opener(ended(Run(HEADER, (cut,), (failed,)))).page
    page.click("[id='chat.stream.finish-once'] > summary")
    told = page.locator("[id='chat.stream.finish-once'] tr.hit .grammar")
    told.wait_for()
    assert told.inner_text().startswith("The stream left its grammar here. State: within the answer; came: [DONE];")


def test_a_link_into_the_document_opens_its_part(opener: Opener) -> None:
    law = Row("usage.sum", Level.MUST, "The total is the sum.", "openapi#/components/schemas/Usage")
    opened = opener(small_run(), laws={**BOOK, "usage.sum": law})
    opened.page.click("[id='usage.sum'] > summary")
    opened.page.click("[id='usage.sum'] cite a")
    opened.page.wait_for_selector("#d-components-schemas-Usage[open]")
    assert "prompt_tokens" in opened.page.inner_text("#d-components-schemas-Usage pre")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("several", [False, True])
def test_axe_finds_nothing(opener: Opener, several: bool, scheme: str) -> None:
    runs = several_runs() if several else (small_run(),)
    page = opener(*runs, color_scheme=scheme, viewport={"width": 1280, "height": 900}).page
    page.eval_on_selector_all("details:not(.exchange)", "all => all.forEach(one => { one.open = true; })")
    page.wait_for_timeout(100)
    axe = Axe()
    assert [(one["id"], one["nodes"][0]["html"]) for one in axe.run(page).response["violations"]] == []
    page.evaluate("document.querySelector('main').append(document.createElement('img'))")
    found = axe.run(page, options={"runOnly": ["image-alt"]}).response["violations"]
    assert [one["id"] for one in found] == ["image-alt"]  # it does find what is there


@pytest.mark.parametrize("text", HOSTILE, ids=[repr(text[:12]) for text in HOSTILE])
def test_hostile_relays_side_by_side_change_nothing_and_run_nothing(opener: Opener, text: str) -> None:
    opened = opener(hostile_run(text), small_run(), hostile_run(text[::-1]), dead_run())
    page = opened.page
    page.eval_on_selector_all("details", "all => all.forEach(one => { one.open = true; })")
    page.click("#language")
    page.wait_for_timeout(100)
    assert opened.said == []
    assert len(opened.asked) == 1
    assert page.evaluate("window.pwned") is None
    assert page.evaluate("document.querySelectorAll('img,iframe,object,embed,form,base,link').length") == 0
    assert page.locator("h1").inner_text() == "4 个中转站对比"


def test_several_relays_fit_a_phone(opener: Opener) -> None:
    page = opener(*several_runs(), viewport={"width": 360, "height": 740}).page
    page.eval_on_selector_all("details", "all => all.forEach(one => { one.open = true; })")
    page.wait_for_timeout(50)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_on_paper_failures_are_open_and_buttons_are_gone(opener: Opener) -> None:
    page = opener(small_run()).page
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("details.rule.g-MUST:not([open])").count() == 0
    assert not page.is_visible("#filter")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


def test_evidence_that_is_left_out_says_how_to_see_it(opener: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ROOM", "ALLOWANCE", "LEAST"):
        monkeypatch.setattr(f"conformance.report.page.{name}", 0)
    page = opener(*several_runs()).page
    page.click("[id='errors.no-key'] > summary")
    told = page.locator("[id='errors.no-key'] .slot[open] > div")
    told.wait_for()
    assert told.locator("code").inner_text() == "relayproof report RUN.jsonl --exchange e3"
