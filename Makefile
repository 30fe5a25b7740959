# One verb per habit. `make run` and `make test` need nothing but Python 3.11+, git and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help venv run test clients containers check format bench screenshots lock clean

help:  ## Show this list
	@sed -nE 's/^([a-z]+):.*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

run: $(VENV)/.runtime  ## Build, upsert and run the flights pipeline on an emulator
	$(BIN)/pipelines run flights

test: $(VENV)/.development  ## Pass the tests
	$(BIN)/pytest -n auto

clients: $(VENV)/.development  ## Pass the tests with both SDKs, boto3 and the AWS CLI, each in its own environment
	$(BIN)/pytest tests/clients -m clients

containers: $(VENV)/.development  ## Pass the tests in real containers, by podman and docker as far as they are here
	$(BIN)/pytest tests -m containers

check: $(VENV)/.development  ## Hold style, types and layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict
	$(BIN)/lint-imports

format: $(VENV)/.development  ## Put the style right
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.development  ## Measure, one benchmark after the other
	@for script in $$(ls benchmarks/[a-z]*.py | grep -v -e measuring -e screenshots); do \
	  echo "== $$script"; $(BIN)/python -m benchmarks.$$(basename $$script .py) || missed="$$missed $$script"; done; \
	  test -z "$$missed" || { echo "targets missed in:$$missed"; exit 1; }

screenshots: $(VENV)/.development  ## Run pipelines and take the screenshots of studio for the docs
	$(BIN)/python -m benchmarks.studio_screenshots

venv: $(VENV)/.development  ## Make .venv from the locks, for running and developing

# A stamp is older than its lock when the environment is stale. The runtime's lock is a subset of the development's,
# so `make run` alone installs only what it needs.
$(VENV)/.runtime: requirements.txt setup.py $(VENV)/bin/python
	$(BIN)/pip install --quiet --requirement requirements.txt
	$(BIN)/pip install --quiet --no-deps --editable .
	@touch $@

$(VENV)/.development: requirements-dev.txt setup.py $(VENV)/bin/python
	$(BIN)/pip install --quiet --requirement requirements-dev.txt
	$(BIN)/pip install --quiet --no-deps --editable .
	@rm -rf .mypy_cache  # it remembers which packages were missing
	@touch $@ $(VENV)/.runtime

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed, $(PYTHON) is $$($(PYTHON) --version 2>&1). Try: make PYTHON=python3.11" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
	  { rm -rf $(VENV); echo "This Python cannot make virtual environments. On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }

PIP_COMPILE = CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/python -m piptools compile --quiet --strip-extras --allow-unsafe \
  --no-annotate --no-emit-index-url --no-emit-trusted-host --no-emit-find-links

lock: $(VENV)/.development  ## Make the locks from setup.py; add UPGRADE=1 for newer releases
	$(PIP_COMPILE) $(if $(UPGRADE),--upgrade) --extra dev --output-file requirements-dev.txt setup.py
	$(PIP_COMPILE) --constraint requirements-dev.txt --extra emulator --extra studio --extra build --extra data --output-file requirements.txt setup.py

clean:  ## Remove the environment, caches and the emulator's state
	rm -rf $(VENV) .emulator build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
