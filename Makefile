# Each target does all of its own set-up: a virtual environment in .venv with the pinned versions, and system packages.
PYTHON ?= python3
VENV := .venv
LATEST := .venv-latest
BIN := $(VENV)/bin
JOBS ?= $(shell nproc 2>/dev/null || echo 2)
# One thread a process: several processes run at once, and oversubscribed threads cost far more than they give.
export OMP_NUM_THREADS ?= 1
export MKL_NUM_THREADS ?= 1
export OPENBLAS_NUM_THREADS ?= 1

.PHONY: help demo test test-all test-latest lint format methods bench clean setup

help:  ## Show this list.
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

demo: $(VENV)/.done  ## Run the study "quickstart" and write its report.
	$(BIN)/potentia study run quickstart --out runs --jobs $(JOBS)

test: $(VENV)/.done  ## Run the tests, of exhaustive ones a sample that changes from day to day.
	@scripts/system-packages.sh
	$(BIN)/python -m pytest -n $(JOBS) --durations=10

test-all: $(VENV)/.done  ## Run the tests, exhaustive ones whole.
	@scripts/system-packages.sh
	POTENTIA_TEST_ALL=1 $(BIN)/python -m pytest -n $(JOBS) --durations=10

test-latest: $(LATEST)/.done  ## Run all tests with the newest Gymnasium, which nle's metadata does not allow but which works.
	@scripts/system-packages.sh
	$(LATEST)/bin/python -m pytest -n $(JOBS)

lint: $(VENV)/.done  ## Check style, types and layers.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.done  ## Format the code, and make the README's table of shapers.
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/python scripts/shaper_table.py

methods: $(VENV)/.done  ## Write a page for each shaper into build/methods, from its docstring and contract.
	$(BIN)/python scripts/method_pages.py build/methods

bench: $(VENV)/.done  ## Run the benchmarks that take minutes; the studies are listed in benchmarks/README.md.
	$(BIN)/python benchmarks/driver_cost.py
	$(BIN)/python benchmarks/minihack_speed.py

setup: $(VENV)/.done  ## Make the virtual environment.

$(VENV)/.done: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet -c constraints.txt -e '.[all,dev]'
	$(BIN)/pip install --quiet --no-deps -c constraints.txt miniwob
	@touch $@

# nle 1.3.0 asks for gymnasium==1.2.0 and miniwob 1.1.0 for gymnasium>=1.2.3, so they go without their dependencies.
$(LATEST)/.done: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(LATEST)
	$(LATEST)/bin/pip install --quiet --upgrade pip
	grep -v -i '^gymnasium==' constraints.txt > $(LATEST)/constraints.txt
	$(LATEST)/bin/pip install --quiet -c $(LATEST)/constraints.txt -e '.[sb3,minigrid,report,web,dev]' 'gymnasium>=1.4' 'setuptools<82'
	$(LATEST)/bin/pip install --quiet --no-deps nle==1.3.0 minihack==1.0.2 miniwob==1.1.0
	@touch $@

clean:  ## Remove the virtual environments and caches (not the results in runs/).
	rm -rf $(VENV) $(LATEST) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
