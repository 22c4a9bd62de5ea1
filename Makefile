# Everything runs in .venv, made from the hash-pinned lock. Only Python >= 3.11 and make are needed.
PYTHON ?= python3
BIN := .venv/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
PY := $(BIN)/python
READY := .venv/.ready

.PHONY: demo test test-long mutants bench lint types contracts lock clean help
.DEFAULT_GOAL := help

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

$(READY): locks/all.txt pyproject.toml hatch_build.py $(wildcard fieldsurvey/locale/*/LC_MESSAGES/*.po)
	@$(PYTHON) -c 'import sys; sys.exit("fieldsurvey needs Python 3.11 or newer; this is " + sys.version.split()[0]) if sys.version_info < (3, 11) else None'
	@test -x $(PY) || $(PYTHON) -m venv .venv
	@echo "Installing the locked packages (about a minute the first time) ..."
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r locks/all.txt
	@$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(READY)

demo: $(READY) ## a whole survey on this machine: project, 300 interviews, batches, central, report, then the app
	@$(PY) -m fieldsurvey demo demo-project $(if $(DEMO_HEADLESS),--headless)

test: $(READY) lint types contracts ## lint, types, import contracts, tests
	$(PY) -m pytest -n 2 --dist worksteal -m "not long" --hypothesis-profile=same

test-long: $(READY) ## the fault, fuzz and simulation campaigns
	$(PY) -m pytest -n 2 --dist worksteal -m long
	$(PY) -m pytest -n 2 --dist worksteal -m "hypothesis and not long"

mutants: $(READY) ## change every line of the records, one at a time: does a test notice?
	$(PY) -m mutmut run
	$(PY) -m mutmut results

bench: $(READY) ## speed and memory, as ratios against a peer in the same run
	$(PY) -m benchmarks

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)
	$(BIN)/mypy

contracts: $(READY)
	$(BIN)/lint-imports --no-cache

lock: ## resolve the dependencies anew (needs uv)
	uv pip compile --universal --generate-hashes --no-emit-index-url --no-annotate --no-header --python-version 3.11 --all-extras --upgrade pyproject.toml -o locks/all.txt
	uv pip compile --universal --generate-hashes --no-emit-index-url --no-annotate --no-header --python-version 3.11 --upgrade pyproject.toml -o locks/laptop.txt

clean: ## remove the environment and what the demo made
	rm -rf .venv demo-project
