"""A run as JUnit XML, for CI: a test suite a chapter, a test case a rule, and one more that says whether the run ended.

    pass          passed
    fail          MUST: failure · SHOULD, MAY: skipped, told in its text and in system-out (SHOULD: failure if strict)
                  excused by a baseline or a dialect: skipped, as pytest writes an expected failure
    broken        error
    untestable    MUST: error, as exit 4 has it · else skipped
    inconclusive  MUST: error, but skipped where the model alone decided it (unless strict) · else skipped
    not-seen      skipped
    skipped       skipped

`strict` weighs SHOULD as MUST, as `--strict` does. A run that did not end, or ended with exit 2, 3 or 5, is an error
of its own, so that an empty run is not green. The whole is valid by the schema of Jenkins.
"""

import xml.etree.ElementTree as ET
from collections.abc import Iterable

from conformance.report.escape import visible
from conformance.report.summary import Laws, Result, Summary, excuses_of, summarise
from conformance.rule import Level, Outcome
from conformance.run import Run

MESSAGE = 300
TEXT = 2000
MANY = 20  # findings of one rule that are told
RUN = "run"  # the suite of the test case that says whether the run ended


def render(run: Run, laws: Laws, *, strict: bool = False) -> str:
    """The XML text, with its declaration."""
    summary = summarise(run, laws)
    root = ET.Element("testsuites", name="relayproof")
    suites = [_suite(chapter, results, strict=strict) for chapter, results in summary.chapters.items()]
    red = any(int(suite.get(count, "0")) for suite in suites for count in ("failures", "errors"))
    root.append(_end(summary, told=red))
    root.extend(suites)
    _count(root, root.iter("testcase"))
    del root.attrib["skipped"]  # which stands on the suites; the schema has none on their root
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def kind(result: Result, *, strict: bool) -> str | None:
    """The element that a result becomes: failure, error, skipped or none."""
    heavy = result.level is Level.MUST or (strict and result.level is Level.SHOULD)
    match result.outcome:
        case Outcome.PASS:
            return None
        case Outcome.BROKEN:
            return "error"
        case Outcome.FAIL:
            return "failure" if heavy and not result.excused else "skipped"
        case Outcome.UNTESTABLE if heavy:
            return "error"
        case Outcome.INCONCLUSIVE if heavy and (strict or not result.mood):
            return "error"
    return "skipped"


def _suite(chapter: str, results: list[Result], *, strict: bool) -> ET.Element:
    suite = ET.Element("testsuite", name=visible(chapter, MESSAGE))
    suite.extend(_case(result, kind(result, strict=strict)) for result in results)
    _count(suite, suite.iter("testcase"))
    return suite


def _case(result: Result, tag: str | None) -> ET.Element:
    case = _testcase(result.chapter, result.rule)
    if tag:
        known = result.excuses if result.excused else ()
        aside = "".join(f" [{text}]" for text in (result.flaky, *known) if text)
        message = f"{result.level.value}: {result.said or result.outcome.value}{aside}"
        _outcome(case, tag, message, f"{result.level.value} {result.outcome.value}", story(result))
    return case


def _outcome(case: ET.Element, tag: str, message: str, type: str, text: str) -> None:  # noqa: A002
    """A skipped element has no attribute in Jenkins' schema, so the message is its text, and its text system-out."""
    element = ET.SubElement(case, tag)
    if tag == "skipped":
        element.text = visible(message, MESSAGE)
        element = ET.SubElement(case, "system-out")
    else:
        element.set("message", visible(message, MESSAGE))
        element.set("type", type)
    element.text = text


def story(result: Result) -> str:
    """What is to be told of a result, line by line: the law, where it stands, the findings, why it is open."""
    told = [f"{result.level.value} {result.outcome.value}: {result.law or 'a rule that this version does not know'}"]
    told += [f"stands in: {result.cites}"] if result.cites else []
    for verdict, found in result.findings[:MANY]:
        at = "" if found.at is None else f", at {found.at}"
        place = f", {found.place}" if found.place else ""
        ids = ", ".join(verdict.exchanges) if found.exchange is None else found.exchange
        known = "".join(f" [{text}]" for text in excuses_of(verdict))
        told.append(f"- {found.text} [{verdict.probe or 'no probe'}: {ids}{at}{place}]{known}")
    left = len(result.findings) - MANY
    told += [f"and {left} more findings in the run file"] if left > 0 else []
    told += [f"why: {reason}" for reason in result.reasons[:MANY]]
    told += [result.flaky] if result.flaky else []
    told += result.doubts[:MANY]
    return "\n".join(visible(line, TEXT) for line in told)


def _end(summary: Summary, *, told: bool) -> ET.Element:
    """The case that says whether the run ended: red also where no other case tells why the exit code is not 0."""
    suite = ET.Element("testsuite", name=RUN)
    footer = summary.run.footer
    if footer:
        suite.set("timestamp", visible(summary.run.header.started, MESSAGE))
    properties = ET.SubElement(suite, "properties")
    for name, value in _provenance(summary):
        ET.SubElement(properties, "property", name=name, value=visible(value, MESSAGE))
    case = _testcase(RUN, "run.ended")
    suite.append(case)
    if summary.exit not in {0, 1, 4} or (summary.exit == 4 and not told):
        note = footer.note if footer and footer.note else ""
        _outcome(case, "error", summary.meaning, "run", visible(f"{summary.meaning} {note}".strip(), TEXT))
    ET.SubElement(suite, "system-out").text = visible(summary.line, TEXT)
    _count(suite, [case])
    return suite


def _provenance(summary: Summary) -> list[tuple[str, str]]:
    header = summary.run.header
    return [
        ("relay", summary.relay),
        ("document", header.document),
        ("suite", header.suite),
        ("seed", str(header.seed)),
        ("started", header.started),
        ("exit", "none" if summary.exit is None else str(summary.exit)),
        *((f"baseline.{note.kind.value}", f"{note.waiver}: {note.text}") for note in summary.notes[:MANY]),
    ]


def _testcase(chapter: str, name: str) -> ET.Element:
    return ET.Element("testcase", classname=f"relayproof.{visible(chapter, MESSAGE)}", name=visible(name, MESSAGE))


def _count(element: ET.Element, cases: Iterable[ET.Element]) -> None:
    listed = list(cases)
    element.set("tests", str(len(listed)))
    for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        element.set(attribute, str(sum(case.find(tag) is not None for case in listed)))
