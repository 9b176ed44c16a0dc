# `make demo` and `make test` need Python 3.11 or newer and make. Everything else they install into .venv, hashed:
# requirements.lock is the product with all its extras and its build back end, requirements-dev.lock what tests and lint need on top.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
DEV_STAMP := $(VENV)/.installed-dev
DEMO_HOME ?= authcode-home

# The locks are complete, so pip resolves nothing: the pip of a plain Python 3.11 (23.2) refuses a hashed lock once a newer release
# of anything required with an extra exists. `pip check` finds what would be missing.
PIP := $(BIN)/python -m pip --disable-pip-version-check
INSTALL := $(PIP) install --quiet --no-deps --require-hashes --only-binary :all: --requirement
RESOLVE := uv pip compile pyproject.toml --quiet --all-extras --universal --python-version 3.11 --generate-hashes --no-header \
  --no-annotate --no-emit-index-url --no-emit-find-links
# What every locked package has wheels for; `make lock` checks it, and the sentence below and the README say it.
WHEEL_PYTHONS := 3.11 3.15
WHEEL_PLATFORMS := x86_64-manylinux_2_28 aarch64-manylinux_2_28 aarch64-apple-darwin x86_64-pc-windows-msvc

fail = { echo "$(1)" >&2; exit 2; }
ANOTHER := name another with PYTHON=/path/to/python3.11 after make
NO_PYTHON := authcode needs Python 3.11 or newer, and $(PYTHON) was not found: install it (Debian and Ubuntu: python3 python3-venv), or $(ANOTHER)
OLD_PYTHON = authcode needs Python 3.11 or newer, and $(PYTHON) is $$($(PYTHON) --version 2>&1): install a newer one, or $(ANOTHER)
NO_VENV = $(PYTHON) cannot make a virtual environment, because its module venv or ensurepip is missing: install it \
(Debian and Ubuntu: python$$($(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])')-venv), or $(ANOTHER)
NO_WHEELS := pip could not install the requirements (see above): if it reached the package index, this Python or system lacks a wheel; \
they exist for CPython 3.11 to 3.15 on Linux (glibc 2.28 or newer; x86-64, ARM64), macOS 15 or newer (Apple silicon) and Windows (x86-64), \
so remove the folder $(VENV) and $(ANOTHER); if not, run make again when the index can be reached
BROKEN := the packages in $(VENV) contradict each other (see above): remove the folder $(VENV) and run make again

.DEFAULT_GOAL := help
.PHONY: help setup environment demo test coverage lint format bench pictures reference system lock wheel check-setup

help: ## Show what can be made.
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

# A finished environment is kept when a lock changes; an unfinished one, or one whose Python has gone, starts from nothing.
$(STAMP): requirements.lock pyproject.toml
	@{ [ -e $@ ] && $(PIP) --version >/dev/null 2>&1; } || $(MAKE) --no-print-directory environment
	@$(if $(NEWEST_PIP),$(PIP) install --quiet --upgrade pip)
	@echo "Installing requirements.lock into $(VENV)"
	@$(INSTALL) requirements.lock || $(call fail,$(NO_WHEELS))
	@$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@[ -e $(DEV_STAMP) ] || $(PIP) check || $(call fail,$(BROKEN))
	@touch $@

$(DEV_STAMP): requirements-dev.lock $(STAMP)
	@echo "Installing requirements-dev.lock into $(VENV)"
	@$(INSTALL) requirements-dev.lock || $(call fail,$(NO_WHEELS))
	@$(PIP) check || $(call fail,$(BROKEN))
	@touch $@

environment:
	@command -v $(PYTHON) >/dev/null || $(call fail,$(NO_PYTHON))
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || $(call fail,$(OLD_PYTHON))
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || $(call fail,$(NO_VENV))
	$(PYTHON) -m venv --clear $(VENV)

setup: $(DEV_STAMP) ## Make .venv and install everything locked, development tools included.

demo: $(STAMP) ## Show the whole product on this machine; then the server stays up until Ctrl-C. DEMO_HOME=folder keeps it elsewhere.
	$(BIN)/authcode demo --home $(DEMO_HOME)

test: $(DEV_STAMP) ## Every test, in parallel.
	$(BIN)/python -m pytest --numprocesses 2

coverage: $(DEV_STAMP) ## Every test again, with the branches that none of them takes; servers and commands included.
	$(BIN)/python -m pytest --numprocesses 2 --cov --cov-report=term:skip-covered

lint: $(DEV_STAMP) ## Style, types and import contracts.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tests.lint.branches

format: $(DEV_STAMP) ## Fix what ruff can fix, and format.
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(DEV_STAMP) ## Compare reading with other libraries (needs AUTHCODE_PHOTOS), redeeming, the log, the dashboard at scale, a leaked list.
	$(BIN)/python -m benchmarks.read
	$(BIN)/python -m benchmarks.advice
	$(BIN)/python -m benchmarks.crowd
	$(BIN)/python -m benchmarks.redeem
	$(BIN)/python -m benchmarks.log_cost
	$(BIN)/python -m benchmarks.dashboard
	$(BIN)/python -m benchmarks.leaked_list

pictures: $(DEV_STAMP) ## Make the pictures of the README again (needs Chromium).
	$(BIN)/python -m tests.browser.pictures docs/pictures

reference: $(DEV_STAMP) ## Generate the reference part of docs/api.md from the OpenAPI document.
	$(BIN)/python -m tests.docs.reference

wheel: $(STAMP) ## Build the wheel into dist/.
	$(BIN)/python -m hatchling build -t wheel

lock: ## Resolve both locks again, keeping versions where possible; UPGRADE=1 takes the newest (needs uv).
	@mkdir -p build
	cat requirements.lock requirements-dev.lock > build/all.lock
	$(RESOLVE) --group dev $(if $(UPGRADE),--upgrade) --output-file build/all.lock
	$(RESOLVE) --group build --upgrade --constraint build/all.lock --output-file requirements.lock
	awk 'NR == FNR { product[$$0]; next } /^[^ ]/ { keep = !($$0 in product) } keep' requirements.lock build/all.lock > requirements-dev.lock
	for python in $(WHEEL_PYTHONS); do for platform in $(WHEEL_PLATFORMS); do \
	  MACOSX_DEPLOYMENT_TARGET=15.0 uv pip install --quiet --dry-run --no-deps --only-binary :all: --target build/nothing \
	    --python-version $$python --python-platform $$platform --requirement build/all.lock || exit 2; done; done

check-setup: ## Set up with the newest pip, in an environment that is then removed.
	$(MAKE) --no-print-directory setup VENV=$(VENV)/newest-pip NEWEST_PIP=1
	$(VENV)/newest-pip/bin/python -m pip --version
	$(VENV)/newest-pip/bin/authcode --help >/dev/null
	rm -rf $(VENV)/newest-pip

system: ## Install with apt what needs root: a browser, fonts, a PDF renderer.
	apt-get update -qq
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-noto-core fonts-noto-cjk poppler-utils
