# The two commands are `make demo` and `make test`; each installs what it needs into .venv first.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
PORT ?= 3000
# The image's name, the registry that `make push` sends it to, and who builds it: buildah, podman or docker.
IMAGE ?= tideline:dev
REGISTRY ?= localhost:5000
BUILDER ?= buildah
BUILD_OPTIONS ?=
BIN := .venv/bin
READY := .venv/.ready

.PHONY: help demo test test-slow test-all e2e check bench format serve image push constraints clean

help: ## list the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

demo: $(READY) ## train on real series, start the services, predict, print the score: about a minute
	@$(BIN)/python -m demo

test: $(READY) ## the tests, in under five minutes on two cores
	@$(BIN)/python -m pytest -m "not slow and not e2e" --numprocesses 2 --dist worksteal

test-slow: $(READY) ## the tests that take longer
	@$(BIN)/python -m pytest -m "slow and not e2e"

test-all: test test-slow ## all tests but those that need a cluster

e2e: $(READY) ## install, train, predict, break and mend on the cluster that KUBECONFIG names: under 30 minutes
	@$(BIN)/python -m pytest -m e2e tests/e2e -s

check: $(READY) ## lint, format, strict types, import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(READY) ## the quick benchmarks; long ones by hand: python -m benchmarks.accuracy, .overshoot, .memory, .views
	@status=0; for each in extraction start; do $(BIN)/python -m benchmarks.$$each || status=1; done; exit $$status

format: $(READY) ## put the code into its form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

serve: $(READY) ## both services on http://127.0.0.1:$(PORT), until Ctrl-C
	@$(BIN)/python -m service laptop --port $(PORT)

# --no-deps: constraints.txt is the whole resolved set, so pip has nothing to resolve (its own resolver
# backtracks for minutes over bentoml, tsfresh and tpot) and leaves out xgboost's 200 MB of GPU libraries.
$(READY): constraints.txt pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(v[:2] != (3, 11) and f"Python 3.11 is needed, {v[0]}.{v[1]} was found: make PYTHON=/path/to/python3.11 ...")'
	@test -x $(BIN)/pip || $(PYTHON) -m venv .venv
	@echo "Installing the pinned dependencies into .venv (one to five minutes the first time) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --requirement constraints.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@echo "Compiling the feature kernels (about a minute, some minutes on a busy machine; once) ..."
	@$(BIN)/python -m tideline.features.compilation
	@touch $@

# The Bento gets a home of its own, and the image the commit's name and time: the same commit, the same files.
image: export BENTOML_HOME := $(CURDIR)/build/bentoml
image: export BENTOML_DO_NOT_TRACK := True
image: export BUILDAH_LAYERS := true
image: REVISION = $(shell git rev-parse HEAD 2>/dev/null || echo unknown)
image: VERSION = $(shell git describe --tags --always --dirty 2>/dev/null || echo 0)
image: export SOURCE_DATE_EPOCH = $(shell git log -1 --format=%ct 2>/dev/null || echo 0)
image: $(READY) ## pack the services as a Bento, and the Bento as the image $(REGISTRY)/$(IMAGE)
	@rm -rf build/bentoml
	@$(BIN)/bentoml build --version $(VERSION) --output tag .
	$(BUILDER) build $(BUILD_OPTIONS) $(if $(filter docker,$(BUILDER)),,--timestamp $$SOURCE_DATE_EPOCH) \
		--build-arg VERSION=$(VERSION) --build-arg REVISION=$(REVISION) \
		--build-arg CREATED=$$(date -u -d @$$SOURCE_DATE_EPOCH +%FT%TZ) \
		--file Dockerfile --tag $(REGISTRY)/$(IMAGE) build/bentoml/bentos/tideline-laptop/$(VERSION)

push: ## send the image to its registry
	$(BUILDER) push $(REGISTRY)/$(IMAGE)

constraints: $(READY) ## resolve the dependencies anew into constraints.txt
	$(BIN)/uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 --upgrade \
		--no-emit-index-url --no-annotate --no-header --quiet --output-file constraints.txt
	$(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --constraint constraints.txt \
		--no-emit-index-url --no-annotate --no-header --quiet --output-file constraints-runtime.txt
	sed -i.old '/^nvidia-nccl/d' constraints.txt constraints-runtime.txt
	rm constraints.txt.old constraints-runtime.txt.old

clean: ## remove the virtual environment and what the tools left
	rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
