# What there is to run. `make` alone lists it.

CARGO ?= cargo

# The demo reads these from its environment.
export ONCE
export CLUSTER

.DEFAULT_GOAL := help
.PHONY: help demo test model simulate enumerate bugs chaos race bench mutants rights build image release tools generate lint clean

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
	$(SIMULATION) check

# The operator's own passes in process, quick enough for millions of runs.
SIMULATION = $(CARGO) run --locked --quiet --profile simulation --package simulation --
SEEDS ?= 10000
DEPTH ?= 1

simulate: ## Random runs of the operator's passes in process, the outbox as the oracle: SEEDS=10000, or SEED=17 again
	$(SIMULATION) $(if $(SEED),seed $(SEED),seeds --count $(SEEDS))

enumerate: ## Every fault at every boundary of every scenario: DEPTH=1 ONLY=, or SCHEDULE='invite/pair/9:lost reply' again
	$(SIMULATION) $(if $(SCHEDULE),schedule '$(SCHEDULE)',enumerate --depth $(DEPTH) $(addprefix --only=,$(ONLY)))

bugs: ## Make known mistakes, one by one: each must be caught
	$(SIMULATION) bugs
	tests/simulation/patches/catch

KILLS ?= 1000
RACES ?= 3000
OPERATOR = $(or $(CARGO_TARGET_DIR),target)/release/invitation-operator

chaos: build tools ## Kill, split and disturb two replicas while people are invited: KILLS=1000 SEED=
	$(CARGO) run --locked --package chaos -- --operator $(OPERATOR) kills --kills $(KILLS) $(addprefix --seed=,$(SEED))

race: build tools ## Race the operator's finalizer against deletions: RACES=3000
	$(CARGO) run --locked --package chaos -- --operator $(OPERATOR) race --races $(RACES)

RUNS ?= 10

bench: build tools ## Measure the operator into docs/benchmarks: RUNS=10 ONLY=scale,latency; QUICK=1 takes five minutes, into target/bench
	$(CARGO) run --locked --quiet --profile simulation --package bench -- suite --operator $(OPERATOR) \
	  $(if $(QUICK),--quick --output $(or $(CARGO_TARGET_DIR),target)/bench,--runs $(RUNS)) $(addprefix --only=,$(ONLY))

build: ## Build the operator for release: target/release/invitation-operator
	$(CARGO) build --locked --release --package invitation-operator

image: ## Build the image without a daemon, twice, and run the operator in it on a control plane; needs buildah and root
	rm -rf dist/image
	deploy/image/build 0.0.0-dev dist/image
	deploy/image/build 0.0.0-dev dist/image/again
	cmp dist/image/invitation-operator-0.0.0-dev.oci.tar dist/image/again/invitation-operator-0.0.0-dev.oci.tar
	$(CARGO) build --locked --workspace --bins
	E2E_UNDER=chart IMAGE=$(CURDIR)/dist/image/invitation-operator-0.0.0-dev.oci.tar $(CARGO) test --locked --package invitation-operator --test image

release: tools ## Prepare a release in dist/VERSION, publish nothing, and say what does: VERSION=1.2.3
	deploy/release/prepare "$(VERSION)"

tools: ## Build kube-apiserver, etcd, kubectl and helm for tests and demo, once, into the user's cache
	@tests/tools/build >/dev/null

rights: tools ## Run the end-to-end tests under the rights that the chart grants, and compare those with what was used
	rm -rf target/rights
	$(CARGO) build --locked --workspace --bins
	E2E_UNDER=chart E2E_USED=$(CURDIR)/target/rights $(CARGO) test --locked --test e2e --test leader --test e2e_cluster
	E2E_UNDER=chart-everywhere E2E_USED=$(CURDIR)/target/rights $(CARGO) test --locked --test e2e --test leader
	$(CARGO) run --locked --quiet --package packaging -- rights target/rights

model: ## Explore every schedule of the small worlds, the large ones too
	MODEL=large $(CARGO) test --locked --package model --test check

mutants: ## Break each line of src/domain in turn and see whether a unit test notices: at least 95 % (needs cargo-mutants)
	tests/decisions/mutants

generate: tools ## Write what is generated: crds/ from the types, the chart's schema and README, deploy/ from types and chart
	$(CARGO) build --locked --quiet --package invitation-operator
	rm -rf crds
	$(CARGO) run --locked --quiet --package invitation-operator -- crds --output-dir crds
	rm -rf charts/invitation-operator/templates/crds
	$(CARGO) run --locked --quiet --package packaging -- generate
	$(CARGO) test --locked --quiet --package invitation-operator --test gitops -- --generate

lint: ## Check the format and every lint
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --workspace --all-targets -- --deny warnings

clean: ## Remove what was built here; the tools in the user's cache stay
	$(CARGO) clean
