# hookgate. The two commands to know: make run, make test.

GO            ?= go
CONFIG        ?= config.yaml
FUZZTIME      ?= 10m
BENCHFLAGS    ?=
GOLANGCI      := v2.15.0
LINTER        := .bin/golangci-lint
# One test package at a time builds and runs beside one other: the fault tests
# start real servers and load them.
TESTFLAGS     ?= -race -timeout 20m -p 2

# The version that is stamped into the program: that of the tag, where there is one.
VERSION       ?= $(patsubst v%,%,$(shell git describe --tags --match 'v*' --dirty 2>/dev/null))

.PHONY: run demo build dist test tools fmt fmt-check lint check bench faults faults-control screenshots promises soak fuzz history clean

run: ## serve config.yaml
	$(GO) run . serve -c $(CONFIG)

demo: ## a temporary server with sample events; needs no configuration
	$(GO) run . demo

build: ## the binary ./hookgate
	CGO_ENABLED=1 $(GO) build -trimpath -ldflags "-s -w -X hookgate/app/cli.stamped=$(VERSION)" -o hookgate .

dist: ## what a release consists of, in dist/: programs, deb, rpm, checksums, licences, SBOM
	VERSION=$(VERSION) sh packaging/dist.sh

test: tools ## every test, with the short form of the fault tests
	$(GO) test $(TESTFLAGS) ./...

tools: ## what the tests need besides Go: a browser, strace and PostgreSQL
	@sh test/tools.sh

fmt: $(LINTER) ## format the code
	$(LINTER) fmt ./...

fmt-check: $(LINTER)
	@out="$$($(LINTER) fmt --diff ./... 2>&1)"; if [ -n "$$out" ]; then \
	  printf '%s\n' "$$out"; echo "run: make fmt"; exit 1; fi

lint: $(LINTER) ## static checks, the dependency graph among them
	$(LINTER) run --allow-parallel-runners ./...

$(LINTER): Makefile
	GOBIN=$(CURDIR)/.bin $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI)
	@touch $@

check: fmt-check lint build test ## all that has to pass before a change is merged
	sh test/fuzz.sh 500x

screenshots: ## every page of the demo as pictures, in screenshots/: both languages, themes and widths
	$(GO) run ./test/screenshots -to screenshots

bench: ## the benchmark: see test/bench; BENCHFLAGS=-postgres measures replicas, "-ui 1000000" the pages
	$(GO) run ./test/bench $(BENCHFLAGS)

faults: tools ## the long form of the fault tests; prints what they measured
	FAULTS=long $(GO) test -count=1 -v -timeout 4h ./test/faults/

soak: tools ## half an hour of load: what the process holds stays flat; and with all of flow control, killed every 20 s: ledgers are equal
	SOAK=30m FLOW_SOAK=30m $(GO) test -count=1 -v -timeout 100m -run "TestSoak|TestFlowKilled" ./test/faults/

faults-control: tools ## break the code in many ways: a test must notice each
	$(GO) run ./test/control -write

promises: ## write the table of promises and their tests anew
	PROMISES=write $(GO) test -count=1 ./test/promises/

fuzz: tools ## every fuzz target for FUZZTIME, and 2,000 stories through the planner
	sh test/fuzz.sh $(FUZZTIME)
	RAPID_SEED=0 $(GO) test -count=1 -timeout 2h -run TestStory ./app/planner -rapid.checks=2000

history: tools ## what claims and retention cost with ten million events stored
	HISTORY=10000000 $(GO) test -count=1 -v -timeout 1h -run TestHistory_costsStayFlat ./db

clean:
	rm -rf hookgate dist .bin .cache

# A database of a version that is being released, kept for the versions after
# it: make history-fixture VERSION=v1.2.3 PROGRAM=/path/to/hookgate.
history-fixture:
	HISTORY_PROGRAM=$(PROGRAM) HISTORY_TO=$(CURDIR)/test/e2e/testdata/histories/$(VERSION) go test ./test/e2e -run 'TestHistories/today' -count=1
