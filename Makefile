# One target for each thing a newcomer wants.
# PYTHON=python3.13: with another Python, in an environment of its own.
PYTHON ?= python3
VENV := .venv$(if $(filter-out python3,$(PYTHON)),-$(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])'))
BIN := $(VENV)/bin
ARGS ?=

# Checkpoint rules are for libraries that must have one on every path; the rest ruff judges, or cannot see
# through a helper (a timeout argument, a task_status that is handed on).
NOT_ASYNC := ASYNC900,ASYNC910,ASYNC911,ASYNC912,ASYNC913,ASYNC109,ASYNC114,ASYNC124,ASYNC128

# The same seeds on every run: a red run is a change's doing, never the draw's. To look for more trouble,
# play others: trio-argoagent simulate --seed 1000 --seeds 1000 --level 2
SEEDS ?= --seed 1 --seeds 150
# Likewise fleets whose Applications move between agents, and whose users keep credentials.
OTHER_SEEDS ?= --seed 1 --seeds 15 --mapping destination --credentials

.PHONY: demo test seeds lint interop upgrade-test bench zipapp clean

demo: $(VENV)/.installed
	@$(BIN)/trio-argoagent demo $(ARGS)

test: $(VENV)/.tested
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist worksteal $(ARGS)

# Real API servers: built with Go once (about 6 minutes), then started on loopback for these tests.
interop: $(VENV)/.tested
	$(BIN)/python -m tests.interop.kubernetes.run $(ARGS)

# The last release, or PREVIOUS=<commit or .pyz>, beside this one: upgraded program by program, and back.
PREVIOUS ?= latest
upgrade-test: $(VENV)/.tested
	TRIO_ARGOAGENT_PREVIOUS="$(PREVIOUS)" $(BIN)/python -m pytest tests/interop/test_upgrade.py $(ARGS)

seeds: $(VENV)/.installed
	$(BIN)/trio-argoagent simulate $(SEEDS) --level 1
	$(BIN)/trio-argoagent simulate $(SEEDS) --level 2
	$(BIN)/trio-argoagent simulate $(OTHER_SEEDS) --level 1
	$(BIN)/trio-argoagent simulate $(OTHER_SEEDS) --level 2

# Side by side with peers, which are installed; a page and figures go to trio-argoagent-bench/.
bench: $(VENV)/.benched
	$(BIN)/trio-argoagent bench $(ARGS)

# One file for spokes; PYTHONS="3.11 3.12" PLATFORMS="x86_64 aarch64" puts native code for each into it, EXTRAS=otel
# what sends traces, and LOCK=dist/trio-argoagent.lock builds an earlier one again.
PYTHONS ?=
PLATFORMS ?=
EXTRAS ?=
LOCK ?=
zipapp: $(VENV)/bin/python
	@$(BIN)/python -m tools.zipapp.build --pythons "$(PYTHONS)" --platforms "$(PLATFORMS)" \
		--extras "$(EXTRAS)" $(if $(LOCK),--lock $(LOCK))

lint: $(VENV)/.tested
	$(BIN)/ruff check .
	find trio_argoagent -name '*.py' | xargs -n 40 -P 2 $(BIN)/flake8-async --disable $(NOT_ASYNC)
	$(BIN)/mypy
	$(BIN)/mypy tools
	$(BIN)/lint-imports

clean:
	rm -rf .venv .venv-* build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: setup.cfg | $(VENV)/bin/python
	@echo "Installing into $(VENV) (once) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.tested: setup.cfg | $(VENV)/bin/python
	@echo "Installing into $(VENV), with what the tests need (once) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test,lint]'
	@touch $@ $(VENV)/.installed

$(VENV)/.benched: setup.cfg | $(VENV)/bin/python
	@echo "Installing into $(VENV), with the peers of the benchmarks (once) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[bench]'
	@touch $@ $(VENV)/.installed
