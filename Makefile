# One environment, two commands: `make demo` and `make test` set up what they need.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8787
KILLS ?= reports/local/kills
FUZZ_SECONDS ?= 1800
CLIENTS := tests/system/clients
SCHEMAS := tests/conformance/report/schemas
FOREIGN := $(VENV)/foreign
# The tests of what is covered to the last branch (pyproject.toml): by them alone, as measuring doubles the time of others.
MEASURED := tests/openapi tests/conformance/rules tests/conformance/test_judge.py
SOURCES := $(shell find openapi mock_server conformance proof relayproof.py -type f -not -path "*/__pycache__/*")

# A thousand processes are started by the tests: with this set each would compile the whole package again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo serve test check lint format docs proof mutation fuzz clients schemas foreign clean

demo: $(VENV)/demo.stamp
	$(BIN)/relayproof demo

serve: $(VENV)/demo.stamp
	$(BIN)/relayproof serve --port $(PORT)

test: $(VENV)/test.stamp foreign
	$(BIN)/python -m pytest -n 2 --dist worksteal $(MEASURED) --cov
	$(BIN)/python -m pytest -n 2 --dist worksteal --ignore tests/system $(addprefix --ignore=,$(MEASURED))
	$(BIN)/python -m pytest -n 4 --dist worksteal tests/system

check: lint test

lint: $(VENV)/test.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/test.stamp
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# What is made from the code: a test compares it.
docs: $(VENV)/demo.stamp
	$(BIN)/relayproof rules --markdown > docs/rules.md
	$(BIN)/relayproof rules --proof > conformance/data/proof.json

# Every fault and every honest variant, the whole way: minutes.
proof: $(VENV)/demo.stamp
	$(BIN)/relayproof selftest --keep $(KILLS) --markdown reports/kill-matrix.md --peers reports/peers.md

# Each check without its body, judged on the runs that `make proof` kept.
mutation: $(VENV)/test.stamp
	$(BIN)/python tests/mutation.py $(KILLS) --kind "find nothing" --no-tests

# Hostile bytes and hostile clients for half an hour, outside of the tests; what was found is told and makes it fail.
fuzz: $(VENV)/fuzz.stamp
	$(BIN)/python tests/fuzz/run.py $(FUZZ_SECONDS) reports/local/fuzz

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/demo.stamp: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable .
	touch $@

$(VENV)/test.stamp: $(VENV)/demo.stamp
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	touch $@

$(VENV)/fuzz.stamp: $(VENV)/test.stamp
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[fuzz]'
	touch $@

# Other people's clients, for tests/system/test_clients.py; npm's for Node, pip's in an environment of their own.
clients: $(CLIENTS)/node_modules/.stamp $(CLIENTS)/.venv/.stamp

$(CLIENTS)/node_modules/.stamp: $(CLIENTS)/package.json
	npm install --prefix $(CLIENTS) --no-package-lock --no-audit --no-fund --loglevel=error
	touch $@

$(CLIENTS)/.venv/.stamp: $(CLIENTS)/requirements.txt
	$(PYTHON) -m venv $(CLIENTS)/.venv
	$(CLIENTS)/.venv/bin/python -m pip install --quiet --disable-pip-version-check --requirement $<
	touch $@

# The schemas of SARIF and JUnit, out of packages that carry them, for tests/conformance/report/test_schemas.py.
schemas: $(SCHEMAS)/node_modules/.stamp

$(SCHEMAS)/node_modules/.stamp: $(SCHEMAS)/package.json
	npm install --prefix $(SCHEMAS) --no-package-lock --no-audit --no-fund --legacy-peer-deps --loglevel=error
	touch $@

# Somebody else's project, for tests/system/test_foreign.py: the wheel beside other plugins of pytest.
foreign: $(FOREIGN)/.stamp

$(FOREIGN)/.stamp: tests/system/foreign/requirements.txt constraints.txt pyproject.toml $(SOURCES)
	test -x $(FOREIGN)/bin/python || $(PYTHON) -m venv $(FOREIGN)
	$(FOREIGN)/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --requirement $< .
	touch $@

clean:
	rm -rf $(VENV) $(CLIENTS)/node_modules $(SCHEMAS)/node_modules $(CLIENTS)/.venv build dist .coverage .mypy_cache .ruff_cache .pytest_cache .hypothesis
