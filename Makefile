# Everything sets itself up: a virtual environment in .venv, then the work.
#   make demo ARGS="--for 20"     make test ARGS="-k spool"     make check
PYTHON ?= python3
BIN := .venv/bin
ARGS ?=
# a worker a core, each with servers of its own; a file's tests stay together. PARALLEL= runs them one after the other
PARALLEL ?= -n auto --dist loadfile

.PHONY: help demo test faults check fmt catalogue bench clean

help:
	@echo 'make demo     a whole testbed in one process          ARGS="--for 20"'
	@echo 'make test     the tests, servers included             ARGS="-k spool"'
	@echo 'make faults   faults injected into a whole gateway, and the fuzzing   PARKGATE_FUZZ=5000 tries that many cases'
	@echo 'make check    format, lint, types, imports, and the tests that need no server'
	@echo 'make fmt      format the code'
	@echo 'make catalogue  docs/catalogue.md, made anew from the descriptions'
	@echo 'make bench    measure this checkout on this machine (about ten minutes)'
	@echo 'make clean    remove the virtual environment and everything built'

.venv/.installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("parkgate needs Python 3.11 or newer; name one with: make PYTHON=python3.12")'
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo 'parkgate needs the venv module: apt install python3-venv' >&2; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@

demo: .venv/.installed
	@$(BIN)/parkgate demo $(ARGS)

test: .venv/.installed
	$(BIN)/python -m pytest -m "not slow" $(PARALLEL) $(ARGS)

faults: .venv/.installed
	$(BIN)/python -m pytest tests/faults tests/fuzz --durations=5 $(ARGS)

check: .venv/.installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q -m "not services and not slow" $(PARALLEL) $(ARGS)

fmt: .venv/.installed
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

catalogue: .venv/.installed
	$(BIN)/python -m tests.devices.catalogue_page

bench: .venv/.installed
	@$(BIN)/parkgate bench all $(ARGS)

clean:
	rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
