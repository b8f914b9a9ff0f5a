# One command each: demo, test, check, bench. Every one of them sets up what it needs.

PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed
PEERS := build/peers
CLIENTS := build/clients
MATRIX := tests/functional/clients
MODELS := qwen2.5-coder-0.5b smollm2-135m

.DEFAULT_GOAL := help
.PHONY: help demo test check bench bench-audit bench-engine bench-ladder bench-stream clients format install install-cuda models templates constraints clean

help: ## list what can be made
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile

demo: install models ## ask both real models eight questions through the proxy
	$(BIN)/python examples/demo.py

test: install models templates $(CLIENTS)/.node ## run every test, those on the real models included, with the coverage gate
	$(BIN)/pytest -m "not clients" --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder --cov --cov-report=term --durations 20 --benchmark-disable

check: install ## lint, format, types, import contracts
	$(BIN)/ruff check . scripts/wheel scripts/templates
	$(BIN)/ruff format --check . scripts/wheel scripts/templates
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

bench: install models ## measure
	$(BIN)/pytest tests/benchmarks --benchmark-only

bench-stream: install ## measure what streaming through the gateway adds to an upstream's own time
	$(BIN)/python tests/benchmarks/streams.py
	$(BIN)/python tests/benchmarks/streams.py --no-ledger

bench-audit: install ## measure the auditor on labelled answers: make bench-audit FILE=ROWS.jsonl [PROMPTS=PROMPTS.jsonl]
	$(BIN)/python tests/benchmarks/accuracy.py "$(FILE)" $(if $(PROMPTS),--prompts "$(PROMPTS)")

bench-engine: install models $(PEERS)/.installed ## measure the engine beside llama_cpp.server and xllamacpp
	@for model in $(MODELS); do echo "$$model"; \
		$(BIN)/python tests/benchmarks/engines.py "$$($(BIN)/glasnost pull $$model)" --peers $(PEERS) || exit 1; done

bench-ladder: install models ## measure a race and a reframe
	$(BIN)/python tests/benchmarks/ladder.py race
	$(BIN)/python tests/benchmarks/ladder.py reframe "$$($(BIN)/glasnost pull qwen2.5-coder-0.5b)"

clients: install $(CLIENTS)/.installed $(CLIENTS)/.node ## drive every client of the matrix, and other gateways, against this one
	$(BIN)/pytest -m clients

format: install ## put the code into shape
	$(BIN)/ruff check --fix . scripts/wheel scripts/templates
	$(BIN)/ruff format . scripts/wheel scripts/templates

install: $(INSTALLED) ## make .venv with everything that constraints.txt pins

# Replaces the llama.cpp that is there, and stays until `make clean`: pip takes the two for one version.
install-cuda: $(BIN)/python ## the same, with llama.cpp for NVIDIA GPUs: needs the CUDA toolkit
	wheel=$$($(BIN)/python scripts/wheel --cuda) && \
		$(BIN)/pip install --quiet --no-compile --constraint constraints.txt "$$wheel" \
			--editable '.[local,litellm,otel,postgresql,parquet,redis,ray,cuda,dev]' && \
		$(BIN)/pip install --quiet --no-compile --no-deps --force-reinstall "$$wheel"
	@touch $(INSTALLED)

models: install ## fetch and verify the models of the demo and the tests
	@set -e; for model in $(MODELS); do $(BIN)/glasnost pull $$model; done

templates: install ## fetch the official chat templates that the tests compare with, which are not ours to ship
	@$(BIN)/python scripts/templates

constraints: install ## write what is installed to constraints.txt, under the comment it opens with
	@grep '^#' constraints.txt > .venv/constraints.txt
	@$(BIN)/pip list --format=freeze --exclude-editable --exclude pip --exclude setuptools \
		| grep -v '^glasnost==' >> .venv/constraints.txt
	@mv .venv/constraints.txt constraints.txt

clean: ## remove what was made here; the caches of models, wheels and templates stay
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage .coverage.*

# Not compiled in advance: most of what is installed is never imported here, and it takes half of the time.
$(INSTALLED): $(BIN)/python pyproject.toml constraints.txt scripts/wheel
	wheel=$$($(BIN)/python scripts/wheel) && \
		$(BIN)/pip install --quiet --no-compile --constraint constraints.txt "$$wheel" --editable '.[local,litellm,otel,postgresql,parquet,redis,ray,dev]'
	@touch $@

# Each in an environment of its own: what they depend on does not go together.
$(CLIENTS)/.installed: $(wildcard $(MATRIX)/requirements*.txt)
	$(PYTHON) -m venv $(CLIENTS)/openai3
	$(CLIENTS)/openai3/bin/pip install --quiet --no-compile --requirement $(MATRIX)/requirements.txt
	$(PYTHON) -m venv $(CLIENTS)/llama-index
	$(CLIENTS)/llama-index/bin/pip install --quiet --no-compile --requirement $(MATRIX)/requirements-llama-index.txt
	$(PYTHON) -m venv $(CLIENTS)/litellm
	$(CLIENTS)/litellm/bin/pip install --quiet --no-compile --requirement $(MATRIX)/requirements-litellm.txt
	@touch $@

# Without node there is nothing to drive; the tests say so.
$(CLIENTS)/.node: $(MATRIX)/package.json
	@mkdir -p $(CLIENTS)
	cp $(MATRIX)/package.json $(CLIENTS)/
	if command -v npm >/dev/null; then npm install --prefix $(CLIENTS) --no-audit --no-fund --no-package-lock; fi
	@touch $@

$(PEERS)/.installed: $(INSTALLED)
	$(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/pip install --quiet "$$($(BIN)/python scripts/wheel)[server]" xllamacpp==2026.10.11549
	@touch $@

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer: make PYTHON=python3.12")'
	$(PYTHON) -m venv .venv
