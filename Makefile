# `make demo` and `make test` need nothing but Python 3.11 or newer; everything else they install into .venv from requirements.lock.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
DEMO_HOME ?= authcode-home

.DEFAULT_GOAL := help
.PHONY: help setup demo test coverage lint format bench pictures reference system lock wheel

help: ## Show what can be made.
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "authcode needs Python 3.11 or newer; set PYTHON=/path/to/python3.11" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $(STAMP)

setup: $(STAMP) ## Make .venv and install the locked requirements.

demo: $(STAMP) ## The whole story on this machine; then the server stays up until Ctrl-C.
	$(BIN)/authcode demo --home $(DEMO_HOME)

test: $(STAMP) ## Every test, in parallel.
	$(BIN)/python -m pytest --numprocesses 2

coverage: $(STAMP) ## Every test again, with the branches that none of them takes; servers and commands included.
	$(BIN)/python -m pytest --numprocesses 2 --cov --cov-report=term:skip-covered

lint: $(STAMP) ## Style, types and import contracts.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(STAMP) ## Let the formatter have its way.
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(STAMP) ## Measure reading beside the peers (needs AUTHCODE_PHOTOS), redeeming, the log, the dashboard at scale.
	$(BIN)/python -m benchmarks.read
	$(BIN)/python -m benchmarks.redeem
	$(BIN)/python -m benchmarks.log_cost
	$(BIN)/python -m benchmarks.dashboard

pictures: $(STAMP) ## Make the pictures of the README anew (needs Chromium).
	$(BIN)/python -m tests.browser.pictures docs/pictures

reference: $(STAMP) ## Make the reference part of docs/api.md anew from the OpenAPI document.
	$(BIN)/python -m tests.docs.reference

wheel: $(STAMP) ## Build the wheel into dist/.
	$(BIN)/python -m hatchling build -t wheel

lock: ## Resolve requirements.lock anew (needs uv).
	uv pip compile pyproject.toml --all-extras --group dev --universal --python-version 3.11 --generate-hashes --no-header \
	  --no-annotate --no-emit-index-url --no-emit-find-links --upgrade --output-file requirements.lock

system: ## Install with apt what needs root: a browser, fonts, a PDF renderer.
	apt-get update -qq
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-noto-core fonts-noto-cjk poppler-utils
