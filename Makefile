# Two commands on a fresh machine: `make demo` and `make test`. Both install everything they need into .venv.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: install demo test lint lock clean
.DEFAULT_GOAL := install

install: .venv/installed

# The stamp is renewed when the lock or the project file changes; uv checks every hash.
.venv/installed: requirements.lock pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@

# Made anew when a dependency in pyproject.toml changes; holds hashes and no address.
lock:
	@$(BIN)/uv pip compile pyproject.toml --extra test --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-header --no-annotate --quiet -o requirements.lock
