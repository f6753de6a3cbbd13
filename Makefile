# Two commands on a fresh machine: `make demo` and `make test`. Both install everything they need into .venv.
PYTHON ?= python3
BIN := .venv/bin
UV := $(BIN)/uv

.PHONY: install demo quick test check docs docs-reference sbom audit prove bench lock clean
.DEFAULT_GOAL := install

install: .venv/installed

# The stamp is renewed when the lock or the project file changes; every package is checked against its hash, and compiled
# once: where Python may not keep what it compiles, each command would spend five seconds on it.
.venv/installed: requirements.lock pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@$(UV) pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements.lock
	@$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@

# The main job end to end on a small synthetic world.
demo: install
	@$(BIN)/tamis demo

# Where tests keep their files: in memory where it has room, as each commit of a store waits for a disk (2 to 10 ms, tens
# of thousands of times). TMPDIR decides where it is set.
ROOM_GB := $(shell df --output=avail -B1G /dev/shm 2>/dev/null | tail -n 1)
TMPDIR ?= $(if $(filter-out 0 1 2 3 4 5 6 7,$(ROOM_GB)),/dev/shm,/tmp)

# All tests, the notebooks and the commands of the documents among them, after the checks of style, types and floors. Two
# workers, for two cores; what one file builds for its tests stays with one of them.
test: check .venv-client/installed
	@TMPDIR=$(TMPDIR) $(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder --nbmake --nbmake-timeout=600 tests notebooks

# The fast loop: what needs no trained model, no browser, no PostgreSQL and no process of its own (tests/kinds.py).
quick: install
	@$(BIN)/pytest -q -m "not (model or browser or postgres or process or slow)" tests

check: install
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache --config pyproject.toml | tail -n 8

# The documentation as a site in docs/_build/html; a warning is an error, and nothing is fetched from any host.
docs: install
	@$(BIN)/python -m sphinx -W --keep-going --quiet -b html docs docs/_build/html
	@echo docs/_build/html/index.html

# The pages of docs/reference that the code itself knows; a test compares them with what is committed.
docs-reference: install
	@$(BIN)/python -m docs.generator

# What generates a client from the description of the API, for a test: its requirements are not those of the product.
.venv-client/installed: tests/client/requirements.lock
	@test -x .venv-client/bin/python || $(PYTHON) -m venv .venv-client
	@$(UV) pip install --quiet --python .venv-client/bin/python --require-hashes -r tests/client/requirements.lock
	@touch $@

# What the product is made of, in CycloneDX: every package of the lock with its hashes, and what of it runs.
sbom: install .venv-supply/installed
	@mkdir -p dist
	@.venv-supply/bin/cyclonedx-py requirements requirements.lock --pyproject pyproject.toml --of JSON \
		--output-reproducible -o dist/.lock.cdx.json
	@$(BIN)/python -m deploy.supply.bill dist/.lock.cdx.json dist/tamis.cdx.json
	@rm dist/.lock.cdx.json

# What is known against it: exit code 1 for a known vulnerability, 3 where no source of advisories was reached.
audit: install .venv-supply/installed
	@mkdir -p dist
	@.venv-supply/bin/pip-audit -r requirements.lock --require-hashes --disable-pip --progress-spinner off \
		-f json -o dist/advisories.json || true
	@$(BIN)/python -m deploy.supply.advisories dist/advisories.json

.venv-supply/installed: deploy/supply/requirements.lock
	@test -x .venv-supply/bin/python || $(PYTHON) -m venv .venv-supply
	@$(UV) pip install --quiet --python .venv-supply/bin/python --require-hashes -r deploy/supply/requirements.lock
	@touch $@

# The long forms of the gates: ten minutes of mutated messages; ten thousand calls against one batch; a hundred kills; a
# disk that fails in many places; a million lines read, and scored; a thousand damaged bundles; a store that is out for a
# minute in each form; five minutes of swaps; two hundred days that nobody could foresee; every planted fault; drift,
# silence and prevalence in many worlds; burden in forty; forty worlds of the family; a fresh Debian from deploy/ alone, as root.
# Minutes of CPU, measured in November 2026: bundles 18, fuzz 8, paced days 7, parity 5, malformed batch 4, monitor 3,
# replays and malformed rows less than one. Minutes by the clock, two lines at a time: contract 9, disk 8, kills 7,
# outages 6, soak 5, planted faults 4. An evening on two cores.
prove: install
	@TAMIS_FUZZ_SECONDS=90 $(BIN)/pytest tests/features/messages/test_attacks.py --durations=8
	@TAMIS_CONTRACT_EXAMPLES=2000 $(BIN)/pytest -s tests/service/api/test_api_contract.py
	@TAMIS_PARITY_CONSIGNMENTS=10000 $(BIN)/pytest tests/parity --durations=5
	@TAMIS_REPLAYS=10000 $(BIN)/pytest tests/service/audit/test_replay.py --durations=3
	@TAMIS_KILLS=100 TAMIS_BATCH_KILLS=10 $(BIN)/pytest -s tests/service/test_kill.py tests/pipelines/batch/test_batch_kill.py
	@TAMIS_PROVE_KILLS=100 $(BIN)/pytest -s tests/service/settled/test_killed_acts.py \
		tests/service/settled/test_settling.py -k killed\ or\ settling_erasing\ or\ upgrading
	@TAMIS_LANGUAGES=all $(BIN)/pytest tests/browser
	@TAMIS_DISK_POINTS=20 $(BIN)/pytest tests/service/store/test_failing_disk.py
	@TAMIS_OUTAGE_SECONDS=60 $(BIN)/pytest -s tests/service/store/test_outages.py
	@TAMIS_DAMAGED_BUNDLES=1000 $(BIN)/pytest tests/service/scoring/test_bundle.py
	@TAMIS_SOAK_SECONDS=300 $(BIN)/pytest -s tests/service/test_soak.py
	@TAMIS_MALFORMED_ROWS=1000000 $(BIN)/pytest tests/features/messages/test_malformed.py
	@TAMIS_MALFORMED_BATCH=1000000 $(BIN)/pytest -s tests/pipelines/batch/test_malformed_batch.py
	@TAMIS_PLANTS=1 $(BIN)/pytest tests/test_planted.py --durations=8
	@TAMIS_PROVE=1 $(BIN)/pytest tests/pipelines/monitor/test_monitor_worlds.py --durations=5
	@TAMIS_BURDEN_WORLDS=40 $(BIN)/pytest tests/service/oversight/test_burden.py
	@TAMIS_FAMILY_WORLDS=40 $(BIN)/pytest tests/pipelines/synthetic/test_family.py -k as_drawn
	@TAMIS_PROVE=1 $(BIN)/pytest tests/deploy/test_restore_drill.py tests/service/audit/test_upgrade.py tests/kept
	@PYTHON=$(BIN)/python deploy/proof/fresh-debian.sh
	@TAMIS_PACED_DAYS=200 $(BIN)/pytest -s tests/service/orientation/test_pacing.py

# What things cost, each beside a peer in the same run, and whether tracks, what-ifs and first days hold; two hours.
bench: install
	@$(BIN)/python -m tests.bench.history
	@$(BIN)/python -m tests.bench.readers
	@$(BIN)/python -m tests.bench.readers large 1
	@POLARS_MAX_THREADS=1 $(BIN)/python -m tests.bench.features
	@$(BIN)/python -m tests.bench.record
	@$(BIN)/python -m tests.bench.track
	@$(BIN)/python -m tests.bench.whatif
	@$(BIN)/python -m tests.bench.day_one
	@$(BIN)/python -m tests.bench.explain
	@$(BIN)/python -m tests.bench.console
	@$(BIN)/python -m tests.bench.search
	@$(BIN)/python -m tests.bench.serving
	@$(BIN)/python -m tests.bench.batch

# Made anew when a dependency in pyproject.toml changes; holds hashes and no address. What only decides gets a lock of its
# own, of the same versions.
lock:
	@$(UV) pip compile pyproject.toml --extra train --extra test --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-header --no-annotate --quiet -o requirements.lock
	@$(UV) pip compile pyproject.toml --constraint requirements.lock --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-header --no-annotate --quiet -o deploy/serving/requirements.lock
	@$(UV) pip compile --group supply --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-header --no-annotate --quiet -o deploy/supply/requirements.lock
	@$(UV) pip compile --group client --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-header --no-annotate --quiet -o tests/client/requirements.lock

clean:
	@rm -rf .venv .venv-supply .venv-client var docs/_build .pytest_cache .mypy_cache .ruff_cache .hypothesis
