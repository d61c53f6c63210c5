# make and Python 3.11 are all this needs; uv is brought here, and everything else from requirements.lock, by hash.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(CURDIR)/$(VENV)/bin
STAMP := $(VENV)/.locked
CORES ?= all
TIMES ?= 30
export PATH := $(BIN):$(PATH)
unexport PYTHONDONTWRITEBYTECODE # without cached bytecode every start of Python compiles torch's sources anew

.PHONY: setup demo mini checkpoints test test-slurm fuzz lint lock report clean help gpu-wheels

help:
	@echo "make demo    set up, run the synthetic study, print the path of its report"
	@echo "make mini    the same for the real miniature study (downloads 54 MB, or AUDIOPRUNE_MIRROR=folder)"
	@echo "make checkpoints  pre-train the tiny backbones again and put them into workflow/checkpoints (half an hour)"
	@echo "make test    set up, run the whole test suite"
	@echo "make test-slurm  as root, with SLURM installed: studies and faults on a real SLURM on this machine"
	@echo "make fuzz    mutated audio, checkpoints, tables and configurations for some minutes (TIMES=100: longer)"
	@echo "make lint    formatting, lint, import contracts, types, unused code"
	@echo "make gpu-wheels PYTHON=3.12  what benchmarks/gpu_check.py needs on a GPU machine with that Python and no network"
	@echo "make lock    write requirements.lock and envs/*.yaml anew from pyproject.toml"

setup: $(STAMP)

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(0 if v >= (3, 11) else f"Python 3.11 or newer is needed, this is {v.major}.{v.minor}: make PYTHON=python3.11 ...")'
	@test -x .uv/bin/uv || { $(PYTHON) -m venv .uv && .uv/bin/python -m pip install -q --disable-pip-version-check uv==0.13.8; }
	@echo "setting up $(VENV) from requirements.lock ..."
	@.uv/bin/uv venv -q --allow-existing --python $(PYTHON) $(VENV)
	@.uv/bin/uv pip sync -q --python $(VENV)/bin/python --require-hashes requirements.lock
	@.uv/bin/uv pip install -q --python $(VENV)/bin/python --no-deps --no-build-isolation --editable .
	@touch $@

demo: setup
	@snakemake --cores $(CORES) results/demo/report.html
	@echo "report: $(CURDIR)/results/demo/report.html"

mini: setup
	@snakemake --cores $(CORES) results/mini/report.html
	@echo "report: $(CURDIR)/results/mini/report.html"

checkpoints: setup
	@targets=$$(audioprune checkpoints --targets) && snakemake --cores $(CORES) $$targets
	@audioprune checkpoints

test: setup
	@pytest -q -n 2 --dist loadfile --durations=15 --ignore=tests/slurm tests

test-slurm: setup
	@pytest -q --durations=15 -rs tests/slurm

fuzz: setup
	@AUDIOPRUNE_FUZZ=$(TIMES) pytest -q -n 2 tests/fuzz

lint: setup
	@ruff check -q . && ruff format --check . && snakefmt --check Snakefile workflow && lint-imports --no-logo && python -m lint.check

lock: setup
	@.uv/bin/uv pip compile -q --universal --python-version 3.11 --extra dev --generate-hashes --no-emit-index-url \
		--no-header --no-annotate pyproject.toml -o requirements.lock
	@$(VENV)/bin/python envs/write.py

gpu-wheels:
	@test -x .uv/bin/python || python3 -m venv .uv
	@.uv/bin/python -m benchmarks._parts.wheels $(PYTHON)

clean:
	@echo "results/ is where everything made lies; remove it by hand, or only what is outdated: audioprune gc"
