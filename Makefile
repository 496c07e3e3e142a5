# Each target works alone on a fresh clone: what it needs is installed first. Needs make, npm (10 or newer) and any Node
# that runs npm; the Node that everything else runs on is pinned and comes with the packages.
#
# Variables of the environment and of the command line reach the commands: make demo ONCE=1, make up PORT=5000 EDGES=2.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help install lockfile console demo up test bench lint fmt clean

BIN := $(CURDIR)/node_modules/.bin
INSTALLED := node_modules/.installed
# npm ci replaces the pinned Node, so it must not run on it; what it would warn of concerns a Node that runs nothing here.
INSTALL_PATH := $(PATH)
export PATH := $(BIN):$(PATH)
RUN := exec node --conditions=toolstream --import tsx

help: ## Show what there is to make
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):[^#]*## /\1\t/' | while IFS=$$'\t' read -r name what; do printf '  make %-8s %s\n' "$$name" "$$what"; done

install: $(INSTALLED) ## Install the packages, if the lockfile is newer than they are

# npm ci begins by deleting node_modules, and this file with it: an installation that was cut short is done again.
$(INSTALLED): package-lock.json
	PATH='$(INSTALL_PATH)' npm ci --no-audit --no-fund --loglevel=error
	@node -e 'process.exit(process.versions.node.split(".")[0] >= 24 ? 0 : 1)' || { echo 'The pinned Node was not installed: npm must be allowed to run the install script of the package "node" (is ignore-scripts set?).' >&2; exit 1; }
	@touch $@

lockfile: ## Put back what npm leaves out of the lockfile: optional packages of other platforms
	@$(RUN) scripts/complete-lockfile.ts

console: $(INSTALLED) ## Build the console, if its sources are newer than its build
	@node services/console/build.ts

demo: console ## Start everything, follow a sample run, stay up (ONCE=1: exit when it ends)
	@$(RUN) libs/cli/src/main.ts demo

up: console ## Start everything and stay up
	@$(RUN) libs/cli/src/main.ts up

test: console ## Lint, import fence, types, all tests (STEPS="types unit": only these)
	@$(RUN) scripts/test.ts $(STEPS)

bench: $(INSTALLED) ## Run the benchmarks, with their floors and peers
	@$(RUN) infra/bench/src/main.ts $(ARGS)

lint: $(INSTALLED) ## Check style and the import fence
	npm run --silent lint
	npm run --silent fence
	@node --conditions=toolstream --import tsx scripts/complete-lockfile.ts --check

fmt: $(INSTALLED) ## Format what can be formatted
	npm run --silent format

clean: ## Delete what builds leave behind; packages, downloads and data stay
	rm -rf proto-events/dist libs/*/dist services/*/dist examples/*/dist infra/*/dist .turbo coverage bench-results .cache/tests-types .cache/tests.tsbuildinfo .cache/console-types .cache/console.tsbuildinfo .cache/test-results services/console/.build-*
