# All that is needed is make and a Python from 3.11 on. `make help` lists what there is.
SHELL := /bin/sh
VENV ?= .venv
BIN := $(VENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
RUN := $(BIN)/python
export VENV

prepare = @python=$$(sh tools/python) && "$$python" tools/prepare.py

.PHONY: help learn test book serve chapters class labs parity lint bench nightly lock clean
.DEFAULT_GOAL := help

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1	\2/p' Makefile | expand -t 16

learn: ## the course on this machine, with a live kernel (PORT=8888)
	$(prepare) learn
	@$(RUN) tools/learn.py

test: ## all tests, the chapters' stored outputs too, with branch coverage
	$(prepare) all
	@$(RUN) tools/test.py $(ARGS)

book: ## the book as a static site in _build/html; a warning is an error
	$(prepare) all
	@$(RUN) tools/build_book.py

serve: book ## the built book on loopback (PORT=8000)
	@$(RUN) tools/serve.py _build/html

chapters: ## the notebooks run from the top, their stored outputs anew
	$(prepare) all
	@$(RUN) tools/run_chapters.py

class: ## notebooks for a class in _build/class: blank ones, and with solutions (some minutes)
	$(prepare) all
	@$(RUN) tools/class_notebooks.py $(ARGS)

labs: ## the labs' notebooks on emulators, their stored outputs compared (a real cluster: LAB_CONTEXT=…)
	$(prepare) all
	@$(RUN) tools/run_labs.py --check $(ARGS)

parity: ## the table of what is proven against Kubernetes, anew
	$(prepare) all
	@$(RUN) tools/parity.py

lint: ## style, types and layers
	$(prepare) all
	@$(RUN) -m ruff check .
	@$(RUN) -m ruff format --check .
	@$(RUN) -m mypy
	@$(BIN)/lint-imports --no-logo

bench: ## what it costs: ratios, printed
	$(prepare) all
	@for bench in $(wildcard benchmarks/bench*.py); do $(RUN) "$$bench" || exit 1; done

nightly: ## what is too long for every change: every test, then the mutations
	$(prepare) all
	@SELFHEAL_BROWSER=required SELFHEAL_EXAMPLES=nightly $(RUN) tools/test.py $(ARGS)
	@SELFHEAL_BROWSER=required SELFHEAL_EXAMPLES=nightly $(RUN) -m pytest -q -m "nightly and not labs" tests
	@$(RUN) tools/run_labs.py --check
	@if [ -f tests/mutation/__main__.py ]; then $(RUN) -m tests.mutation; fi

lock: ## requirements.txt anew from pyproject.toml (UPGRADE=1 moves every pin)
	@python=$$(sh tools/python) && "$$python" tools/lock.py

clean: ## removes what was built, not the virtual environment
	@rm -rf _build dist build htmlcov .coverage .coverage.* .pytest_cache .mypy_cache .ruff_cache .hypothesis .benchmarks .import_linter_cache
	@find . -name __pycache__ -type d -not -path './$(VENV)/*' -prune -exec rm -rf {} +
