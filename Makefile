# The door: every target is one line; whatever needs an `if` is in xtask/.
.DEFAULT_GOAL := help
.PHONY: help up dev demo build test check lint fmt accept bench profile train fuzz audit gen sizes clean
XTASK := cargo run --quiet --package xtask --

help: ## this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

up: ## install what is missing, build, start Signalbox, print URL and key
	@$(XTASK) up

demo: ## the same with the simulated provider and realistic traffic: every page is full
	@$(XTASK) demo

dev: ## web UI with hot reload on :5173 against Signalbox on :7300
	@$(XTASK) dev

build: ## web UI and release binary → target/release/signalbox
	@$(XTASK) build

test: ## install what is missing, then every test; C=gateway for one crate
	@$(XTASK) test $(C)

check: ## type-check; C=gateway for one crate
	@$(XTASK) check $(C)

lint: ## rustfmt, clippy, tidy, eslint, prettier, tsc, ruff
	@$(XTASK) lint

fmt: ## format everything
	@$(XTASK) fmt

accept: ## take the new golden files as right (then look at `git diff`)
	@$(XTASK) accept $(C)

bench: ## measure the gateway against nginx in the same run
	@$(XTASK) bench

profile: ## count which code calls run through, for the compiler: when dependencies or what a call runs through changed
	@$(XTASK) profile

train: ## the guard's model from labelled data: make train DATA=path/to/data [FEEDBACK=exported.jsonl]; CHECK=1 compares only
	@cargo run --quiet --release --package signalbox-guard --example train -- "$(DATA)" $(if $(FEEDBACK),--feedback "$(FEEDBACK)") $(if $(CHECK),--check)

fuzz: ## look for texts that break the guard, for ten minutes; T=otlp_decoder for others, S=seconds
	@$(XTASK) fuzz $(or $(T),guard) $(S)

audit: ## licences, advisories, unused dependencies
	@$(XTASK) audit

gen: ## OpenAPI document and the web UI's types from the code
	@$(XTASK) gen

sizes: ## lines per crate and file
	@$(XTASK) sizes
