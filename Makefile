# Needs make and Python 3.11 or newer; everything else is installed into .venv, by hash.
# `make help` lists the targets. PYTHON=/path/to/python picks the interpreter, ARGS is passed on.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory
# Every process that a test starts would compile all modules again, a fifth of its start.
unexport PYTHONDONTWRITEBYTECODE

VENV := .venv
BIN := $(VENV)/bin
RUN := $(VENV)/.installed-run
DEV := $(VENV)/.installed-dev
ARGS ?=
KILLS ?= 100
HISTORIES ?= 5000
MINUTES ?= 10
HOLDERS ?= 500
MUTANTS ?= 50
SEED ?=
FLOOR := 95

# The first of these that starts, is new enough and can make an environment.
CANDIDATES := python3 python3.14 python3.13 python3.12 python3.11
SUITS := import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(firstword $(foreach name,$(CANDIDATES),$(shell $(name) -c '$(SUITS)' 2>/dev/null && echo $(name))))

PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
COMPILE := cd requirements && CUSTOM_COMPILE_COMMAND="make lock" ../$(BIN)/pip-compile --quiet --generate-hashes \
	--allow-unsafe --strip-extras --no-emit-options --no-emit-index-url --no-emit-find-links \
	--no-emit-trusted-host

.PHONY: help
help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: setup
setup: $(DEV) ## install everything for development into .venv

$(BIN)/python:
	@if [[ -z "$(PYTHON)" ]]; then \
		echo "No Python 3.11 or newer with the module venv was found (looked for: $(CANDIDATES))." >&2; \
		echo "Found: $$(python3 --version 2>&1 || true). Install one, or say PYTHON=/path/to/python." >&2; \
		echo "On Debian and Ubuntu the module is in the package python3-venv." >&2; \
		exit 1; \
	fi
	@echo "making $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV)

# What the service and its test kit need, and both distributions; enough for the demo.
$(RUN): requirements/run.txt requirements/testkit.txt requirements/build.txt pyproject.toml \
		testkit/pyproject.toml | $(BIN)/python
	@echo "installing run-time requirements into $(VENV)"
	@$(PIP) install --require-hashes -r requirements/testkit.txt -r requirements/build.txt
	@$(PIP) install --no-deps --no-index --no-build-isolation --editable . --editable ./testkit
	@touch $@

$(DEV): requirements/dev.txt $(RUN)
	@echo "installing development requirements into $(VENV)"
	@$(PIP) install --require-hashes -r requirements/dev.txt
	@touch $@

.PHONY: demo
demo: $(RUN) ## watch old mail become readable on a new phone, with processes killed on the way
	@$(BIN)/pki-connector demo $(ARGS)

.PHONY: demo-kafka
demo-kafka: $(RUN) ## the same with three connectors on a real broker; needs Java 17 and Maven
	@$(BIN)/pki-connector demo --journal kafka $(ARGS)

.PHONY: check
check: $(DEV) ## the fast tests: without brokers, kills and whole programs
	@$(BIN)/pytest -m "not slow" --numprocesses auto $(ARGS)

.PHONY: chart-test
chart-test: $(DEV) ## render the Helm chart in every way and check its objects
	@$(BIN)/pytest tests/chart $(ARGS)

# A choice of tests has no coverage to speak of, and is faster unmeasured. Three at a time on two
# cores, because most tests that start processes wait half of their time.
.PHONY: test
test: $(DEV) ## all tests, with branch coverage and its floor; some of them with ARGS
	@$(BIN)/pytest --numprocesses 3 --dist loadgroup --second-chance \
		$(if $(ARGS),,--cov --cov-report= --cov-fail-under=$(FLOOR)) $(ARGS)

.PHONY: soak-kills
soak-kills: $(DEV) ## kill the service at random under load, KILLS times
	@$(BIN)/pytest -o faulthandler_timeout=0 -m slow -k random_kills -s --kills $(KILLS) $(ARGS)

.PHONY: soak-histories
soak-histories: $(DEV) ## HISTORIES random histories of the core; `make test` runs 100
	@$(BIN)/pytest -o faulthandler_timeout=0 -m slow -k very_many_histories -s \
		--histories $(HISTORIES) $(ARGS)

.PHONY: soak-kafka
soak-kafka: $(DEV) ## three processes, three brokers: kill both at random, MINUTES long
	@$(BIN)/pytest -o faulthandler_timeout=0 -m slow -k test_chaos -s --minutes $(MINUTES) \
		--holders $(HOLDERS) $(ARGS)

.PHONY: mutants
mutants: $(DEV) ## MUTANTS small faults in core/, by SEED: the tests find at least 90 % of them
	@$(BIN)/python -m tests.mutants --count $(MUTANTS) $(if $(SEED),--seed $(SEED)) $(ARGS)

.PHONY: observe-test
observe-test: $(DEV) ## a real Prometheus watches faults come and go; pictures of panels in build/dashboard
	@$(BIN)/pytest tests/observe/test_live.py $(ARGS)

.PHONY: lint
lint: $(DEV) ## style, types, direction of imports, Dockerfile
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy --strict
	@$(BIN)/lint-imports
	@$(BIN)/hadolint Dockerfile

.PHONY: format
format: $(DEV) ## let ruff rewrite what it can
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

.PHONY: bench
bench: $(DEV) ## measure; table on the terminal, results in bench/out/results.json
	@$(BIN)/python -m bench $(ARGS)

.PHONY: schemas
schemas: $(DEV) ## generate schemas/ from the models
	@$(BIN)/python -m docs.generate schemas

.PHONY: docs
docs: $(DEV) ## generate the pages of docs/ that come from the program
	@$(BIN)/python -m docs.generate pages

.PHONY: image
image: $(BIN)/python ## the container image, on a base whose digest is read now; needs docker or buildah
	@$(BIN)/python -m release.image $(if $(BASE),--base $(BASE)) $(ARGS)

.PHONY: image-test
image-test: $(DEV) ## build the image and run it; needs buildah, podman, runc, debootstrap and root
	@$(BIN)/pytest $(or $(ARGS),tests/image)

.PHONY: cluster-test
cluster-test: $(DEV) ## install the chart on a real Kubernetes node; as image-test, and containerd and Go
	@nice $(BIN)/python -m tests.cluster.binaries
	@$(BIN)/pytest $(or $(ARGS),tests/cluster)

.PHONY: wheel
wheel: $(DEV) ## wheels and source archives of product and test kit, in dist/
	@$(BIN)/python -m release.distributions

.PHONY: sbom
sbom: $(DEV) ## what the service needs at run time, as CycloneDX, in dist/
	@$(BIN)/python -m release.sbom

.PHONY: release
release: $(DEV) ## VERSION=1.2.3: wheels, source archives, SBOM, checksums in dist/, commit and tag
	@$(BIN)/python -m release.release $(VERSION)

.PHONY: lock
lock: $(DEV) ## resolve requirements/*.in again; ARGS=--upgrade takes newer versions
	@$(COMPILE) $(ARGS) -o run.txt run.in
	@$(COMPILE) $(ARGS) -o testkit.txt testkit.in
	@$(COMPILE) $(ARGS) -o build.txt build.in
	@$(COMPILE) $(ARGS) -o dev.txt dev.in

.PHONY: clean
clean: ## remove .venv, caches and what was built
	@rm -rf $(VENV) build dist bench/out .mypy_cache .ruff_cache .pytest_cache .hypothesis \
		.import_linter_cache .coverage .coverage.*
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
