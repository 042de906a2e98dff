"""A job summary: short, and with nothing in it that Markdown would obey."""

from dataclasses import replace

import pytest

from conformance.report import markdown
from tests.conformance.report.made import BOOK, ended, small_run

GOLDEN = """\
## ❌ a-relay: Breaks a MUST

**MUST 2/4 · SHOULD 1/2 · MAY 0/1 · 1 broken · 1 untestable · 1 inconclusive (1 MUST by the model alone) · \
1 not-seen · 1 skipped**

exit 1: a MUST is broken.

spent: 5 requests, 5,090 tokens as reported

### MUST failed (2)

| rule | law | found | probe | exchange |
| --- | --- | --- | --- | --- |
| chat.stream.finish-once | Each choice ends with exactly one finish\\_reason that is not null. | \
choice 1: no finish\\_reason in the whole stream | chat.n | e1 |
| errors.no-key | A request without a key is answered 401. | \
expected 401, the answer was 500: Internal Server Error | errors.no-key | e3 |
"""


def test_golden_head() -> None:
    assert markdown.render(ended(small_run(), 1), BOOK).startswith(GOLDEN)


def test_chapters_and_what_was_not_verified_have_tables() -> None:
    text = markdown.render(small_run(), BOOK)
    assert "| tools | 0/0 | · | · | · | · | 1 | 1 | · |" in text
    assert "<summary>Not verified (4)</summary>" in text
    assert "| tools.called | MUST | inconclusive | cut by length |" in text


def test_a_run_that_did_not_end_says_so() -> None:
    text = markdown.render(replace(small_run(), footer=None), BOOK)
    assert text.startswith("## ⚠️ a-relay: Did not end")
    assert "no exit code: this run did not end; `relayproof judge RUN` judges what is in it." in text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a|b", r"a\|b"),
        ("`x`", r"\`x\`"),
        ("<img src=x>", "&lt;img src=x&gt;"),
        ("&lt;", "&amp;lt;"),
        ("@user **b** [l](u)", r"&#64;user \*\*b\*\* \[l\](u)"),
        ("a\nb", "a\\\\nb"),
    ],
)
def test_relay_text_is_text(text: str, shown: str) -> None:
    assert markdown.escaped(text) == shown
