# make run    sets up and serves (HOST=… PORT=… to move it)
# make test   sets up and passes every test
PYTHON ?= python3
HOST ?= 127.0.0.1
PORT ?= 8000

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -q
BUILD_REQUIRES = $$($(BIN)/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"])')
INSTALL = $(PIP) install --no-build-isolation -e

.DEFAULT_GOAL := help
.PHONY: help run test lint format screenshots clean browser

help:
	@sed -n '1,2s/^# //p' Makefile
	@echo "also: make lint, format, screenshots, clean"

run: $(VENV)/.run
	@$(BIN)/python hatch_build.py build
	@exec $(BIN)/retrograd serve --host $(HOST) --port $(PORT)

test: $(VENV)/.test browser
	@$(BIN)/python hatch_build.py build
	$(BIN)/python -m pytest -n 2 --dist loadfile

lint: $(VENV)/.lint
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/python hatch_build.py script check

format: $(VENV)/.lint
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

screenshots: $(VENV)/.test browser
	@$(BIN)/python hatch_build.py build
	$(BIN)/python scripts/screenshots.py

browser:
	@scripts/need.sh chromium chromium
	@scripts/need.sh /usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc fonts-noto-cjk

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "error: $(PYTHON) is $$($(PYTHON) -V); Retrograd needs 3.11 or later: make PYTHON=…" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || scripts/need.sh python3-venv-is-missing "python3-venv"
	$(PYTHON) -m venv $(VENV)

$(VENV)/.build: $(BIN)/python pyproject.toml
	$(PIP) install $(BUILD_REQUIRES)
	@touch $@

$(VENV)/.run: $(VENV)/.build hatch_build.py
	$(INSTALL) .
	@touch $@

$(VENV)/.test: $(VENV)/.build hatch_build.py
	$(INSTALL) '.[test]'
	@touch $@ $(VENV)/.run

$(VENV)/.lint: $(VENV)/.test
	$(INSTALL) '.[test,lint]'
	@touch $@

clean:
	rm -rf $(VENV) server/static web/node_modules dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find engine server tests scripts -name __pycache__ -type d -prune -exec rm -rf {} +
