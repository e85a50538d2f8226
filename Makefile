# make run    sets up and serves (HOST=… PORT=… to move it)
# make test   sets up and passes every test
PYTHON ?= python3
HOST ?= 127.0.0.1
PORT ?= 8000

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -q
BUILD_REQUIRES = $$($(BIN)/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"])')
LINT_REQUIRES = $$($(BIN)/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["lint"])')
INSTALL = $(PIP) install -c constraints.txt --no-build-isolation -e

.DEFAULT_GOAL := help
.PHONY: help run test lint lint-types lint-web lint-style format screenshots pin clean browser ready

help:
	@sed -n '1,2s/^# //p' Makefile
	@echo "also: make lint, format, screenshots, pin (what is installed now into constraints.txt), clean"

run: $(VENV)/.run
	@$(BIN)/python hatch_build.py build
	@exec $(BIN)/retrograd serve --host $(HOST) --port $(PORT)

test: $(VENV)/.test browser
	@$(BIN)/python hatch_build.py build
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

lint: $(VENV)/.lint
	@$(MAKE) --no-print-directory --jobs 2 --output-sync=target lint-types lint-web lint-style

lint-types:
	$(BIN)/mypy
lint-web:
	$(BIN)/python hatch_build.py script check
lint-style:
	$(BIN)/ruff check
	$(BIN)/ruff format --check

format: $(VENV)/.lint
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

screenshots: $(VENV)/.test browser
	@$(BIN)/python hatch_build.py build
	$(BIN)/python scripts/screenshots.py
	$(BIN)/python scripts/screenshots.py --all screenshots

# All that tests and linters need, two parts at a time; both may call apt-get, which runs once at a time: first whether Python is whole
ready: $(VENV)/.lint browser

browser: | $(VENV)/.made
	@scripts/need.sh chromium-headless-shell chromium-headless-shell || scripts/need.sh chromium chromium
	@scripts/need.sh /usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc fonts-noto-cjk

$(VENV)/.made:
	@command -v $(PYTHON) >/dev/null || { echo "error: there is no $(PYTHON); install Python 3.11 or later, or name one: make PYTHON=…" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "error: $(PYTHON) is $$($(PYTHON) -V); Retrograd needs 3.11 or later: make PYTHON=…" >&2; exit 1; }
	@scripts/need.sh "$$($(PYTHON) -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')/ensurepip/__init__.py" python3-venv
	@echo "setting up $(VENV): about a minute, once"
	@$(PYTHON) -m venv --clear $(VENV)
	@touch $@

$(VENV)/.build: $(VENV)/.made pyproject.toml constraints.txt
	@$(PIP) install -c constraints.txt $(BUILD_REQUIRES)
	@touch $@

# The web app first: what is wrong with it is then said plainly, not through pip.
$(VENV)/.run: $(VENV)/.build hatch_build.py
	@echo "building the web app"
	@$(BIN)/python hatch_build.py build
	@echo "installing Retrograd"
	@$(INSTALL) .
	@touch $@

$(VENV)/.test: $(VENV)/.build hatch_build.py
	@$(BIN)/python hatch_build.py build
	$(INSTALL) '.[test,client]'
	@touch $@ $(VENV)/.run

$(VENV)/.lint: $(VENV)/.test
	$(PIP) install -c constraints.txt $(LINT_REQUIRES)
	@touch $@

pin: $(VENV)/.lint
	@sed -i '/^[^#]/d' constraints.txt
	$(PIP) freeze --exclude-editable >> constraints.txt

clean:
	rm -rf $(VENV) server/static web/node_modules dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find engine server tests scripts benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +
