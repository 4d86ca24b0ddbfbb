.PHONY: setup run test check bench migration lock

PYTHON ?= python3
BIN := .venv/bin

setup: .venv/.complete

.venv/.complete: requirements.lock requirements-dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Premia needs Python 3.11 or newer" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

run: setup
	$(BIN)/premia run $(ARGUMENTS)

test: setup
	$(BIN)/python -m tests.run $(ARGUMENTS)

check: setup
	$(BIN)/python -m tests.check

bench: setup
	$(BIN)/python -m benchmarks $(ARGUMENTS)

# An empty file to write by hand: the library's detector would drop every constraint that it does not know.
migration: setup
	$(BIN)/tortoise -c models.configuration.MIGRATION_CONFIG makemigrations --empty --name $(NAME) premia

lock:
	uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url --quiet --output-file requirements.lock
	uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url --quiet --output-file requirements-dev.lock
