# The front door. The work behind it is `cargo xtask` (crates/xtask).

CARGO ?= cargo
# `--bin` and not `--package`: the same features as `build --workspace`, so nothing is compiled twice.
XTASK := $(CARGO) run --quiet --bin xtask --

ENGINES := archive goregex gotemplate helm kustomize status substitute version yaml
FUZZED := goregex gotemplate helm yaml

.PHONY: help demo test lint bench fuzz generate crds images install

help: ## Show what there is.
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 20

demo: ## From a Git push to an upgraded Helm release, on a real Kubernetes API server. KEEP=1 leaves it running.
	@$(CARGO) build --workspace --bins
	@$(XTASK) demo

test: ## Everything that CI tests.
	$(CARGO) build --workspace --bins
	$(CARGO) test --workspace --no-fail-fast

lint: ## Formatting, clippy, licences and dependencies.
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets -- -D warnings
	$(XTASK) deny

bench: ## Speed and size: medians, and ratios measured in one run.
	$(XTASK) bench

fuzz: ## The differential tests (CASES=100000) and the fuzzers (FUZZ_SECONDS=600 for each target) at length.
	TOWLINE_FUZZ_CASES=$(or $(CASES),100000) TOWLINE_DIFFERENTIAL_CASES=$(or $(CASES),100000) $(CARGO) test --release $(addprefix -p ,$(ENGINES))
	TOWLINE_FUZZ_SECONDS=$(or $(FUZZ_SECONDS),600) $(CARGO) test --release $(addprefix -p ,$(FUZZED)) --test fuzz -- --nocapture

generate: ## Write everything generated: CRDs, RBAC, gRPC code, schema tables.
	$(XTASK) crds
	$(XTASK) rbac
	$(XTASK) proto
	$(XTASK) kustomize-schema

crds: ## Write deploy/crds from the Rust types.
	$(XTASK) crds

images: ## Pack each release binary into an OCI archive (no container engine needed).
	$(XTASK) images

install: ## Apply deploy/overlays/default to the current cluster.
	kubectl apply --server-side -k deploy/overlays/default
