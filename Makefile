# `make` is a convenience: README.md and BUILD.md say everything without it.
PYTHON ?= python3.11
BIN := .venv/bin

.PHONY: install test lint format docs demo clean commit-checks

install: $(BIN)/vaegan-train

$(BIN)/vaegan-train: setup.py pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install -e '.[dev]'
	touch $@

test: install
	$(BIN)/python -m pytest

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: install
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: install
	$(BIN)/pip install --quiet -e '.[docs]'
	PATH="$(CURDIR)/$(BIN):$$PATH" NO_MKDOCS_2_WARNING=1 \
		$(BIN)/mkdocs build --strict

demo: install
	$(BIN)/vaegan-train --flagfile=demo

# Before every commit.
commit-checks: format lint test

# Keeps the virtual environment, trained runs and data.
clean:
	rm -rf build dist site .mypy_cache .pytest_cache .ruff_cache
	find . -name '*.egg-info' -not -path './.venv/*' -prune -exec rm -rf {} +
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
