# The same commands a person, the README and continuous integration use.
SHELL := /bin/bash
BINARY := .build/release/cordwood
HOST ?= 127.0.0.1
PORT ?= 8000
DATA ?= ./data
SECONDS ?= 30
MINUTES ?= 1
MARKS ?= 50

.PHONY: run build setup test test-core lint format update-dependencies
.PHONY: bench fuzz fuzz-answers torture attack mutants mutants-fast test-thread test-readers man dist
.PHONY: test-dist test-logging test-page mutants-page clean help

help: ## What there is to make
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 22

run: build ## Build in release mode and serve on 127.0.0.1:8000 with data in ./data
	exec $(BINARY) serve --host $(HOST) --port $(PORT) --data-dir $(DATA)

setup: ## Install what is missing: Debian packages, Apache Arrow
	@scripts/setup

build: setup ## Build the server in release mode
	swift build -c release --product cordwood

test: setup ## Set up, build and run every test
	@scripts/test

test-core: setup ## The tests of the core alone (no HTTP): builds in about a minute
	CORDWOOD_CORE=1 swift test --scratch-path .build-core

test-page: build ## The page in a real browser: flows, truth, pictures, hostile texts, axe, budgets
	@scripts/test-page $(NAMES)

mutants-page: build ## Plant each bug of Tests/Page/mutants.py in the page; its tests must turn red
	@scripts/test-page --mutants

test-logging: build ## Packages that depend on this one by URL log to the server
	@scripts/test-logging

lint: ## Formatting and style, strict
	@scripts/lint

format: ## Rewrite the sources in the project's format
	swift format -i --recursive --configuration .swift-format Sources Tests Benchmarks Package.swift

update-dependencies: ## Resolve the packages anew and list their versions (see CONTRIBUTING.md)
	swift package update
	python3 -B scripts/tidy --write-dependencies

bench: build ## Measure ingest, queries, disk, memory: ROWS=10000000 (ONLY=ingest,queries: a part)
	@scripts/bench

fuzz: setup ## Fuzz each decoder from the committed corpus for SECONDS=30
	@scripts/fuzz all $(SECONDS)

fuzz-answers: build ## Random questions in every state, against a model, for SECONDS=60 (QUESTIONS=…, SEED=…)
	@python3 -B scripts/fuzz-answers --seconds $(if $(filter file,$(origin SECONDS)),60,$(SECONDS)) \
		$(if $(QUESTIONS),--questions $(QUESTIONS)) $(if $(SEED),--seed $(SEED))

torture: build ## Kill, starve and damage a server that six APIs write to, for MINUTES=1 (SEED=…)
	@scripts/python-tools
	@python3 -B scripts/torture --minutes $(MINUTES) $(if $(SEED),--seed $(SEED))

attack: build ## Strangers and other tenants beside a quiet tenant, TLS, for MINUTES=5 (SEED=…, MARKS=50 ms)
	@scripts/python-tools
	@python3 -B scripts/attack --minutes $(if $(filter file,$(origin MINUTES)),5,$(MINUTES)) --marks $(MARKS) \
		$(if $(SEED),--seed $(SEED))

soak: build ## Write, ask and delete evenly for MINUTES=10: memory, mappings and descriptors must not grow
	@python3 -B scripts/torture/soak.py --minutes $(if $(filter 1,$(MINUTES)),10,$(MINUTES))

mutants: setup ## Plant each bug of Tests/SimulationTests/mutants; the simulation must catch every one
	@scripts/mutants

mutants-fast: setup ## The bugs that are caught at once (scripts/mutants-fast.txt)
	@scripts/mutants --fast

test-thread: setup ## The core's tests under the thread sanitizer
	@scripts/test-thread

test-readers: build ## Seven programs of others read our blocks, Spark too (as root: it installs a Java)
	@scripts/test-readers

man: build ## The manual page of the release build, as text
	@scripts/man $(BINARY) | MANWIDTH=80 man -l -

dist: setup ## Tarball and Debian package that need no Swift, in ./dist
	@scripts/dist

test-dist: ## Look whether what make dist made is fit to ship (as root: it installs it in a clean Debian)
	@scripts/test-dist

clean: ## Remove everything built or downloaded (not ./data)
	rm -rf .build .build-* .deps dist Benchmarks/.build
