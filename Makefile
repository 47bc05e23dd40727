# make demo   the main job on real data with the embedded model
# make test   every test
# make check  format, lint, types, layers and the fast tests
# make bench  every benchmark; the figures in the documents come from here

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# What takes --quick is a benchmark; the other files are parts of one, servers, and tables.
BENCHMARKS = $(filter-out %/common.py,$(shell grep -lE '"--quick"|arguments.__doc__' benchmarks/*.py))

.PHONY: demo test check format lint types layers fast bench clean

demo: $(READY)
	$(BIN)/assay demo --path demo-project --fresh

# Compiled modules are kept: the tests start hundreds of processes, and each reads them.
test: export PYTHONDONTWRITEBYTECODE =
test: $(READY)
	$(BIN)/python -m pytest -n 2 --dist worksteal

check: format lint types layers fast

format: $(READY)
	$(BIN)/ruff format --check .

lint: $(READY)
	$(BIN)/ruff check .

types: $(READY)
	$(BIN)/mypy

layers: $(READY)
	$(BIN)/lint-imports

fast: $(READY)
	$(BIN)/python -m pytest -m "not slow" -n 2

bench: $(READY)
	@for each in $(BENCHMARKS); do echo "== $$each"; $(BIN)/python $$each $(ARGS) || exit 1; done

$(READY): pyproject.toml requirements/constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --constraint requirements/constraints.txt \
		--editable '.[all]' --group dev
	touch $@

clean:
	rm -rf $(VENV) demo-project build dist
