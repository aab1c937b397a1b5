# What there is to do here: `make help`. Each target is thin; the work is in cargo, npm and scripts/.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

NEED := scripts/need.sh
WEB := web/node_modules/.installed
RELEASE := target/release/headwater
# What the tests talk to: a database, a certificate authority, and the programs of scripts/python-tools.txt.
SERVERS := postgres pebble openssl python strace
# One profile and one target folder for every check and test: two cores build the workspace once.
# Passed on to the program: make run ARGS='--http 127.0.0.1:9000'
ARGS ?=
FUZZ_SECONDS ?= 60

.PHONY: help demo run runserver ingest test test-rust test-web test-e2e test-all check bench bench-inner fuzz release web clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: ## build, then go live with a moving test picture and print every URL
	@$(NEED) build web ffmpeg fonts
	@$(MAKE) --no-print-directory release
	exec $(RELEASE) demo $(ARGS)

run: ## the server alone: whoever publishes from this machine needs no key
	@$(NEED) build web
	@$(MAKE) --no-print-directory release
	HEADWATER_PUBLISH_OPEN=loopback exec $(RELEASE) serve $(ARGS)

runserver: run ## the same as run

ingest: ## publish a test picture as "colors" with plain ffmpeg, as any user would
	@$(NEED) ffmpeg fonts
	exec ffmpeg -hide_banner -loglevel warning -stats -re -f lavfi -i testsrc2=size=1280x720:rate=30 \
	  -vf "drawtext=text='%{localtime\:%T}':fontfile=$$(scripts/font.sh):fontsize=64:fontcolor=white:box=1:boxcolor=black@0.6:boxborderw=12:x=(w-tw)/2:y=40" \
	  -c:v libx264 -preset veryfast -tune zerolatency -pix_fmt yuv420p -g 30 -keyint_min 30 -b:v 1400k -maxrate 1400k -bufsize 1400k \
	  -an -f flv rtmp://localhost:1935/stream/colors

test: ## every test: format, lints, rules, Rust, web, end to end
	@$(NEED) build web ffmpeg fonts chromium $(SERVERS)
	@# However the tests end, their database server goes with them.
	@trap 'scripts/postgres.sh remove' EXIT; for part in check test-rust test-web test-e2e; do $(MAKE) --no-print-directory $$part; done

test-rust: web
	@$(NEED) $(SERVERS)
	@scripts/python-tools.sh >/dev/null
	database="$$(scripts/postgres.sh url)"; TEST_POSTGRES="$$database" cargo test --workspace --locked

test-web: $(WEB)
	npm --prefix web run --silent test

test-e2e: web
	@$(NEED) ffmpeg fonts chromium $(SERVERS)
	@scripts/python-tools.sh >/dev/null
	@# The binary that the tests built: building it alone would choose other features and compile it again.
	cargo test --workspace --locked --no-run --quiet
	database="$$(scripts/postgres.sh url)"; TEST_POSTGRES="$$database" npm --prefix web run --silent e2e

test-all: test ## the same, then with every other encoder and player that can be had here
	@$(NEED) python rtmpdump gstreamer vlc mpv
	@# The tests that ask for a database start it again.
	@# Of the whole workspace: one package alone would be built anew with other features.
	trap 'scripts/postgres.sh remove' EXIT; PEERS=all MODERN_FFMPEG="$$(scripts/modern-ffmpeg.sh)" \
	  cargo test --workspace --locked --test peers --test ladder
	MODERN_FFMPEG="$$(scripts/modern-ffmpeg.sh)" cargo test --workspace --locked --lib tests::rungs
	@# Of the tests in the browser, those of several sounds: only a modern ffmpeg sends them.
	MODERN_FFMPEG="$$(scripts/modern-ffmpeg.sh)" npm --prefix web run --silent e2e -- sound stock

check: web ## format, lints, layer rule, docs, web types: the quick half of test
	@$(NEED) build
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	cargo xtask layers
	cargo xtask docs
	npm --prefix web run --silent check

bench: ## measure, beside nginx-rtmp too, and write docs/benchmarks*.md (QUICK=1: a smoke run that writes nothing)
	@$(NEED) build web ffmpeg nginx-rtmp postgres python openssl
	@$(MAKE) --no-print-directory release
	cargo build --release --locked -p loadgen
	python3 bench/run.py $(if $(QUICK),--quick) $(ARGS)
	python3 bench/accounts.py $(if $(QUICK),--quick)
	python3 bench/ladder.py $(if $(QUICK),--quick)

bench-inner: ## criterion on the inner loops: chunk parsing, closing a part, rendering a playlist
	@$(NEED) build
	cargo bench --locked -p rtmp -p packager $(ARGS)

fuzz: ## each fuzz target for FUZZ_SECONDS (60)
	@$(NEED) build
	scripts/fuzz.sh $(FUZZ_SECONDS)

release: web
	cargo build --release --locked -p headwater

web: $(WEB)
	@scripts/web-build.sh

$(WEB): web/package.json web/package-lock.json
	@$(NEED) web
	npm --prefix web ci --no-audit --no-fund
	@touch $@

clean: ## remove everything that was built
	scripts/postgres.sh remove
	rm -rf target web/build web/node_modules fuzz/target
