# make demo            the story in a terminal; stays until Ctrl-C
# make demo ONCE=1     the same unattended; checks each step and ends with 0 or 1
# make demo CLUSTER=current   in the cluster of the current kubeconfig

CARGO ?= cargo

.PHONY: demo
demo:
	@echo 'Building the operator, the simulator and the demo'
	@$(CARGO) build --workspace --bins
	@$(CARGO) run --quiet --package demo --bin demo -- $(if $(ONCE),--once) $(if $(CLUSTER),--cluster=$(CLUSTER))
