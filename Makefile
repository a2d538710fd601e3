# What there is to run. `make` alone lists it.

CARGO ?= cargo

# The demo reads these from its environment.
export ONCE
export CLUSTER

.DEFAULT_GOAL := help
.PHONY: help demo test race build tools generate lint clean

help: ## List the targets
	@echo "make <target>:"
	@sed -n 's/^\([a-z]*\):.*## \(.*\)$$/\1|\2/p' $(firstword $(MAKEFILE_LIST)) | while IFS='|' read -r target text; do printf '  %-10s %s\n' "$$target" "$$text"; done

demo: ## Tell the whole story in this terminal; ONCE=1 checks it unattended, CLUSTER=current uses your kubeconfig's cluster
	@echo 'Building what the demo runs. The first time this takes some minutes; Kubernetes is built once, into your cache.'
	$(if $(filter current,$(CLUSTER)),,@tests/tools/build >/dev/null)
	$(CARGO) build --locked --workspace --bins
	@$(CARGO) run --locked --quiet --package demo

test: tools ## Run every test, on a real Kubernetes API server
	$(CARGO) build --locked --workspace --bins
	$(CARGO) test --locked --workspace

RACES ?= 3000
OPERATOR = $(or $(CARGO_TARGET_DIR),target)/release/invitation-operator

race: build tools ## Race the operator's finalizer against deletions: RACES=3000
	$(CARGO) run --locked --package chaos -- --operator $(OPERATOR) race --races $(RACES)

build: ## Build the operator for release: target/release/invitation-operator
	$(CARGO) build --locked --release --package invitation-operator

tools: ## Build kube-apiserver, etcd, kubectl and helm for tests and demo, once, into the user's cache
	@tests/tools/build >/dev/null

generate: ## Write what is generated from the types: crds/, and deploy/argocd/ from them and its scripts
	$(CARGO) build --locked --quiet --package invitation-operator
	rm -rf crds
	$(CARGO) run --locked --quiet --package invitation-operator -- crds --output-dir crds
	$(CARGO) test --locked --quiet --package invitation-operator --test gitops -- --generate

lint: ## Check the format and every lint
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --workspace --all-targets -- --deny warnings

clean: ## Remove what was built here; the tools in the user's cache stay
	$(CARGO) clean
