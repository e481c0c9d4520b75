# One-word targets; `make help` lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: help setup tools run test quick shape check format lint types imports bench image gallery lock doctor

help: ## list the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(STAMP) ## make the virtual environment with the locked dependencies

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Threadwright needs Python 3.11 or newer; set PYTHON=/path/to/it."; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' || { echo "Python's venv is missing: apt-get install python3-venv"; exit 1; }
	umask 022 && $(PYTHON) -m venv $(VENV) && $(BIN)/python -m pip install -q --disable-pip-version-check -r requirements.lock
	@touch $(STAMP)

tools: ## fetch the local Slack that tests talk to
	npm install --prefix .tools --no-audit --no-fund --silent local-slack-linux-x64@0.1.8

run: setup ## start the bot and its local chat
	$(BIN)/python -m bot serve

test: setup ## run every test
	$(BIN)/python -m pytest -n 2 tests/core --cov --cov-fail-under=100 --cov-report=term-missing:skip-covered
	$(BIN)/python -m pytest -n 4 --dist worksteal --ignore=tests/core

quick: setup ## the rules alone, without a server: about half a minute
	$(BIN)/python -m pytest -q -n 2 tests/core tests/ports/test_threads.py

shape: setup ## draw which room uses which, and print how long functions, classes and files are
	$(BIN)/python -m tests.shape

check: setup format lint types imports test ## what CI runs

format: setup ## fail if a file is not formatted
	$(BIN)/ruff format --check .

lint: setup ## ruff
	$(BIN)/ruff check .

types: setup ## mypy, strict
	$(BIN)/mypy

imports: setup ## import contracts
	$(BIN)/lint-imports

bench: setup ## print the benchmarks' table
	$(BIN)/python -m pytest -m bench -s tests/benchmarks

image: setup ## build the Docker image that generated apps run in
	$(BIN)/python -m bot build-image

doctor: setup ## what is configured, what is missing
	$(BIN)/python -m bot doctor

gallery: setup ## take the pictures of the apps to start from anew
	$(BIN)/python -m tests.starters

lock: ## resolve the dependencies anew
	$(BIN)/python -m pip install -q pip-tools
	$(BIN)/pip-compile -q --strip-extras --extra dev --no-emit-index-url --no-emit-find-links --output-file requirements.lock pyproject.toml
	grep -E '^(fastapi|httpx|pydantic|pytest|uvicorn)\b' adapters/sandbox/image/requirements.txt | $(BIN)/pip-compile -q --strip-extras --no-annotate --no-header --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --output-file adapters/llm/builtin/templates/data/requirements.lock -
	$(BIN)/python -m tests.locks
