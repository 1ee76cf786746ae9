# `make` builds, `make demo` shows the main job, `make test` is everything that CI runs.
.POSIX:
.DEFAULT_GOAL := build
.PHONY: build help demo demo-agent test check bench fuzz release generate clean

build: ## build bin/sketch-ide
	@CGO_ENABLED=0 go build -trimpath -o bin/sketch-ide ./cmd/sketch-ide

help: ## list what there is to make
	@sed -n 's/^\([a-z-]*\):[a-z ]*## /\1\t/p' Makefile | expand -t 12

demo: ## show the main job, with all the set-up that it needs
	@scripts/demo.sh

demo-agent: ## show the agent at work, with a scripted model instead of a key
	@scripts/demo-agent.sh

test: ## everything that CI runs, with all the set-up that it needs
	@scripts/test.sh

check: ## the fast checks, for before a commit
	@scripts/check.sh

bench: build ## measure against the real engine
	@scripts/bench.sh

fuzz: ## run each fuzz target for FUZZTIME=20s, and the stress test for STRESS=2m
	@scripts/fuzz.sh

release: ## build dist/ for Linux and macOS, amd64 and arm64
	@scripts/release.sh

generate: ## write the generated files again
	@go generate ./...

clean: ## remove what was built
	@rm -rf bin dist artifacts agent/agentbin/embedded editors/vscode/dist
