# Roadstead. `make help` lists the targets.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= python3.11
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
SHARED ?= ../shared/data

export DO_NOT_TRACK = 1
export PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW = ignore
# A busy machine takes longer than Prefect's 20 s to start the server that a flow run needs.
export PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS = 180

.PHONY: help setup setup-dev setup-bench setup-pgstac apt demo test check fmt train train-simulated train-on train-status evaluate ablation realism bench bench-reconciler soak mangled online docs site screens lock clean

help: ## List the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: .venv/.base ## Make .venv with the roadstead command (no torch needed)

.venv/.base: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(PIP) install --quiet --constraint constraints.txt --editable .
	touch $@

setup-dev: .venv/.dev ## The same with the extras train, dev and docs

# torch goes first and alone: a plain install would take a build with several GB of GPU packages.
.venv/.dev: .venv/.base
	$(PIP) install --quiet torch==2.13.0
	$(PIP) install --quiet --constraint constraints.txt --editable '.[train,dev,docs]'
	touch $@

setup-bench: .venv/.bench ## The same with the extra bench: what we are measured against

.venv/.bench: .venv/.dev
	$(PIP) install --quiet --constraint constraints.txt --editable '.[train,dev,docs,bench]'
	touch $@

# Debian packages that some tests open files with; installed as root only.
apt:
	@if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then tools/apt-install apt.txt; \
	else echo "not root: install by hand what is missing of: $$(grep -v '^#' apt.txt | tr '\n' ' ')" >&2; fi

demo: setup ## Set up, simulate a fortnight at both ports, run the flow, write demo/
	$(BIN)/python -m flows.demo --out demo

setup-pgstac: .venv-pgstac/.done ## A STAC server on PostgreSQL for one test, in an environment of its own

.venv-pgstac/.done: tests/integration/pgstac.txt
	test -x .venv-pgstac/bin/python || $(PYTHON) -m venv .venv-pgstac
	.venv-pgstac/bin/python -m pip --disable-pip-version-check install --quiet -r tests/integration/pgstac.txt
	touch $@

# Unit tests share the cores. The others have servers, browsers and clocks of their own and run one by one: mostly they
# wait, so both parts run at once; the unit tests' output comes when they end.
test: setup-dev setup-pgstac apt ## Set up and run all tests
	trap 'trap - INT TERM; kill 0' INT TERM; log=$$(mktemp); failed=0; \
	nice -n 5 $(BIN)/python -m pytest --numprocesses logical --maxprocesses 4 --dist loadfile -o cache_dir=build/pytest-unit \
		tests/unit >$$log 2>&1 & unit=$$!; \
	$(BIN)/python -m pytest --ignore tests/unit || failed=1; \
	wait $$unit || failed=1; cat $$log; rm $$log; exit $$failed

check: setup-dev ## Lint, format, types, import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

online: setup-dev ## Ask the live catalogues (not in CI; needs the internet)
	$(BIN)/python -m pytest tests/online --override-ini=addopts= --import-mode=importlib -ra

soak: setup-dev ## Hours of kills, and every fault again and again
	$(BIN)/python -m tests.faults.kill --kills 1000 --overpasses 12 --pairs 50
	for round in 1 2 3 4 5 6 7 8 9 10; do $(BIN)/python -m pytest -q tests/faults/test_faults.py; done

mangled: setup-dev ## Two thousand mangled rasters and items
	$(BIN)/python -m tests.faults.mangled --count 2000

fmt: setup-dev ## Format and mend what can be mended
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

train: setup-dev ## Go on from the model of simulated scenes on SHARED, once for each fold of places and on all (hours; resumable)
	$(BIN)/python -m roadstead_lab.training.train --shared $(SHARED)

train-simulated: setup-dev ## Train a model on simulated scenes alone, to measure the simulator (resumable)
	$(BIN)/python -m roadstead_lab.training.train --simulated-only --shared $(SHARED) --run build/training-simulated

# Threads that wait for work sleep: those that spin would take from others what they leave idle.
train-on: setup-dev ## Go on with the long run of training, for days beside other work: nohup nice -n 19 make train-on &
	OMP_WAIT_POLICY=PASSIVE $(BIN)/python -m roadstead_lab.training.long_run --shared $(SHARED)

train-status: ## Say how far the long run is
	@$(BIN)/python -m roadstead_lab.training.long_run --status

evaluate: setup-dev ## Measure the models on SHARED; rewrites their metrics.json and card.md
	$(BIN)/roadstead evaluate --shared $(SHARED) --model s2-obb-n-sim-2
	$(BIN)/roadstead evaluate --shared $(SHARED)

ablation: setup-dev ## Measure what each part of the detector is worth on SHARED; rewrites docs/detector
	$(BIN)/python -m roadstead_lab.training.ablation --shared $(SHARED)

realism: setup-dev ## Hold simulated scenes against SHARED: sheets in build/realism, the table in docs/simulation
	$(BIN)/python -m roadstead_lab.training.realism --shared $(SHARED) --out build/realism --docs docs/simulation

bench: setup-bench ## Speed, memory and dense-anchorage figures, ours and others' on one machine
	$(BIN)/python -m benchmarks
	$(BIN)/python -m benchmarks.reconciler --shared $(SHARED)

bench-reconciler: setup-dev ## What the reconciler says against the truth; rewrites docs/reconciler.md
	$(BIN)/python -m benchmarks.reconciler --shared $(SHARED)

docs: setup-dev apt demo ## Remake the picture and the followed ship of the documentation
	$(BIN)/python tools/architecture.py
	$(BIN)/python tools/docs.py
	$(BIN)/python -m roadstead.ais.reasons docs/ais.md

site: setup-dev ## Build the documentation with its API reference into build/site, offline
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

screens: setup-dev apt ## An analyst's morning in a browser; remakes the pictures of docs/morning.md
	ROADSTEAD_SCREENS=docs/images/desk $(BIN)/python -m pytest -q tests/integration/test_morning.py

lock: setup-bench ## Rewrite constraints.txt from what is installed
	tools/lock

clean: ## Delete what the other targets made
	rm -rf .venv .venv-pgstac build dist demo .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
