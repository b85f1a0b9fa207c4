# Everything goes to one target folder in release mode, lints and documentation included, so that CFITSIO and
# the dependencies' build scripts are built once.

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint bench

# rustup's cargo, where the shell has not got it on its path yet.
export PATH := $(PATH):$(or $(CARGO_HOME),$(HOME)/.cargo)/bin

# Arguments for the demo: make demo DEMO="--smallest"
DEMO ?=

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## install what this machine lacks (nothing, the second time)
	@scripts/setup.sh

demo: setup ## simulate, train, evaluate and fit, small; the results go to ./demo
	cargo run --release -- demo $(DEMO)

test: setup ## every test, on the GPU or on a software Vulkan driver
	cargo test --release

lint: setup ## formatting, clippy and the documentation, warnings as errors
	cargo fmt --check
	cargo clippy --release --all-targets -- -D warnings
	RUSTDOCFLAGS=-Dwarnings cargo doc --release --no-deps

bench: setup ## the benchmarks of benches/
	cargo bench
