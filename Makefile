# `make demo` and `make test` start from a bare Python 3.11 and make: they build .venv first.
PYTHON ?= python3
BIN := .venv/bin
# Python compiles what it imports when it does; pip would compile all of site-packages, for a minute.
PIP := $(BIN)/pip install --quiet --disable-pip-version-check --no-compile --constraint constraints.txt
DATA_ROOT ?= ../shared/data

.PHONY: install test quick lint demo bench clean

install: .venv/installed

.venv/installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "purifold needs Python 3.11 or newer: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 2; }
	@$(PYTHON) -m venv .venv \
	  || { echo "this Python has no venv module: install your system's python3-venv package"; exit 2; }
	@echo "installing into .venv, a minute or two"
	$(PIP) torch
	$(PIP) --editable '.[test]'
	@touch $@

# A process a core, each with one thread: more threads than cores stand in each other's way.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/pytest -q -n auto --dist loadscope

test: install lint
	$(PYTEST)

quick: install
	$(PYTEST) -m 'not slow'

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

demo: install
	$(BIN)/purifold demo

# Torchattacks pins an old requests, Pythae asks for a copy of dataclasses: they come without what they ask for.
bench: install
	$(PIP) --editable '.[bench]'
	$(PIP) --no-deps torchattacks pythae
	$(BIN)/python -m benchmarks.attacks --data mnist --data-root $(DATA_ROOT)
	$(BIN)/python -m benchmarks.attacks --data cifar-10 --data-root $(DATA_ROOT)
	$(BIN)/python -m benchmarks.training --data-root $(DATA_ROOT)
	$(BIN)/python -m benchmarks.jpeg --data-root $(DATA_ROOT)
	$(BIN)/python -m benchmarks.eot --data-root $(DATA_ROOT)
	$(BIN)/python -m benchmarks.kernels --data-root $(DATA_ROOT)
	$(BIN)/python -m benchmarks.reconstruction --data-root $(DATA_ROOT)
	$(BIN)/python -m benchmarks.stacked --data-root $(DATA_ROOT)
	$(BIN)/python -m benchmarks.puvae --data-root $(DATA_ROOT)
	$(BIN)/python -m benchmarks.patches --data-root $(DATA_ROOT)
	$(BIN)/python -m benchmarks.gm_vae --data-root $(DATA_ROOT)
	$(BIN)/python -m benchmarks.engine --ray auto
	$(BIN)/python -m benchmarks.scaling --ray-ms 1.6 --out results/engine/scaling.json
	$(BIN)/python -m benchmarks.scaling --ray-ms 1.6 --shrink 14.4 --out results/engine/scaling-short.json
	$(BIN)/python -m benchmarks.page

clean:
	rm -rf .venv runs store build
