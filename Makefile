# Everything runs in .venv; only python3 (3.11 or newer, with venv) and make must be there.
# Another interpreter: make demo PYTHON=python3.12

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# What runs genload and its testbed; and, beside it, what the tests and the checks use.
STAMP := $(VENV)/installed
DEV := $(VENV)/installed-dev
# What is installed is not compiled: Python compiles what it imports, a fifth of it, when it first does.
export PYTHONDONTWRITEBYTECODE :=
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input

.PHONY: help install demo test quick faults check lock bench soak clean
# Two targets at once would install into one environment at once.
.NOTPARALLEL:

help: ## this list
	@echo "genload: make TARGET"
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  \1|\2/p' $(MAKEFILE_LIST) | \
	  while IFS='|' read -r target text; do printf '%-10s %s\n' "$$target" "$$text"; done

demo: $(STAMP) ## all scenarios, image to 3D and speech, against the built-in testbeds, about 4 minutes
	$(BIN)/genload demo $(ARGS)

# Three at a time even on two cores: a good part of what they do is to wait for runs that they started.
PYTEST := $(BIN)/python -m pytest --dist worksteal --numprocesses

test: $(DEV) ## every test but the long faults; one part of them: make test ARGS=tests/settings
	$(PYTEST) 3 -m "not faults and not soak" $(ARGS)

quick: $(DEV) ## the tests that start no process, with fewer examples a property, in under a minute
	$(PYTEST) auto -m "not processes" --hypothesis-profile quick $(ARGS)

faults: $(DEV) ## whole runs against services, monitors and machines that fail in every way we know
	$(PYTEST) 3 -m faults $(ARGS)

check: $(DEV) ## style, types, the house's import rules, declared dependencies
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry .

COMPILE := $(BIN)/uv pip compile pyproject.toml --universal --generate-hashes \
  --no-emit-index-url --no-emit-find-links --no-header --quiet

# The second compilation starts from the first one's versions, of which it takes a part.
lock: $(DEV) ## pin every dependency of pyproject.toml in requirements*.txt, with hashes
	$(COMPILE) --all-extras --output-file requirements-dev.txt $(ARGS)
	cp requirements-dev.txt requirements.txt
	$(COMPILE) --extra testbed --extra build --extra words --output-file requirements.txt
	@if grep -n '://' requirements*.txt; then echo "the requirements name an address" >&2; exit 1; fi

bench: $(STAMP) ## measurements: what genload itself costs, how right its numbers are
	@for file in bench/*.py; do echo "== $$file"; $(BIN)/python -u $$file $(ARGS) || exit 1; done

soak: $(DEV) ## 20 runs with faults that are drawn; every audio format, two hours of jobs: is the memory flat?
	$(PYTEST) 2 -m soak
	$(BIN)/python -u bench/long/formats.py
	$(BIN)/python -u bench/long/steady.py $(ARGS)

install: $(STAMP) ## the environment alone

clean: ## remove the environment, caches and built packages
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

# A stamp is written last: an interrupted installation is taken up again, a finished one is not
# repeated until the pinned requirements or the project's own metadata change. What is for the tests
# holds what runs genload, too, in the same versions: then both stamps are written.
$(STAMP): requirements.txt
$(DEV): requirements-dev.txt
$(STAMP) $(DEV): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "genload needs Python 3.11 or newer; '$(PYTHON)' is $$($(PYTHON) --version 2>&1 | head -n 1)." >&2; \
	  echo "  → install one, or name it: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "'$(PYTHON)' comes without venv." >&2; \
	  echo "  → Debian, Ubuntu, WSL: sudo apt-get install python3-venv" >&2; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || { \
	  echo "== making $(VENV) with $$($(PYTHON) --version)"; $(PYTHON) -m venv --clear $(VENV); }
	@echo "== installing the pinned requirements into $(VENV) (about a minute the first time)"
	@$(PIP) install --progress-bar off --no-compile --require-hashes --requirement $(filter %.txt,$^)
	@$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@touch $(STAMP) $@
	@echo "== installed"
