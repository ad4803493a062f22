# `make` alone prints the menu. Every command makes the environment it needs: see .ci/environment.

PORT ?= 8400
RASA_PORT ?= 5005
ARGS ?=
MATRIX ?= python-3.10 python-3.11 python-3.12 python-3.13 python-3.14 lowest \
	python-3.11-pro python-3.12-pro python-3.13-pro python-3.14-pro \
	rasa-pro-3.14.29 rasa-pro-3.16.32 rasa-pro-3.20.5 rasa-pro-3.21.0 rasa-pro-pre

.DEFAULT_GOAL := help
.PHONY: help demo check quick test matrix lint format docs bench bench-check soak setup clean

help: ## this menu
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile

demo: ## run a bot and the simulator, and say which page to open (PORT=8400 RASA_PORT=5005)
	@.ci/environment .venv
	@.venv/bin/python examples/demo.py --port $(PORT) --rasa-port $(RASA_PORT)

check: ## the daily round, in two minutes: lint, and beside it the quick tests of single modules
	@.ci/environment .venv-lint
	@.ci/environment .venv
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=line lint quick

quick: ## the quick tests of single modules alone
	.venv/bin/python -m pytest tests/unit -m "not slow" $(ARGS)

test: ## run every test (ARGS="-k buttons" for some of them)
	@.ci/test $(ARGS)

matrix: ## run tests on every Python, with the oldest dependencies, and with every Rasa Pro
	@failed=; for environment in $(MATRIX); do \
	    .ci/matrix $$environment $(ARGS) || failed="$$failed $$environment"; \
	done; [ -z "$$failed" ] || { echo "Failed:$$failed"; exit 1; }

lint: ## check style, types, layers, the manifests for Kubernetes and the documentation
	@.ci/environment .venv-lint
	.venv-lint/bin/ruff check .
	.venv-lint/bin/ruff format --check .
	.venv-lint/bin/mypy
	.venv-lint/bin/lint-imports
	.venv-lint/bin/kubernetes-validate --strict --quiet $(filter-out %/kustomization.yaml, $(wildcard examples/kubernetes/*.yaml))
	$(MKDOCS) build

format: ## bring the code into shape
	@.ci/environment .venv-lint
	.venv-lint/bin/ruff check --fix .
	.venv-lint/bin/ruff format .

MKDOCS = NO_MKDOCS_2_WARNING=1 .venv-lint/bin/mkdocs

docs: ## show the documentation on http://127.0.0.1:8000, and write the pages that are made from code
	@.ci/environment .venv-lint
	.venv-lint/bin/python docs/pages.py
	$(MKDOCS) serve

BENCH = PYTHONPATH=.:tests .venv/bin/python -m bench $(if $(QUICK),--quick) $(ARGS)

bench: ## measure every number that is promised, beside a reference (QUICK=1; ARGS="--json FILE", ARGS="throughput --beside DIR")
	@.ci/environment .venv
	@$(BENCH)

bench-check: ## the same, and fail where a goal is missed by more than 15 %
	@.ci/environment .venv
	@$(BENCH) --check

soak: ## let people chat for minutes while everything breaks, and count what is lost or doubled (ARGS=--help)
	@.ci/environment .venv
	@PYTHONPATH=.:tests .venv/bin/python -m soak $(ARGS)

setup: ## make all environments now: .venv, .venv-pro, .venv-lint
	@.ci/environment .venv
	@.ci/environment .venv-lint
	@.ci/environment .venv-pro

clean: ## take away environments, caches, models and databases
	rm -rf .venv .venv-*
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist
	rm -rf examples/*/models examples/*/.rasa examples/*/*.db examples/*/*.db-shm examples/*/*.db-wal
	find rasa_whatsapp_channel tests examples -name __pycache__ -prune -exec rm -rf {} +
