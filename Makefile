# make demo   see it work: three real Debian hosts, three releases (root or sudo)
# make test   everything that proves it; the lab parts need root
SHELL := /bin/bash
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
TOOLS := go tool -modfile=tools/go.mod
# The public libraries, each with few dependencies of its own.
MODULES := vault service

.PHONY: build chaos check clean demo deps golden lint load package test unit e2e bench demo-down

build:
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w -X main.version=$(VERSION:v%=%)' -o bin/kinectl ./cmd/kinectl

# kinectl's own packages, by its own spec.yml. VERSION=1.2.0 names the version;
# FORMAT=deb and ARCH=amd64 make fewer of them.
package: build
	rm -rf dist/man dist/completion
	go run ./cmd/kinectl-man dist $(if $(filter file,$(origin VERSION)),,$(VERSION))
	bin/kinectl package $(if $(filter file,$(origin VERSION)),,--version $(VERSION)) $(if $(FORMAT),--format $(FORMAT)) $(if $(ARCH),--arch $(ARCH)) -o dist

# KINECTL=/usr/bin/kinectl shows an installed one in place of this tree's.
demo: $(if $(KINECTL),,build)
	@demo/run

demo-down: build
	@demo/run down

test: check unit e2e

# Formatting, vet, staticcheck, shellcheck, and the house rules as tests.
check:
	@out=$$($(TOOLS) gofumpt -l .); if [ -n "$$out" ]; then echo "run gofumpt -w on:"; echo "$$out"; exit 1; fi
	go vet ./...
	GOOS=darwin go vet ./cmd/...
	$(TOOLS) staticcheck ./...
	for module in $(MODULES); do (cd $$module && go vet ./... && GOOS=darwin go vet ./... && $(subst -modfile=,-modfile=$(CURDIR)/,$(TOOLS)) staticcheck ./... && go mod tidy -diff) || exit 1; done
	@if command -v shellcheck >/dev/null; then shellcheck demo/run .ci/run $$(find bench -maxdepth 1 -type f ! -name "*.yml"); else echo "shellcheck is not installed: the scripts are not checked"; fi
	go mod tidy -diff

unit:
	for module in $(MODULES); do (cd $$module && go test -race -timeout 15m ./...) || exit 1; done
	go test -race -timeout 30m ./cmd/... ./internal/... ./services/... ./docs/...
	KINECTL_LONG=yes go test -count=1 -timeout 30m -run 'TestKilled|TestClientsWhilePublishing' -v ./internal/repo | grep -E '^(---|ok|FAIL|panic| )'; exit $${PIPESTATUS[0]}

# The road in the lab. Without root there is no lab, and one line says so.
e2e: build
	@if [ "$$(id -u)" = 0 ]; then for tests in ./e2e/ ./e2e/chaos/; do (go test -count=1 -timeout 150m -v $$tests | $(TEST_FILTER)) || exit 1; done; else echo "not root: left out the end-to-end tests in the lab; run 'sudo make test'"; fi

TEST_FILTER := grep --line-buffered -vE '^=== (RUN|PAUSE|CONT|NAME)'; exit $${PIPESTATUS[0]}

# Faults at random moments of random releases: ROUNDS rounds; SEED replays one.
ROUNDS ?= 200
chaos: build
	KINECTL_LONG=yes CHAOS_ROUNDS=$(ROUNDS) $(if $(SEED),CHAOS_SEED=$(SEED)) go test -count=1 -timeout 150m -v ./e2e/chaos/ | $(TEST_FILTER)

# Restarts and releases below 2,000 requests a second, on one host and behind proxies:
# none may fail. It wants a machine with nothing else to do.
load:
	KINECTL_LONG=yes go test -count=1 -timeout 60m -v -run 'TestSwap$$|TestProxy$$' ./e2e/ | $(TEST_FILTER)

# Rewrite the golden files from what the code renders now; look at the diff.
golden:
	go test $$(grep -rl 'flag.Bool("update"' --include=*_test.go internal | xargs -n 1 dirname | sort -u | sed 's|^|./|') -update

# Each beside its peer where it has one. bench/run and bench/restart need root.
bench: build
	bench/lint
	bench/render
	bench/package
	bench/repo
	bench/serve
	bench/shell
	bench/size
	bench/secrets
	bench/restart
	bench/run

# What demo and test need from the distribution.
deps:
	demo/run deps test

clean:
	rm -rf bin dist
