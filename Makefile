# Every target sets up what it needs first, and may be run again at any time.
PYTHON ?= python3
BIN := .venv/bin
TESTS ?= tests
WORKERS ?= --numprocesses auto --maxprocesses 4 --dist loadfile

.PHONY: help setup setup-dev demo test test-all bench lint format wheel lock checksums docs examples clean

help:
	@echo "make demo      set up, then score a real clip"
	@echo "make test      set up, then the fast tests"
	@echo "make test-all  all tests"
	@echo "make bench     wall time and peak memory, stage by stage (FILES=\"a.mp4 b.mp4\" for your own)"
	@echo "make lint      format, lint and types: ruff and mypy (make format puts the format right)"
	@echo "make wheel     build the wheel and prove that it works alone"
	@echo "make docs      the documentation as a site, in build/site"
	@echo "make examples  all that can be heard or seen in examples/, anew from seeds (needs espeak-ng)"
	@echo "PYTHON=...     the interpreter to make .venv with (3.10 or newer)"

setup:
	@$(PYTHON) scripts/setup.py

setup-dev:
	@$(PYTHON) scripts/setup.py --dev

demo: setup
	@$(BIN)/python scripts/demo.py $(FILES)

test: setup-dev
	@$(BIN)/python -m pytest -q $(WORKERS) -m "not slow" $(TESTS)

test-all: setup-dev
	@$(BIN)/python -m pytest -q $(WORKERS) $(TESTS)

bench: setup-dev
	@$(BIN)/python benchmarks/bench.py $(FILES)

lint: setup-dev
	@$(BIN)/python -m ruff format --check .
	@$(BIN)/python -m ruff check .
	@$(BIN)/python -m mypy

format: setup-dev
	@$(BIN)/python -m ruff format .
	@$(BIN)/python -m ruff check --fix .

wheel: setup-dev
	@$(BIN)/python scripts/prove_wheel.py

docs: setup-dev
	@PYTHONPATH=. NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet
	@echo "open build/site/index.html, or, for the search: python3 -m http.server -b 127.0.0.1 -d build/site"

examples: setup-dev
	@$(BIN)/python scripts/examples.py

# after a weight file changed
checksums:
	@cd videoscore/weights && sha256sum -- *.safetensors > SHA256SUMS && cat SHA256SUMS

# after pyproject.toml's dependencies changed
lock: setup-dev
	@$(BIN)/python scripts/lock.py $(BIN)/python $(OLDEST)

clean:
	rm -rf .demo .venv build dist .mypy_cache .ruff_cache .pytest_cache
