# Everything a newcomer needs is `make benchmark` and `make test`; both set up .venv by themselves.

PYTHON ?= python3
BIN := .venv/bin

.PHONY: help benchmark paper table report figures check baseline speed test lint smoke search results clean

help: ## this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 12

benchmark: .venv/ready ## run the suite `quick` (what is missing of it) and print its table
	$(BIN)/python -m benchmarks run quick

paper: .venv/ready ## print the paper's 31 LSTM rows beside ours (to train them: -m benchmarks run paper)
	$(BIN)/python -m benchmarks table paper --out results

table: .venv/ready ## print the table of `quick` again
	$(BIN)/python -m benchmarks table quick

report: .venv/ready ## pages with figures and statistics of the committed results, results/*/report/
	$(BIN)/python -m benchmarks report compare quick lags anchors latch paper fidelity readings best-readings gradient-flow guesses guessing remedies rivals streams --out results

figures: report ## the figures of README.md and docs/, docs/figures/
	@mkdir -p docs/figures
	cp results/lags/report/delay.png docs/figures/lags.png
	cp results/quick/report/success.png docs/figures/quick.png
	cp results/paper/report/paper.png docs/figures/paper.png
	cp results/readings/report/readings.png docs/figures/readings.png

check: .venv/ready ## regression check: run suite `smoke`, compare with results/baseline.csv
	$(BIN)/python -m benchmarks check

baseline: .venv/ready ## rewrite results/baseline.csv, on purpose (twice the time of `make check`)
	$(BIN)/python -m benchmarks baseline

speed: .venv/ready ## time the learners against their alternatives (10 minutes on 2 cores, nothing beside it)
	$(BIN)/python -m benchmarks speed

test: .venv/ready ## the tests
	$(BIN)/python -m pytest -n 2 --dist loadfile --durations=20

lint: .venv/ready ## ruff (lint, format), import-linter (who may import whom) and mypy (types)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache
	$(BIN)/mypy

smoke: .venv/ready ## suite `tiny` end to end, in a temporary folder
	folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && \
	$(BIN)/python -m benchmarks run tiny --out "$$folder" && \
	$(BIN)/python -m benchmarks table tiny --out "$$folder" > "$$folder/table.txt" && \
	test $$(ls "$$folder"/tiny/trials | wc -l) = 18
	$(BIN)/python -m pytest -m slow -n 2 --dist loadfile

search: .venv/ready ## what is missing of the searches for `quick`, `compare`, `lags`, `remedies` (many hours)
	$(BIN)/python -m benchmarks search quick --configurations 24 --out results
	$(BIN)/python -m benchmarks search compare --configurations 24 --out results
	$(BIN)/python -m benchmarks search lags --configurations 12 --out results
	$(BIN)/python -m benchmarks search remedies --configurations 12 --out results  # up to a delay of 200
	$(BIN)/python -m benchmarks search remedies --configurations 12 --out results  # 500, where 200 was solved

results: .venv/ready ## run what is missing of the committed results (hours; search first), rewrite their tables
	$(BIN)/python -m benchmarks run quick --out results
	$(BIN)/python -m benchmarks run lags --out results
	$(BIN)/python -m benchmarks run compare --out results
	$(BIN)/python -m benchmarks run paper --out results
	$(BIN)/python -m benchmarks run fidelity --out results
	$(BIN)/python -m benchmarks run gradient-flow --out results
	$(BIN)/python -m benchmarks run latch --out results
	$(BIN)/python -m benchmarks run rivals --out results
	$(BIN)/python -m benchmarks run guessing --out results
	$(BIN)/python -m benchmarks run guesses --out results
	$(BIN)/python -m benchmarks run anchors --out results
	$(BIN)/python -m benchmarks run readings --out results
	$(BIN)/python -m benchmarks run best-readings --out results
	$(BIN)/python -m benchmarks run remedies --keep-weights --out results
	$(BIN)/python -m benchmarks flow remedies --out results
	$(BIN)/python -m benchmarks run streams --out results

clean: ## remove the environment and local results
	rm -rf .venv results/local

.venv/ready: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or newer is needed; name one with: make PYTHON=python3.11 ..."; exit 2; }
	@echo "Setting up .venv (once, a minute or two) ..."
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@
