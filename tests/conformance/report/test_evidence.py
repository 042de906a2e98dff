"""The wire log: numbers as findings use them, folds that say what they hide, marks where findings are."""

from dataclasses import replace

from conformance.report.evidence import Fold, Row, evidence
from conformance.rule import Finding, Level, Outcome, Verdict
from openapi.wire.exchange import Exchange, Read, Request
from tests.conformance.report.made import recorded

REQUEST = Request("POST", "/v1/chat/completions", body=b"{}")


def found(*places: int, exchanges: tuple[str, ...] = ("e1",)) -> Verdict:
    marks = tuple(Finding("x", at) for at in places)
    return Verdict("a.rule", Level.MUST, Outcome.FAIL, "p", exchanges, marks)


def stream(count: int, step: float = 0.1) -> Exchange:
    reads = tuple(Read(step * number, f"data: {number}\n\n".encode()) for number in range(count))
    return Exchange("e1", REQUEST, 200, (("content-type", "text/event-stream"),), reads, ended_at=step * count)


def rows(exchange: Exchange, *verdicts: Verdict) -> list[str]:
    shown = evidence(exchange, 0, "x0-0", verdicts, None).rows
    return [f"{row.items} left" if isinstance(row, Fold) else str(row.number or row.kind) for row in shown]


def test_a_long_stream_is_folded_in_the_middle() -> None:
    shown = rows(stream(100))
    assert shown == [
        *("event", "1", "2", "3", "4", "5", "6", "7"),
        "87 left",
        *("95", "96", "97", "98", "99", "end"),
    ]


def test_a_finding_opens_the_fold_around_it() -> None:
    shown = rows(stream(100), found(50))
    assert shown[8:13] == ["41 left", "49", "50", "51", "43 left"]


def test_a_fold_of_one_is_no_fold() -> None:
    assert "1 left" not in rows(stream(100), found(9))
    assert all("left" not in row for row in rows(stream(14)))


def test_every_event_is_shown_or_counted() -> None:
    for places in ((), (9,), (30, 31, 60), (99, 100)):
        shown = evidence(stream(100), 0, "x0-0", [found(*places)], None).rows
        items = sum(row.items if isinstance(row, Fold) else row.kind != "end" for row in shown)
        assert items == 100


def test_the_row_of_a_finding_names_its_rule() -> None:
    marked = [
        row for row in evidence(stream(9), 0, "x0-0", [found(3)], None).rows if isinstance(row, Row) and row.rules
    ]
    assert [(row.number, row.rules) for row in marked] == [(3, ("a.rule",))]


def test_a_finding_behind_the_last_event_marks_the_end() -> None:
    last = evidence(stream(9), 0, "x0-0", [found(9)], None).rows[-1]
    assert isinstance(last, Row)
    assert (last.kind, last.rules) == ("end", ("a.rule",))


def test_a_verdict_on_several_exchanges_marks_none_of_them() -> None:
    assert not evidence(stream(9), 0, "x0-0", [found(3, exchanges=("e1", "e2"))], None).rules


def test_gaps_count_from_the_event_before_even_over_a_fold() -> None:
    gaps = [round(row.gap, 3) for row in evidence(stream(100), 0, "x0-0", [], None).rows[1:] if isinstance(row, Row)]
    assert set(gaps) == {0.1}


def test_a_long_silence_catches_the_eye() -> None:
    assert [row.silent for row in evidence(stream(3, 6.0), 0, "x0-0", [], None).rows if isinstance(row, Row)][:2] == [
        False,
        True,
    ]


def test_comments_and_cut_ends_stand_between_the_events() -> None:
    body = b": hi\n\ndata: 1\n\nevent: x\n\ndata: 2"
    exchange = replace(stream(0), reads=(Read(0.1, body),))
    kinds = [row.kind for row in evidence(exchange, 0, "x0-0", [], None).rows if isinstance(row, Row)]
    assert kinds == ["comment", "blank", "event", "blank", "cut off", "end"]


def test_a_body_is_marked_at_the_byte_of_the_finding() -> None:
    exchange = Exchange("e1", REQUEST, 500, reads=(Read(0.1, b"Internal Server Error"),))
    assert evidence(exchange, 0, "x0-0", [found(9)], None).body == 'Internal <mark title="byte 9">▸</mark>Server Error'


def test_a_long_body_is_cut_between_characters_and_says_how_much() -> None:
    exchange = Exchange("e1", REQUEST, 200, reads=(Read(0.1, b"a" + "中".encode() * 5000),))
    body = str(evidence(exchange, 0, "x0-0", [found(9000)], None).body)
    assert "\\x" not in body
    assert "bytes …" in body
    assert "▸" in body
    assert len(body) < 1200


def test_a_real_exchange_is_shown_as_its_bytes_stood() -> None:
    exchange = recorded("litellm/chat-stream", "e1", "chat.stream")
    first = evidence(exchange, 0, "x0-0", [], None).rows[0]
    assert isinstance(first, Row)
    assert first.text.unescape().replace("<wbr>", "").startswith('data: {"id":')
