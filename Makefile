# Two commands on a fresh machine: `make demo` and `make test`. Both install everything they need into .venv.
PYTHON ?= python3
BIN := .venv/bin
UV := $(BIN)/uv

.PHONY: install demo test check prove bench lock clean
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

# All tests, the notebooks and the README's commands among them, after the checks of style, types and floors. Two
# workers, for two cores; what one file builds for its tests stays with one of them.
test: check
	@$(BIN)/pytest -n 2 --dist loadfile --nbmake --nbmake-timeout=600 tests notebooks

check: install
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache --config pyproject.toml | tail -n 8

# The long forms of the gates: ten minutes of mutated messages; ten thousand calls against one batch; a hundred kills; a
# disk that fails in many places; a million lines read, and scored; a thousand damaged bundles; a store that is out for a
# minute in each form; five minutes of swaps; two hundred days that nobody could foresee; every planted fault; drift,
# silence and prevalence in many worlds.
prove: install
	@TAMIS_FUZZ_SECONDS=90 $(BIN)/pytest tests/features/test_attacks.py --durations=8
	@TAMIS_CONTRACT_EXAMPLES=2000 $(BIN)/pytest -s tests/service/test_contract.py
	@TAMIS_PARITY_CONSIGNMENTS=10000 $(BIN)/pytest tests/parity --durations=5
	@TAMIS_REPLAYS=10000 $(BIN)/pytest tests/service/test_replaying.py --durations=3
	@TAMIS_KILLS=100 TAMIS_BATCH_KILLS=10 $(BIN)/pytest -s tests/service/test_kill.py tests/service/test_batch_kill.py
	@TAMIS_DISK_POINTS=20 $(BIN)/pytest tests/service/test_failing_disk.py
	@TAMIS_OUTAGE_SECONDS=60 $(BIN)/pytest -s tests/service/test_outages.py
	@TAMIS_DAMAGED_BUNDLES=1000 $(BIN)/pytest tests/service/test_bundle.py
	@TAMIS_SOAK_SECONDS=300 $(BIN)/pytest -s tests/service/test_soak.py
	@TAMIS_MALFORMED_ROWS=1000000 $(BIN)/pytest tests/features/test_malformed.py
	@TAMIS_MALFORMED_BATCH=1000000 $(BIN)/pytest -s tests/pipelines/test_malformed_batch.py
	@TAMIS_PLANTS=1 $(BIN)/pytest tests/test_planted.py --durations=8
	@TAMIS_PROVE=1 $(BIN)/pytest tests/pipelines/test_monitor_worlds.py --durations=5
	@TAMIS_PACED_DAYS=200 $(BIN)/pytest -s tests/service/test_pacing.py

# What things cost, each beside a peer in the same run, and whether tracks and what-ifs hold; two hours.
bench: install
	@$(BIN)/python -m tests.bench.history
	@$(BIN)/python -m tests.bench.readers
	@$(BIN)/python -m tests.bench.readers large 1
	@$(BIN)/python -m tests.bench.track
	@$(BIN)/python -m tests.bench.whatif
	@$(BIN)/python -m tests.bench.explain
	@$(BIN)/python -m tests.bench.console
	@$(BIN)/python -m tests.bench.serving
	@$(BIN)/python -m tests.bench.batch

# Made anew when a dependency in pyproject.toml changes; holds hashes and no address.
lock:
	@$(UV) pip compile pyproject.toml --extra test --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-header --no-annotate --quiet -o requirements.lock

clean:
	@rm -rf .venv var .pytest_cache .mypy_cache .ruff_cache .hypothesis
